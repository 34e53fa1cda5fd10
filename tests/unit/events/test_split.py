from __future__ import annotations

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from lead.options.v1 import words_pb2

from services.shared import labels as contract
from services.shared.events.labels import LabelError, check_event_descriptor
from services.shared.events.split import Part, merge, split
from tests.unit.events import sample
from tests.unit.events.sample import CHARGE, IDENTITY, NOTES, PLACE, REFERRAL, SampleChanged, a_change, field

_P = ".lead.wrong.v1."
sample.register(
    "lead.wrong.v1",
    {
        "Mixed": [field("id", 1, CHARGE), field("who", 2, IDENTITY)],
        "Charge": [field("id", 1, CHARGE)],
        "Unlabelled": [field("name", 1)],
        "Presence": [field("name", 1, words_pb2.CATEGORY_SUD_PRESENCE)],
        "MixedList": [field("items", 1, of=f"{_P}Mixed", many=True)],
        "Inside": [field("part", 1, of=f"{_P}Unlabelled")],
        "LabelledMessage": [field("part", 1, CHARGE, of=f"{_P}Charge")],
        "TwoLists": [field("one", 1, of=f"{_P}Charge", many=True), field("two", 2, of=f"{_P}Charge", many=True)],
    },
)


def parts_of(message: Message, category: int) -> list[Part]:
    return [part for part in split(message, "rec_1") if part.category == category]


@given(sample.changes())
def test_the_parts_together_are_the_event(message: Message) -> None:
    whole = merge(SampleChanged, [part.payload for part in split(message, "rec_1")])
    assert whole == message


@given(sample.changes())
def test_a_part_holds_its_category_and_nothing_else(message: Message) -> None:
    for part in split(message, "rec_1"):
        alone = merge(SampleChanged, [part.payload])
        assert {again.category for again in split(alone, "rec_1")} == {part.category}


@given(sample.changes())
def test_no_two_parts_are_for_one_key(message: Message) -> None:
    places = [(part.category, part.record_id) for part in split(message, "rec_1")]
    assert len(places) == len(set(places))


@given(sample.changes(), st.data())
def test_without_a_part_everything_else_is_still_there(message: Message, data: st.DataObject) -> None:
    parts = split(message, "rec_1")
    kept = [part for part in parts if data.draw(st.booleans())]
    assert split(merge(SampleChanged, [part.payload for part in kept]), "rec_1") == kept


def test_each_charge_is_a_part_of_its_own_so_that_one_can_be_expunged() -> None:
    message = a_change(charges=[{"id": "chg_1", "statute": "a"}, {"id": "chg_2", "statute": "b"}])
    first, second = parts_of(message, CHARGE)
    assert (first.record_id, second.record_id) == ("chg_1", "chg_2")
    assert [charge.statute for charge in merge(SampleChanged, [second.payload]).charges] == ["b"]


def test_a_single_record_category_takes_the_record_of_the_event() -> None:
    message = a_change(at_time={"seconds": 1}, whereabouts={"town": "Springfield", "door": "x"})
    (part,) = parts_of(message, REFERRAL)
    assert part.record_id == "rec_1"
    assert merge(SampleChanged, [part.payload]).whereabouts.town == ""


def test_other_categories_have_no_record_of_their_own() -> None:
    message = a_change(name="Testa", notes=[{"id": "n1"}, {"id": "n2"}])
    assert [part.record_id for part in split(message, "rec_1")] == ["", ""]
    assert len(merge(SampleChanged, [parts_of(message, NOTES)[0].payload]).notes) == 2


def test_a_charge_without_an_id_is_refused_by_name_and_not_by_value() -> None:
    with pytest.raises(LabelError) as caught:
        split(a_change(charges=[{"statute": "secret"}]), "rec_1")
    assert "charges" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_empty_sub_message_says_nothing_and_is_not_carried() -> None:
    message = a_change()
    message.whereabouts.SetInParent()
    assert split(message, "rec_1") == []


def test_a_moment_at_zero_is_still_a_moment() -> None:
    message = a_change(at_time={})
    whole = merge(SampleChanged, [part.payload for part in split(message, "rec_1")])
    assert whole.HasField("at_time")


@pytest.mark.parametrize("name", ["Unlabelled", "Presence", "Inside"])
def test_a_leaf_without_a_label_cannot_be_sealed(name: str) -> None:
    message = sample.message_class(f"lead.wrong.v1.{name}")()
    if name == "Inside":
        message.part.name = "secret"
    else:
        message.name = "secret"
    with pytest.raises(LabelError) as caught:
        split(message, "rec_1")
    assert "secret" not in str(caught.value)
    assert check_event_descriptor(message.DESCRIPTOR) != []


@pytest.mark.parametrize("name", ["MixedList", "LabelledMessage", "TwoLists"])
def test_events_that_cannot_be_told_apart_are_named(name: str) -> None:
    findings = check_event_descriptor(sample.descriptor(f"lead.wrong.v1.{name}"))
    assert len(findings) == 1
    assert "lead.wrong.v1" in findings[0]


def test_a_sound_event_has_no_findings() -> None:
    assert check_event_descriptor(SampleChanged.DESCRIPTOR) == []


def test_every_event_of_the_contract_can_be_split() -> None:
    files = [file for file in contract.area_files() if file.name.endswith("_events.proto")]
    assert files
    events = [message for file in files for message in file.message_types_by_name.values()]
    assert [finding for event in events for finding in check_event_descriptor(event)] == []


def test_fields_of_a_newer_release_are_dropped() -> None:
    newer = a_change(name="Testa").SerializeToString() + b"\xf2\x06\x06secret"
    assert merge(SampleChanged, [newer]) == a_change(name="Testa")


def test_a_payload_of_another_kind_is_refused_without_quoting_it() -> None:
    with pytest.raises(ValueError, match="SampleChanged") as caught:
        merge(SampleChanged, [b"\x0asecret"])
    assert "secret" not in str(caught.value)


def test_places_are_told_from_referral_facts_inside_one_sub_message() -> None:
    message = a_change(whereabouts={"town": "Springfield", "door": "x", "phones": ["1", "2"]})
    (part,) = parts_of(message, PLACE)
    assert list(merge(SampleChanged, [part.payload]).whereabouts.phones) == ["1", "2"]
