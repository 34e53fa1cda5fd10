"""Reads JSON text strictly (RFC 8259): UTF-8 only, bounded depth, and nothing that `json` would quietly mend.

What has no place in a message stays visible to the walk that follows: a repeated name makes its object a `Doubled`, a
number without a value (NaN, Infinity) or without bounds is `UNUSABLE`, which no field accepts.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

DEEPEST = 32

# Longer whole numbers fit no field, and turning long digits into a number takes quadratic time.
_LONGEST_NUMBER = 20
# Strings, or one bracket. Possessive, so that hostile text is read once.
_BRACKETS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|([\[{])|[\]}]', re.DOTALL)
UNUSABLE = object()


class Doubled(dict[str, Any]):
    """An object in which these names came more than once."""

    doubled: tuple[str, ...] = ()


class JsonError(Exception):
    """The text is no JSON that is read here; `wish` says what would be, never what was sent."""

    def __init__(self, wish: str) -> None:
        super().__init__(wish)
        self.wish = wish


def read(data: bytes) -> Any:
    """Return the value of a JSON text. Raises `JsonError`."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise JsonError("UTF-8 text") from None
    if _too_deep(data):
        raise JsonError(f"at most {DEEPEST} levels of objects and lists")
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise JsonError(f"well-formed JSON; it breaks at line {error.lineno}, column {error.colno}") from None


def _too_deep(data: bytes) -> bool:
    # Most bodies have fewer brackets than levels are allowed.
    if data.count(b"{") + data.count(b"[") <= DEEPEST:
        return False
    depth = 0
    for found in _BRACKETS.finditer(data):
        if found.lastindex:
            depth += 1
        elif found[0] in (b"]", b"}"):
            depth -= 1
        if depth > DEEPEST:
            return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = Doubled(found)
    doubled.doubled = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return doubled


def _whole(text: str) -> object:
    return int(text) if len(text) <= _LONGEST_NUMBER else UNUSABLE


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_int=_whole, parse_constant=lambda _: UNUSABLE)
