"""How frozen dataclasses lie in JSON columns: what equals its default is left out, so new fields need no migration.

Times are ISO 8601 in UTC, decimals text, tuples lists. Reading goes by the type hints.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
_Read = Callable[[Any], Any]


def to_json(value: Any) -> Any:
    """Return the value as JSON has it."""
    if is_dataclass(value):
        pairs = ((name, getattr(value, name), default) for name, default in _defaults(value.__class__))
        return {name: to_json(found) for name, found, default in pairs if found is not default and found != default}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple | list):
        return [to_json(each) for each in value]
    if isinstance(value, Mapping):
        return {key: to_json(each) for key, each in value.items()}
    return value


def from_json(cls: type[T], data: Any) -> T:
    """Return what `to_json` was given. Raises TypeError or KeyError for data of another class."""
    hint: Any = cls
    read: T = _reader(hint)(data)
    return read


@cache
def _defaults(cls: Any) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (each.name, each.default_factory() if each.default_factory is not MISSING else each.default)
        for each in fields(cls)
    )


@cache
def _reader(hint: Any) -> _Read:
    if is_dataclass(hint):
        return partial(_record, hint, {})
    if hint is datetime:
        return datetime.fromisoformat
    if hint is Decimal:
        return Decimal
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return partial(_optional, _reader(next(each for each in inner if each is not types.NoneType)))
    if origin is tuple:
        return partial(_tuple, _reader(inner[0]))
    if origin is Mapping:
        return partial(_mapping, _reader(inner[1]))
    if origin is Literal or hint in (str, int, bool):
        return _same
    raise TypeError(f"no way to read {hint}")


def _record(cls: Any, readers: dict[str, _Read], data: dict[str, Any]) -> Any:
    # Worked out at the first use, not before: classes may refer to each other.
    if not readers:
        readers.update({name: _reader(hint) for name, hint in get_type_hints(cls).items()})
    return cls(**{name: readers[name](value) for name, value in data.items() if name in readers})


def _optional(read: _Read, data: Any) -> Any:
    return None if data is None else read(data)


def _tuple(read: _Read, data: list[Any]) -> tuple[Any, ...]:
    return tuple(read(each) for each in data)


def _mapping(read: _Read, data: dict[str, Any]) -> dict[str, Any]:
    return {key: read(each) for key, each in data.items()}


def _same(data: Any) -> Any:
    return data
