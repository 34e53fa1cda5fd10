"""What protobuf lets pass in a request and the contract does not: unknown fields and enum values, references.

HTTP requests are walked as JSON before they become messages; this is the same care for gRPC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.unknown_fields import UnknownFieldSet
from lead.options.v1 import options_pb2

from services.shared import labels
from services.shared.errors import Violation

_REFERENCE = options_pb2.Reference.DESCRIPTOR
_LONGEST_TEXT = 20_000
# As in JSON (json_leaf): all but tab and line ends, of which a carriage return is how many records systems write them.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MOST_ITEMS = 5_000
# What a Timestamp may say (google/protobuf/timestamp.proto).
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799


def strangers(message: Message) -> list[Violation]:
    """Return everything in a request that the contract has no word for, by its path."""
    return list(_walk(message, ""))


def _walk(message: Message, path: str) -> Iterator[Violation]:
    if len(UnknownFieldSet(message)):
        yield Violation(path or "", "only fields of the contract")
    for field, value in message.ListFields():
        here = f"{path}.{field.json_name}" if path else field.json_name
        if field.message_type is _REFERENCE:
            yield Violation(here, "unknown field")
        elif field.is_repeated:
            yield from _items(field, value, here)
        else:
            yield from _value(field, value, here)


def _items(field: FieldDescriptor, values: Any, path: str) -> Iterator[Violation]:
    if len(values) > _MOST_ITEMS:
        yield Violation(path, f"at most {_MOST_ITEMS} items")
        return
    for place, value in enumerate(values):
        yield from _value(field, value, f"{path}[{place}]")


def _value(field: FieldDescriptor, value: Any, path: str) -> Iterator[Violation]:
    if field.enum_type is not None and value not in field.enum_type.values_by_number:
        yield Violation(path, "one of " + ", ".join(one.name for one in field.enum_type.values if one.number))
    elif isinstance(value, Timestamp):
        if not _is_time(value):
            yield Violation(path, "a time from year 1 to 9999")
    elif isinstance(value, str) and (len(value) > _LONGEST_TEXT or _CONTROL.search(value)):
        yield Violation(path, f"text of at most {_LONGEST_TEXT} characters, without control characters")
    elif isinstance(value, Message) and not labels.is_leaf(field) and value.DESCRIPTOR.file.package != "google.api":
        yield from _walk(value, path)


def _is_time(value: Timestamp) -> bool:
    return _FIRST_SECOND <= value.seconds <= _LAST_SECOND and 0 <= value.nanos < 1_000_000_000
