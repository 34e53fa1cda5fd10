"""Says messages of the contract as JSON Schema (OpenAPI 3.1), each with the category of what it tells."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp
from lead.options.v1 import options_pb2

from gateway.transcode.json_leaf import MOST_CHARACTERS
from gateway.transcode.json_walk import MOST_ITEMS
from services.shared import labels
from services.shared.sharing.need import KINDS

Schema = dict[str, Any]

_SCALARS: dict[int, Schema] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    # proto3 JSON writes what a double cannot hold as text.
    FieldDescriptor.TYPE_INT64: {"type": "string", "format": "int64"},
    FieldDescriptor.TYPE_UINT64: {"type": "string", "format": "uint64"},
}


class Schemas:
    """The component schemas of one document, collected as they are referred to."""

    def __init__(self, only_sent: Collection[Descriptor]) -> None:
        """`only_sent` are the messages that no answer carries: these have no room for unknown fields."""
        self.components: dict[str, Schema] = {}
        self._only_sent = only_sent

    def of(self, message: Descriptor) -> Schema:
        """Return a reference to the message's component, which is made if it is not there."""
        name = _name(message.full_name)
        if name not in self.components:
            # Taken before it is filled: a message may hold itself.
            self.components[name] = {}
            self.components[name].update(self.object(message))
        return {"$ref": f"#/components/schemas/{name}"}

    def object(self, message: Descriptor, without: Collection[str] = ()) -> Schema:
        """Return the schema of a message, leaving out some of its fields by proto name."""
        fields = [field for field in message.fields if field.name not in without and _is_shown(field)]
        properties = {field.json_name: self.field(field) for field in fields}
        schema: Schema = {"type": "object", "properties": properties}
        if message in self._only_sent:
            schema["additionalProperties"] = False
            for field in fields:
                properties[field.json_name] |= _limit(field)
        record = labels.person_record(message)
        if record is not None:
            schema["description"] = "A record about a person."
            schema |= _row(record)
        return schema

    def field(self, field: FieldDescriptor) -> Schema:
        """Return the schema of a field, with its category."""
        one = self._one(field)
        return ({"type": "array", "items": one} if field.is_repeated else one) | _labels(field)

    def _one(self, field: FieldDescriptor) -> Schema:
        if field.message_type is Timestamp.DESCRIPTOR:
            return {"type": "string", "format": "date-time"}
        if field.message_type is not None:
            return self.of(field.message_type)
        return self._words(field.enum_type) if field.enum_type is not None else _SCALARS[field.type]

    def _words(self, enum: EnumDescriptor) -> Schema:
        name = _name(enum.full_name)
        # Zero says "not said" and is never sent.
        self.components.setdefault(
            name, {"type": "string", "enum": [value.name for value in enum.values if value.number]}
        )
        return {"$ref": f"#/components/schemas/{name}"}


def reached(messages: Iterable[Descriptor]) -> set[Descriptor]:
    """Return these messages and all that they hold, directly or not."""
    found: set[Descriptor] = set()
    waiting = list(messages)
    while waiting:
        message = waiting.pop()
        if message not in found:
            found.add(message)
            waiting += [field.message_type for field in message.fields if field.message_type]
    return found


def _is_shown(field: FieldDescriptor) -> bool:
    """Tell whether a client ever meets the field: a record's reference is stripped, a raw body has no JSON."""
    return field.message_type not in (options_pb2.Reference.DESCRIPTOR, HttpBody.DESCRIPTOR)


def _limit(field: FieldDescriptor) -> Schema:
    if field.is_repeated:
        return {"maxItems": MOST_ITEMS}
    return {"maxLength": MOST_CHARACTERS} if field.type == FieldDescriptor.TYPE_STRING else {}


def _labels(field: FieldDescriptor) -> Schema:
    """Return what the contract says about the field beside its kind."""
    found: Schema = {}
    if labels.category(field):
        found["x-category"] = _word(labels.category(field))
    if labels.of_row(field):
        found["x-category"] = "of the row"
    sibling = labels.category_from(field)
    if sibling and field.containing_type:
        found["x-category-from"] = field.containing_type.fields_by_name[sibling].json_name
    said = labels.said_when_absent(field)
    if said is not None:
        found["description"] = f'"{said.text}" while `{said.field}` is empty, whatever the cause.'
    return found


def _row(record: options_pb2.PersonRecord) -> Schema:
    """Return what makes the record visible as a whole."""
    if record.row_category_by_source_kind:
        kinds = {kind: labels.enrolment_category(kind) for kind in sorted(KINDS)}
        return {"x-row-category-by-source-kind": {kind: _word(number) for kind, number in kinds.items() if number}}
    if record.row_category_from:
        return {"x-row-category-from": record.row_category_from}
    return {"x-row-category": _word(record.row_category)}


def _word(category: int) -> str:
    return labels.words(labels.bit(category))[0]


def _name(full_name: str) -> str:
    return full_name.removeprefix("lead.")
