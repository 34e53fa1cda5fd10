"""An event taken apart by category, and put together again from the parts that may be opened.

A part is a message of the same type that holds only the fields of one category, and of one record where records have
keys of their own. Merging parts, in their order, gives the message back; merging some gives what may be known.
A sub-message without any field says nothing and is not carried.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from services.shared.events.labels import OF_ROW, PER_RECORD, LabelError, category_of, holds_records
from services.shared.labels import is_leaf

M = TypeVar("M", bound=Message)
_Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What is sealed under one key: the category, the record that the key is for ("" where it is none), the bytes."""

    category: int
    record_id: str
    payload: bytes


def split(message: Message, record_id: str, row_category: int = 0) -> list[Part]:
    """Return the parts of an event about the record `record_id`, in the order in which they must be merged.

    `row_category` is that of leaves which have their row's. Raises LabelError when a set field has no category, or an
    element with a key of its own has no id.
    """
    sorter = _Sorter(type(message), record_id, row_category)
    sorter.scatter(message, ())
    return [
        Part(category, record, part.SerializeToString(deterministic=True))
        for (category, record), part in sorter.parts.items()
    ]


def merge(message_class: type[M], payloads: Iterable[bytes]) -> M:
    """Return the message that these parts make together; fields that this release does not know are dropped.

    Raises ValueError when a payload is no such message.
    """
    whole = message_class()
    for payload in payloads:
        try:
            whole.MergeFromString(payload)
        except DecodeError:
            # Its text may quote the payload.
            raise ValueError(f"not a {message_class.DESCRIPTOR.name}") from None
    # A field without a known label must not travel on (architecture section 4).
    whole.DiscardUnknownFields()
    return whole


class _Sorter:
    """Copies each field of a message into the part that it belongs to."""

    def __init__(self, message_class: type[Message], record_id: str, row_category: int) -> None:
        self.parts: dict[tuple[int, str], Message] = {}
        self._class = message_class
        self._record_id = record_id
        self._row_category = row_category

    def scatter(self, source: Message, path: _Path) -> None:
        """Copy what `source`, found at `path`, holds."""
        for field, value in source.ListFields():
            if is_leaf(field):
                _copy_leaf(self._place(category_of(field), "", path), field, value)
            elif field.is_repeated:
                self._scatter_list(field, value, path)
            else:
                self.scatter(value, (*path, field.name))

    def _scatter_list(self, field: FieldDescriptor, elements: Iterable[Any], path: _Path) -> None:
        category, separate = category_of(field), holds_records(field)
        for element in elements:
            if separate and not element.id:
                raise LabelError(f"{field.full_name}: an element has no id")
            place = self._place(category, element.id if separate else "", path)
            getattr(place, field.name).add().CopyFrom(element)

    def _place(self, category: int, own_id: str, path: _Path) -> Any:
        if category == OF_ROW:
            if not self._row_category:
                raise LabelError(f"{self._class.DESCRIPTOR.full_name}: nobody said what its row category is")
            category = self._row_category
        record = (own_id or self._record_id) if category in PER_RECORD else ""
        place: Any = self.parts.setdefault((category, record), self._class())
        for name in path:
            place = getattr(place, name)
        return place


def _copy_leaf(place: Any, field: FieldDescriptor, value: Any) -> None:
    if field.is_repeated:
        getattr(place, field.name).extend(value)
    elif field.message_type is not None:
        copy = getattr(place, field.name)
        copy.CopyFrom(value)
        copy.SetInParent()
    else:
        setattr(place, field.name, value)
