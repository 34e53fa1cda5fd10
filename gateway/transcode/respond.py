"""Writes answers: a message as proto3 JSON, or an `HttpBody` as it is.

The same text as `json_format` makes (lowerCamelCase, enum values in full, empty lists left out), by printers that are
compiled once per message: lists of records are the hot path.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

JSON = "application/json"
_OPAQUE = "application/octet-stream"

_Show = Callable[[Any], Any]

# What a header may hold, and no way to begin another one.
_HEADER_TEXT = re.compile(r"[ -~]{1,200}", re.ASCII)
_INT64 = frozenset(
    (
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_SINT64,
        FieldDescriptor.TYPE_SFIXED64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_FIXED64,
    )
)
_FLOATING = frozenset((FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE))
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Answer:
    """A body and what it is."""

    content_type: str
    body: bytes


def answer(message: Message) -> Answer:
    """Return the body of an answer."""
    if isinstance(message, HttpBody):
        fits = _HEADER_TEXT.fullmatch(message.content_type)
        return Answer(message.content_type if fits else _OPAQUE, message.data)
    return Answer(JSON, to_json(message))


def to_json(message: Message) -> bytes:
    """Return the message as proto3 JSON, in one line of UTF-8."""
    return _encode(_printer(message.DESCRIPTOR)(message)).encode()


def _print(descriptor: Descriptor, message: Message) -> Any:
    # Looked up when it is needed: a message may hold itself.
    return _printer(descriptor)(message)


@cache
def _printer(descriptor: Descriptor) -> _Show:
    if descriptor is Timestamp.DESCRIPTOR:
        return Timestamp.ToJsonString
    if not descriptor.full_name.startswith("lead.") or any(_is_unusual(field) for field in descriptor.fields):
        return json_format.MessageToDict
    return _Printer(descriptor)


class _Printer:
    """Prints one kind of message, field by field, in order of their numbers."""

    __slots__ = ("_fields",)

    def __init__(self, descriptor: Descriptor) -> None:
        self._fields = {
            field.number: (field.json_name, field.is_repeated, _shower(field)) for field in descriptor.fields
        }

    def __call__(self, message: Message) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for field, value in message.ListFields():
            name, repeated, show = self._fields[field.number]
            if show is None:
                shown[name] = list(value) if repeated else value
            else:
                shown[name] = [show(item) for item in value] if repeated else show(value)
        return shown


def _shower(field: FieldDescriptor) -> _Show | None:
    """Return what turns one value into JSON, or None when it is JSON already."""
    if field.message_type is not None:
        return partial(_print, field.message_type)
    if field.enum_type is not None:
        names = {value.number: value.name for value in field.enum_type.values}
        return lambda number: names.get(number, number)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda value: base64.b64encode(value).decode()
    return str if field.type in _INT64 else None


def _is_unusual(field: FieldDescriptor) -> bool:
    """Tell whether only `json_format` knows how to print the field: maps, floating point, the `null` enum."""
    inner = field.message_type
    return (
        field.type in _FLOATING
        or (inner is not None and bool(inner.GetOptions().map_entry))
        or (field.enum_type is not None and field.enum_type.file.package == "google.protobuf")
    )
