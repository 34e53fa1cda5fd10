"""What the labels of an event message say: the category of each leaf, and which lists hold records of their own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from lead.options.v1 import words_pb2

from services.shared.labels import category, category_from, is_leaf, of_row

# One record of these must be destroyable while the rest opens (one charge expunged), so each has a key of its own
# (architecture section 6).
PER_RECORD = frozenset(
    {
        words_pb2.CATEGORY_REFERRAL,
        words_pb2.CATEGORY_CHARGE,
        words_pb2.CATEGORY_OFFICER_NARRATIVE,
        words_pb2.CATEGORY_VICTIM_OF_OFFENCE,
        words_pb2.CATEGORY_ELIGIBILITY,
        words_pb2.CATEGORY_DECISION,
    }
)


OF_ROW = -1
"""Stands for the row category of the event's record, which its source decides."""


class LabelError(Exception):
    """An event message is not labelled as events must be; names the field, never a value."""


@cache
def category_of(field: FieldDescriptor) -> int:
    """Return the category of a leaf (`OF_ROW` where it is its row's), or the one category of a list's elements.

    Raises LabelError when a leaf has no label or a list mixes categories.
    """
    if is_leaf(field):
        return _label(field)
    found = {_label(leaf) for leaf in _leaves(_message_of(field), ())}
    if len(found) != 1:
        raise LabelError(f"{field.full_name}: a list in an event is of one category")
    return found.pop()


def holds_records(field: FieldDescriptor) -> bool:
    """Tell whether each element of this list is a record with a key of its own: an `id`, and a category that asks."""
    own_id = _message_of(field).fields_by_name.get("id")
    return own_id is not None and own_id.type == FieldDescriptor.TYPE_STRING and category_of(field) in PER_RECORD


def check_event_descriptor(descriptor: Descriptor) -> list[str]:
    """Return what is wrong with an event message, one line each; empty when it can be split. For the contract tests."""
    fields = list(_walk(descriptor, ()))
    findings = [finding for field in fields for finding in _wrong_with(field)]
    if findings:
        return findings
    lists = [
        category_of(field) for field in fields if field.is_repeated and not is_leaf(field) and holds_records(field)
    ]
    if len(lists) != len(set(lists)):
        # Their order could not be told from the sealed sections.
        return [f"{descriptor.full_name}: two lists hold records of one category"]
    return []


def _wrong_with(field: FieldDescriptor) -> list[str]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return [f"{field.full_name}: a map cannot be labelled"]
    if category_from(field):
        return [f"{field.full_name}: a category that a sibling chooses cannot be sealed"]
    if not is_leaf(field) and category(field):
        return [f"{field.full_name}: the leaves of a message carry the labels, not the message"]
    if not is_leaf(field) and not field.is_repeated:
        return []
    try:
        category_of(field)
    except LabelError as error:
        return [str(error)]
    return []


def _label(field: FieldDescriptor) -> int:
    if of_row(field) and not category(field):
        return OF_ROW
    found = category(field)
    # SUD_PRESENCE is added by the class of the source, never by a field (matrix, "Need set").
    if found in {words_pb2.CATEGORY_UNSPECIFIED, words_pb2.CATEGORY_SUD_PRESENCE}:
        raise LabelError(f"{field.full_name}: a leaf carries a category")
    return found


def _message_of(field: FieldDescriptor) -> Descriptor:
    if field.message_type is None:
        raise LabelError(f"{field.full_name}: a message is expected")
    return field.message_type


def _leaves(descriptor: Descriptor, above: tuple[Descriptor, ...]) -> Iterator[FieldDescriptor]:
    for field in descriptor.fields:
        if is_leaf(field):
            yield field
        elif field.message_type not in above:
            yield from _leaves(_message_of(field), (*above, descriptor))


def _walk(descriptor: Descriptor, above: tuple[Descriptor, ...]) -> Iterator[FieldDescriptor]:
    """Yield the fields that splitting looks at: it takes the elements of a list whole."""
    for field in descriptor.fields:
        yield field
        if not is_leaf(field) and not field.is_repeated and field.message_type not in above:
            yield from _walk(_message_of(field), (*above, descriptor))
