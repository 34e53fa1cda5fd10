"""When what a record says of each category changed last (`Reference.changes`).

Lists by `updated_after` count only changes that their caller may see. So a record keeps a time per category, and a
write moves those of the categories alone in which the record says something else than before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from lead.options.v1 import options_pb2, words_pb2

from services.shared.labels import category, category_from, is_leaf, person_record, said_when_absent
from services.shared.wire import stamp

# These say that something changed, and not what: they would move with every change.
_TELL_OF_CHANGE = frozenset({"etag", "update_time"})
_REFERENCE = options_pb2.Reference.DESCRIPTOR.full_name
_PREFIX = "CATEGORY_"


@dataclass(frozen=True, slots=True)
class Changes:
    """When a record began, and when what it says of a category (by number) changed after that."""

    begun: datetime
    later: Mapping[int, datetime] = field(default_factory=dict)

    def moved(self, before: Message, after: Message, at: datetime) -> Changes:
        """Return the times after a change: `at` for the categories in which the two records differ."""
        return replace(self, later={**self.later, **dict.fromkeys(differing(before, after), at)})

    def to_wire(self, record: Descriptor) -> list[options_pb2.Reference.Change]:
        """Return the times of a record of this kind, by category."""
        times = {**dict.fromkeys(categories(record), self.begun), **self.later}
        # Most of them are the same moment, and lists are long.
        stamps = {time: stamp(time) for time in set(times.values())}
        return [
            options_pb2.Reference.Change(category=words_pb2.Category.ValueType(number), time=stamps[time])
            for number, time in sorted(times.items())
        ]

    def to_json(self, version: int) -> dict[str, Any]:
        """Return it as it lies beside this version of its record."""
        later = {_word(number): time.isoformat() for number, time in self.later.items()}
        return {"version": version, "begun": self.begun.isoformat(), "later": later}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None, version: int, updated_at: datetime) -> Changes:
        """Return what lies beside a record of this version, stored at that time.

        A release before this one keeps no such times: what it wrote counts as changed as a whole.
        """
        if stored is None or stored["version"] != version:
            return cls(updated_at)
        later = {_number(word): datetime.fromisoformat(time) for word, time in stored["later"].items()}
        return cls(datetime.fromisoformat(stored["begun"]), later)


def differing(before: Message, after: Message) -> frozenset[int]:
    """Return the categories in which two states of one record say something else. Records inside of it do not count."""
    one, other = _parts(before), _parts(after)
    return frozenset(number for number in one.keys() | other.keys() if one.get(number) != other.get(number))


@cache
def categories(record: Descriptor) -> tuple[int, ...]:
    """Return the categories that a record's own leaves are labelled with."""
    return tuple(sorted(set(_labels(record, ()))))


def _labels(message: Descriptor, above: tuple[Descriptor, ...]) -> Iterator[int]:
    for one in message.fields:
        if not _is_own(one):
            continue
        inner = one.message_type
        if is_leaf(one):
            if category(one):
                yield category(one)
        elif inner is not None and inner not in above:
            yield from _labels(inner, (*above, message))


def _parts(message: Message) -> dict[int, Any]:
    """Return what the message says of each category, as a message that holds nothing else, emptied parts pruned."""
    parts: dict[int, Any] = {}
    for one, value in message.ListFields():
        if not _is_own(one):
            continue
        if is_leaf(one):
            _copy(parts.setdefault(_category(one, message), type(message)()), one, value)
            continue
        for element in value if one.is_repeated else (value,):
            for number, part in _parts(element).items():
                place = getattr(parts.setdefault(number, type(message)()), one.name)
                (place.add() if one.is_repeated else place).CopyFrom(part)
    return parts


def _copy(part: Any, leaf: FieldDescriptor, value: Any) -> None:
    if leaf.is_repeated:
        getattr(part, leaf.name).extend(value)
    elif leaf.message_type is not None:
        place = getattr(part, leaf.name)
        place.CopyFrom(value)
        place.SetInParent()
    else:
        setattr(part, leaf.name, value)


def _category(leaf: FieldDescriptor, message: Message) -> int:
    sibling = category_from(leaf)
    return int(getattr(message, sibling)) if sibling else category(leaf)


@cache
def _is_own(one: FieldDescriptor) -> bool:
    """Tell whether the field is part of what the record itself says: not its reference, nor another record in it."""
    inner = one.message_type
    if inner is not None and (inner.full_name == _REFERENCE or person_record(inner) is not None):
        return False
    # The gateway says these, not the record.
    return said_when_absent(one) is None and one.name not in _TELL_OF_CHANGE


def _word(number: int) -> str:
    return words_pb2.Category.Name(words_pb2.Category.ValueType(number)).removeprefix(_PREFIX)


def _number(word: str) -> int:
    return words_pb2.Category.Value(_PREFIX + word)
