"""Reads a query string into the fields of a request that are neither in the path nor in the body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from google.protobuf.descriptor import FieldDescriptor

from gateway.transcode.json_walk import Field, Walker, shown
from services.shared.errors import Violation

MOST_PARAMETERS = 200

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})", re.ASCII)
_FLAGS: dict[str, object] = {"true": True, "false": False}


def check(walker: Walker, query: str) -> tuple[dict[str, Any], tuple[Violation, ...]]:
    """Return the fields by JSON name, as JSON values, and everything that is wrong with the query.

    `query` is raw, as the request line has it, without the question mark. A repeated field is given by repeating the
    parameter. A field that is a message cannot be given here. Paths are the names of parameters.
    """
    pieces = [piece for piece in query.split("&") if piece] if query else []
    if len(pieces) > MOST_PARAMETERS:
        return {}, (Violation("", f"at most {MOST_PARAMETERS} parameters"),)
    found: dict[str, Any] = {}
    wrong = [violation for piece in pieces for violation in _take(walker, piece, found)]
    return found, tuple(wrong)


def _take(walker: Walker, piece: str, found: dict[str, Any]) -> Iterator[Violation]:
    raw_name, _, raw_value = piece.partition("=")
    name, text = _decoded(raw_name), _decoded(raw_value)
    field = walker.fields.get(name) if name else None
    if name is None or field is None or field.check is None:
        yield Violation(shown(name or ""), walker.refusal(name or ""))
    elif text is None:
        yield Violation(field.json, "percent-encoded UTF-8")
    elif field.json in found and not field.repeated:
        yield Violation(field.json, "given once")
    else:
        yield from _put(field, text, found)


def _put(field: Field, text: str, found: dict[str, Any]) -> Iterator[Violation]:
    value = _FLAGS.get(text, text) if field.kind == FieldDescriptor.TYPE_BOOL else text
    if field.repeated:
        found.setdefault(field.json, []).append(value)
        path = f"{field.json}[{len(found[field.json]) - 1}]"
    else:
        found[field.json] = value
        path = field.json
    wish = field.check(value) if field.check else None
    if wish is not None:
        yield Violation(path, wish)


def _decoded(text: str) -> str | None:
    """Return the text without form encoding (`+` is a space), or None when it is not encoded UTF-8."""
    if _BROKEN_ESCAPE.search(text):
        return None
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeError:
        return None
