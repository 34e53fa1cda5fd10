"""What an answer shows: its JSON walked beside its descriptor, each non-empty field by the category of its label.

An agency's programmer could do the same with the published contract and the directory of agencies, since a provider's
record is of its kind. What the contract doesn't know, or doesn't label,
comes out under a word that no table expects, so that it can't be overlooked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.command.demo.agencies import kind_of
from services.shared import labels

Label = tuple[str, str]
"""(full name of the record's message, empty for what is about nobody; category word)."""

UNLABELLED = "UNLABELLED"
UNKNOWN = "UNKNOWN"
_PREFIX = "CATEGORY_"


def seen(answer: Mapping[str, Any], message: Descriptor, record: str = "", provider: str = "") -> Iterator[Label]:
    """Yield the label of each non-empty field of an answer that is a message of this type.

    `provider` is the agency whose record it is, where the kind of the agency says the category.
    """
    record = message.full_name if labels.person_record(message) else record
    provider = str(answer.get("providerAgencyId") or answer.get("agencyId") or provider)
    fields = {field.json_name: field for field in message.fields}
    for name, value in answer.items():
        field = fields.get(name)
        if field is None:
            yield record, UNKNOWN
        elif not is_empty(value):
            yield from _field(answer, value, field, record, provider)


def is_empty(value: Any) -> bool:
    """Tell whether a JSON value says nothing; `false` and 0 say something."""
    return value is None or value in ("", [], {})


def _field(
    answer: Mapping[str, Any], value: Any, field: FieldDescriptor, record: str, provider: str
) -> Iterator[Label]:
    if labels.is_leaf(field):
        yield record, _word(answer, field, provider)
        return
    assert field.message_type is not None  # noqa: S101 - it is no leaf
    for inner in value if field.is_repeated else [value]:
        yield from seen(inner, field.message_type, record, provider)


def _word(answer: Mapping[str, Any], field: FieldDescriptor, provider: str) -> str:
    sibling = labels.category_from(field)
    if sibling:
        message = field.containing_type
        assert message is not None  # noqa: S101 - a field of a message
        quoted = answer.get(message.fields_by_name[sibling].json_name, "")
        return str(quoted).removeprefix(_PREFIX) or UNLABELLED
    number = labels.enrolment_category(kind_of(provider)) if labels.of_row(field) else labels.category(field)
    return labels.words(labels.bit(number))[0] if number else UNLABELLED
