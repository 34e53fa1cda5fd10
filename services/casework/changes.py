"""When what a record says of each category changed last: so that a hidden change does not show in a visible time.

A pure comparison of two wire messages of one record, by the labels of their fields.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from lead.options.v1 import words_pb2
from lead.options.v1.options_pb2 import Reference

from services.shared import labels
from services.shared.wire import Words, stamp

Times = Mapping[str, datetime]
"""Time of the last change by category word."""
CATEGORIES = Words(words_pb2.Category, "CATEGORY_")
# Changes with every version: it says that something has changed, and not what.
_VERSION = "etag"


def noted(before: Message | None, after: Message, times: Times, now: datetime) -> Times:
    """Return the times after a change, now for each category that says something else; before is None for a new one."""
    earlier, later = {} if before is None else contents(before), contents(after)
    changed = [each for each in earlier.keys() | later.keys() if earlier.get(each) != later.get(each)]
    return {**times, **dict.fromkeys(changed, now)}


def contents(message: Message) -> Mapping[str, list[tuple[str, Any]]]:
    """Return what a record says, by category; records nested in it are their own."""
    found: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for field, value in _leaves(message):
        found[CATEGORIES.word(labels.category(field))].append((field.full_name, _plain(value)))
    return found


def listed(message: Message, times: Times, otherwise: datetime) -> Iterator[Reference.Change]:
    """Yield the time of each category that the record says or said anything of; `otherwise` where none was noted."""
    for word in sorted({*contents(message), *times}, key=CATEGORIES.number):
        yield Reference.Change(category=CATEGORIES.number(word), time=stamp(times.get(word, otherwise)))


def _leaves(message: Message) -> Iterator[tuple[FieldDescriptor, Any]]:
    for field, value in message.ListFields():
        if labels.is_leaf(field):
            if field.name != _VERSION:
                yield field, value
        elif not _is_other(field):
            for each in value if field.is_repeated else [value]:
                yield from _leaves(each)


def _is_other(field: FieldDescriptor) -> bool:
    inner = field.message_type
    return inner is not None and (inner is Reference.DESCRIPTOR or labels.person_record(inner) is not None)


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return value.SerializeToString(deterministic=True)
    return value if isinstance(value, str | int | float | bool) else list(value)
