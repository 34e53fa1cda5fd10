"""Reads a table of plain values into a frozen dataclass by its type hints, and names everything that is wrong."""

from __future__ import annotations

import re
import types
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from services.shared.errors import Violation

ReadOne = Callable[["Reader", Any, object, str], Any]


@dataclass(frozen=True, slots=True)
class Must:
    """A condition on a value of the right type, and its wording."""

    holds: Callable[[Any], bool]
    wish: str


Text = Annotated[str, Must(lambda text: bool(text.strip()), "must not be empty")]
_SLUG = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", re.ASCII)
Slug = Annotated[str, Must(lambda text: _SLUG.fullmatch(text) is not None, "must be lower-case words with - or _")]
Words = Annotated[tuple[str, ...], Must(bool, "must name at least one")]
Count = Annotated[int, Must(lambda number: number > 0, "must be at least 1")]
Positive = Annotated[Decimal, Must(lambda number: number.is_finite() and number > 0, "must be above 0")]
ZoneName = Annotated[str, Must(lambda name: name in zoneinfo.available_timezones(), "must be an IANA time zone")]

# What a TOML value of the type is called in a wish.
_PLAIN: Mapping[type[Any], str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    date: "a date",
    time: "a time of day",
    dict: "a table",
}
_NO_HINTS: Mapping[str, Any] = MappingProxyType({})
# Stands for a value that could not be read; whoever gave it has been told.
UNREAD: Any = object()


@dataclass(slots=True)
class Reader:
    """Collects what is wrong while it reads; one call may find many wrong places."""

    # Readers for types that need more than their hints, by type.
    special: Mapping[Any, ReadOne] = field(default_factory=dict)
    wrong: list[Violation] = field(default_factory=list)

    def record(self, cls: type[Any], table: object, path: str, hints: Mapping[str, Any] = _NO_HINTS) -> Any:
        """Return a record of the class, or `UNREAD` when anything in the table is wrong.

        `hints` overrides the types of some fields.
        """
        if not isinstance(table, dict):
            return self.complain(path, "must be a table")
        known = {each.name: each for each in fields(cls)}
        for key in sorted(table.keys() - known.keys()):
            self.complain(_join(path, key), "is not a key of a pack")
        types_by_name = {**get_type_hints(cls, include_extras=True), **hints}
        values = {}
        for name, each in known.items():
            if name in table:
                values[name] = self.value(types_by_name[name], table[name], _join(path, name))
            elif each.default is MISSING and each.default_factory is MISSING:
                values[name] = UNREAD
                self.complain(_join(path, name), "is missing")
        return UNREAD if any(each is UNREAD for each in values.values()) else cls(**values)

    def value(self, hint: Any, given: object, path: str) -> Any:
        """Return the value in its frozen form, or the mark of an unread one after complaining."""
        origin = get_origin(hint)
        read_one = self.special.get(origin) or _BY_ORIGIN.get(origin)
        if read_one is not None:
            return read_one(self, hint, given, path)
        if hint is Decimal:
            return _decimal(self, given, path)
        if hint in _PLAIN:
            return _plain(self, hint, given, path)
        return self.record(hint, given, path)

    def complain(self, path: str, wish: str) -> Any:
        """Note one wrong place and return the mark of an unread value."""
        self.wrong.append(Violation(path, wish))
        return UNREAD


def _plain(reader: Reader, hint: type[Any], given: object, path: str) -> Any:
    # A bool is an int and a datetime a date, in Python but not in a pack.
    odd = (hint is int and isinstance(given, bool)) or (hint is date and isinstance(given, datetime))
    if odd or not isinstance(given, hint):
        return reader.complain(path, f"must be {_PLAIN[hint]}")
    return given


def _decimal(reader: Reader, given: object, path: str) -> Any:
    if isinstance(given, bool) or not isinstance(given, int | Decimal):
        return reader.complain(path, "must be a number")
    return Decimal(given)


def _annotated(reader: Reader, hint: Any, given: object, path: str) -> Any:
    inner, *conditions = get_args(hint)
    read = reader.value(inner, given, path)
    if read is UNREAD:
        return read
    broken = [must.wish for must in conditions if not must.holds(read)]
    return reader.complain(path, broken[0]) if broken else read


def _literal(reader: Reader, hint: Any, given: object, path: str) -> Any:
    words = get_args(hint)
    return given if given in words else reader.complain(path, f"must be one of {', '.join(words)}")


def _tuple(reader: Reader, hint: Any, given: object, path: str) -> Any:
    if not isinstance(given, list):
        return reader.complain(path, "must be a list")
    item = get_args(hint)[0]
    read = [reader.value(item, each, f"{path}[{place}]") for place, each in enumerate(given)]
    return UNREAD if any(each is UNREAD for each in read) else tuple(read)


def _mapping(reader: Reader, hint: Any, given: object, path: str) -> Any:
    if not isinstance(given, dict):
        return reader.complain(path, "must be a table")
    key_hint, item = get_args(hint)
    read = {}
    for key, each in given.items():
        place = _join(path, key)
        read[reader.value(key_hint, key, place)] = reader.value(item, each, place)
    unread = any(each is UNREAD for pair in read.items() for each in pair)
    return UNREAD if unread else MappingProxyType(read)


def _optional(reader: Reader, hint: Any, given: object, path: str) -> Any:
    # A file has no null, so what is there is of the one other type.
    inner = next(each for each in get_args(hint) if each is not types.NoneType)
    return reader.value(inner, given, path)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


_BY_ORIGIN: Mapping[Any, ReadOne] = {
    Annotated: _annotated,
    Literal: _literal,
    tuple: _tuple,
    Mapping: _mapping,
    Union: _optional,
    types.UnionType: _optional,
}
