"""What a single JSON value must be to fit a field: one check per kind, made once per field.

A check returns None for a value that fits, and otherwise the wish: what would fit, never what was sent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from services.shared.labels import ContractError

Check = Callable[[object], str | None]

MOST_CHARACTERS = 20_000

# C0 without tab, line feed and carriage return, which records systems end lines with; DEL, C1; half of a surrogate
# pair is no character either.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_DIGITS = re.compile(r"-?(?:0|[1-9][0-9]{0,19})", re.ASCII)
# RFC 3339 section 5.6, in upper case and without leap seconds, as proto3 JSON reads it.
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    re.ASCII,
)
TIMESTAMP = Timestamp.DESCRIPTOR.full_name


def check(field: FieldDescriptor) -> Check | None:
    """Return the check of one value of the field, or None when the value is an object with fields of its own.

    Raises `ContractError` on a kind of field that a public request may not have (architecture section 4).
    """
    if field.message_type is not None:
        return _message(field, field.message_type)
    if field.enum_type is not None:
        return _one_of(field.enum_type)
    if field.type in _SCALARS:
        return _SCALARS[field.type]
    raise ContractError(f"no JSON is read into {field.full_name}")


def _message(field: FieldDescriptor, inner: Descriptor) -> Check | None:
    if inner.full_name == TIMESTAMP:
        return _time
    if inner.file.package.startswith("google.") or inner.GetOptions().map_entry:
        raise ContractError(f"no JSON is read into {field.full_name}")
    return None


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return "a string"
    if len(value) > MOST_CHARACTERS:
        return f"at most {MOST_CHARACTERS} characters"
    if value.isprintable() or not _CONTROL.search(value):
        return None
    return "text without control characters"


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _number(value: object) -> str | None:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return None if fits else "a number"


def _time(value: object) -> str | None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return _TIME_WISH
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        # A day that is not in the calendar, or a year outside 1 to 9999.
        return _TIME_WISH
    return None


def _whole(low: int, high: int) -> Check:
    wish = f"a whole number from {low} to {high}"

    def check(value: object) -> str | None:
        # proto3 JSON: a whole number, or the same as text; 64-bit ones are always written as text.
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return wish
        whole = isinstance(value, int) or value.is_integer()
        return None if whole and low <= value <= high else wish

    return check


def _one_of(enum: EnumDescriptor) -> Check:
    names = frozenset(enum.values_by_name)
    numbers = frozenset(enum.values_by_number)
    # Every enum has a zero for "not said", which nobody should be told to send.
    wish = "one of " + ", ".join(value.name for value in enum.values if value.number)

    def check(value: object) -> str | None:
        if isinstance(value, str):
            return None if value in names else wish
        return None if type(value) is int and value in numbers else wish

    return check


_TIME_WISH = "a time in RFC 3339, such as 2030-01-31T09:30:00Z"
_INT32, _INT64 = _whole(-(2**31), 2**31 - 1), _whole(-(2**63), 2**63 - 1)
_UINT32, _UINT64 = _whole(0, 2**32 - 1), _whole(0, 2**64 - 1)
_SCALARS: dict[int, Check] = {
    FieldDescriptor.TYPE_STRING: _text,
    FieldDescriptor.TYPE_BOOL: _flag,
    FieldDescriptor.TYPE_DOUBLE: _number,
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_SINT32: _INT32,
    FieldDescriptor.TYPE_SFIXED32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_SINT64: _INT64,
    FieldDescriptor.TYPE_SFIXED64: _INT64,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
    FieldDescriptor.TYPE_UINT64: _UINT64,
    FieldDescriptor.TYPE_FIXED64: _UINT64,
}
