"""Event messages can be taken apart by category, and say nothing that events must not."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import Descriptor
from lead.options.v1 import options_pb2

from services.shared import labels
from services.shared.events.labels import check_event_descriptor

EVENTS: dict[str, Descriptor] = {
    message.full_name: message
    for file in labels.area_files()
    if file.name.endswith("_events.proto")
    for message in file.message_types_by_name.values()
}


def carried(message: Descriptor) -> set[str]:
    found = {message.full_name}
    for field in message.fields:
        if field.message_type is not None:
            found |= carried(field.message_type)
    return found


def test_there_are_events() -> None:
    assert {name.split(".")[1] for name in EVENTS} == {"referral", "review", "casework", "provider", "outcomes"}


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_can_be_split_by_category(name: str) -> None:
    assert check_event_descriptor(EVENTS[name]) == []


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_names_no_person_outside_of_its_sealed_sections(name: str) -> None:
    """Subject, source and record stand in the routing section, never in the message."""
    assert options_pb2.Reference.DESCRIPTOR.full_name not in carried(EVENTS[name])
    assert labels.person_record(EVENTS[name]) is None


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_is_carried_by_no_call(name: str) -> None:
    """It goes through the log alone, sealed."""
    for rpc in labels.public_methods():
        assert name not in carried(rpc.input_type) | carried(rpc.output_type)
