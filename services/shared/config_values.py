"""Single values of a configuration: what a type wants, in words, and how a given value becomes one."""

from __future__ import annotations

import dataclasses
import enum
import math
import types
import typing
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

_WISHES: dict[object, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    timedelta: "a number of seconds",
}
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@cache
def hints(cls: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields, with names resolved."""
    found = typing.get_type_hints(cls)
    return {field.name: found[field.name] for field in dataclasses.fields(cls) if field.init}


def dataclass_in(hint: Any) -> type | None:
    """Return the dataclass that a type is, with or without None; None for any other type."""
    kind = _without_none(hint)[0]
    return kind if isinstance(kind, type) and dataclasses.is_dataclass(kind) else None


def wish(hint: Any) -> str:
    """Say in words what a value of this type is."""
    kind, _ = _without_none(hint)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments))
    if origin is tuple:
        return f"a list, each {wish(arguments[0])}"
    if origin is dict:
        return f"a section with any keys, each {wish(arguments[1])}"
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return "one of " + ", ".join(str(each.value) for each in kind)
    return _WISHES.get(kind, "a section" if dataclass_in(kind) else "of a type that no configuration has")


def from_text(hint: Any, text: str) -> object:
    """Return an environment variable's text in the form that TOML would give; as it is where that is not possible."""
    kind, _ = _without_none(hint)
    if typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)[0]
        return [from_text(inner, part.strip()) for part in text.split(",") if part.strip()]
    if kind is bool:
        return _TRUTH.get(text.lower(), text)
    if kind in (int, float, timedelta):
        try:
            return int(text) if kind is int else float(text)
        except ValueError:
            return text
    return text


def convert(hint: Any, given: object, folder: Path) -> object:
    """Return the value of a type from what TOML gave; relative paths count from the folder.

    Raises ValueError when it is not of the type; its text says nothing of the value.
    """
    kind, optional = _without_none(hint)
    if given is None and optional:
        return None
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and isinstance(given, list | tuple):
        return tuple(convert(arguments[0], each, folder) for each in given)
    if origin is dict and isinstance(given, Mapping):
        return {str(key): convert(arguments[1], each, folder) for key, each in given.items()}
    if origin is Literal and given in arguments:
        return given
    if dataclass_in(kind) is not None:
        return _record(kind, given, folder)
    if isinstance(kind, type) and origin is None:
        return _scalar(kind, given, folder)
    raise ValueError("not of this type")


def _record(kind: type, given: object, folder: Path) -> object:
    """Return an item of a list of sections: it has its required fields and no other ones."""
    wanted = hints(kind)
    if not isinstance(given, Mapping) or not set(given) <= set(wanted):
        raise ValueError("not of this type")
    values = {str(name): convert(wanted[name], value, folder) for name, value in given.items()}
    try:
        return kind(**values)
    except TypeError:
        raise ValueError("not of this type") from None


def _scalar(kind: type, given: object, folder: Path) -> object:
    if issubclass(kind, enum.Enum):
        return kind(given)
    if kind is Path and isinstance(given, str | Path):
        return folder / given
    if isinstance(given, float) and not math.isfinite(given):
        raise ValueError("not of this type")
    # In Python true is the number 1; in a configuration it is not.
    if isinstance(given, bool) != (kind is bool):
        raise ValueError("not of this type")
    if kind is timedelta and isinstance(given, int | float):
        return timedelta(seconds=given)
    if kind is float and isinstance(given, int):
        return float(given)
    if kind in (str, int, float, bool) and isinstance(given, kind):
        return given
    raise ValueError("not of this type")


def _without_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    others = [each for each in typing.get_args(hint) if each is not type(None)]
    return (others[0], True) if len(others) == 1 else (hint, False)
