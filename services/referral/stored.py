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
    """Return the value, a dataclass of those that are stored, as JSON has it."""
    hint: Any = type(value)
    write = _writer(hint)
    return value if write is None else write(value)


def from_json(cls: type[T], data: Any) -> T:
    """Return what `to_json` was given. Raises TypeError or KeyError for data of another class."""
    hint: Any = cls
    read: T = _reader(hint)(data)
    return read


@cache
def _writer(hint: Any) -> _Read | None:
    """Return what writes a value of this type; None where JSON has it as it is."""
    if is_dataclass(hint):
        return partial(_written, hint, [])
    if hint is datetime:
        return _moment
    if hint is Decimal:
        return str
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _unless_none(_writer(next(each for each in inner if each is not types.NoneType)))
    if origin is tuple:
        return _each(_writer(inner[0]))
    if origin is Mapping:
        return _values(_writer(inner[1]))
    if origin is Literal or hint in (str, int, bool):
        return None
    raise TypeError(f"no way to write {hint}")


def _written(cls: Any, members: list[tuple[str, Any, _Read | None]], value: Any) -> dict[str, Any]:
    # Worked out at the first use, not before: classes may refer to each other.
    if not members:
        hints = get_type_hints(cls)
        # At once, since another thread may be reading it.
        members[:] = [(name, default, _writer(hints[name])) for name, default in _defaults(cls)]
    written = {}
    for name, default, write in members:
        found = getattr(value, name)
        if found is not default and found != default:
            written[name] = found if write is None else write(found)
    return written


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


def _unless_none(write: _Read | None) -> _Read | None:
    return None if write is None else lambda value: None if value is None else write(value)


def _each(write: _Read | None) -> _Read:
    return list if write is None else lambda values: [write(each) for each in values]


def _values(write: _Read | None) -> _Read:
    return dict if write is None else lambda values: {key: write(each) for key, each in values.items()}


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
