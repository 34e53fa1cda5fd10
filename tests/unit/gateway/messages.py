"""Draws messages of the contract from their descriptors, and names the contract's services."""

from __future__ import annotations

from functools import cache
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf import message_factory
from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    FieldDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st
from lead.options.v1 import options_pb2

from gateway.transcode.routes import Match, Routes
from services.shared import labels

_SECONDS = st.integers(-62135596800, 253402300799)
_INT64 = (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64, FieldDescriptor.TYPE_SFIXED64)

# What a well-meaning client writes: any characters but control characters and halves of pairs.
texts = st.text(st.characters(exclude_categories=("Cc", "Cs"), include_characters="\n\t"), max_size=30)


def services() -> list[ServiceDescriptor]:
    """All services with a public method."""
    return list({method.containing_service.full_name: method.containing_service for method in _public()}.values())


@cache
def routes() -> Routes:
    """The route table of the whole contract."""
    return Routes.from_services(services())


def match(method: str, path: str) -> Match:
    """The match of a call that is known to be served."""
    found = routes().match(method, path)
    assert isinstance(found, Match)
    return found


@cache
def messages(descriptor: Descriptor, *, referenced: bool) -> st.SearchStrategy[Message]:
    """Any message of this kind; `referenced` fills fields that no client may write too."""
    fields = [field for field in descriptor.fields if referenced or _writable(field)]
    drawn = st.fixed_dictionaries({}, optional={field.name: _values(field, referenced=referenced) for field in fields})
    make = message_factory.GetMessageClass(descriptor)
    return drawn.map(lambda values: make(**values))


def takes_a_file(rpc: MethodDescriptor) -> bool:
    """Whether a call's body is kept as it is."""
    return any(field.message_type is HttpBody.DESCRIPTOR for field in rpc.input_type.fields)


def _public() -> tuple[Any, ...]:
    return labels.public_methods()


def _writable(field: FieldDescriptor) -> bool:
    return field.message_type is not options_pb2.Reference.DESCRIPTOR


def _values(field: FieldDescriptor, *, referenced: bool) -> st.SearchStrategy[Any]:
    one = _value(field, referenced=referenced)
    return st.lists(one, max_size=3) if field.is_repeated else one


def _value(field: FieldDescriptor, *, referenced: bool) -> st.SearchStrategy[Any]:
    if field.message_type is Timestamp.DESCRIPTOR:
        return st.builds(Timestamp, seconds=_SECONDS, nanos=st.integers(0, 999_999_999))
    if field.message_type is not None:
        return messages(field.message_type, referenced=referenced)
    if field.enum_type is not None:
        return _numbers(field.enum_type)
    if field.type == FieldDescriptor.TYPE_STRING:
        return texts
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=30)
    return st.integers(-(2**63), 2**63 - 1) if field.type in _INT64 else st.integers(-(2**31), 2**31 - 1)


def _numbers(enum: EnumDescriptor) -> st.SearchStrategy[int]:
    return st.sampled_from([value.number for value in enum.values])
