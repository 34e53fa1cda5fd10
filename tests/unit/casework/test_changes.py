"""When each category of a record changed last."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from lead.casework.v1 import casework_pb2 as pb
from lead.options.v1 import words_pb2

from services.casework import changes, convert
from services.casework.domain import Contact, Participant, Told
from services.shared.wire import stamp
from tests.support.clock import NOON
from tests.unit.casework.builders import TESTA, a_handoff, a_participant

LATER = NOON + timedelta(hours=1)
# A change of the participant and the one category that it belongs to.
CHANGES: dict[str, tuple[str, Any]] = {
    "person": ("IDENTITY", replace(TESTA, family_name="Specimen")),
    "contact": ("CONTACT_LOCATION", Contact(address="1 Sample Street")),
    "safety_flag": ("CASE_NOTES", True),
    "state": ("PROGRAM_STATUS", "ACTIVE"),
    "working_as_of": ("PROGRAM_STATUS", NOON),
    "needs": ("NEEDS", ("HOUSING",)),
    "case_manager": ("STAFF", "acc-2"),
}


def first() -> Participant:
    return convert.participant_changed(None, a_participant(case_manager="acc-1"), NOON)


@given(st.sets(st.sampled_from(sorted(CHANGES))))
def test_exactly_what_changed_has_the_new_time(names: set[str]) -> None:
    before = first()
    changed: dict[str, Any] = {name: CHANGES[name][1] for name in names}
    after = convert.participant_changed(before, replace(before, version=2, **changed), LATER)
    assert {word for word, time in after.changes.items() if time == LATER} == {CHANGES[name][0] for name in names}


def test_a_new_version_alone_is_no_change() -> None:
    before = first()
    assert convert.participant_changed(before, replace(before, version=2), LATER).changes == before.changes


def test_what_is_said_no_more_has_changed_too() -> None:
    before = convert.participant_changed(None, a_participant(contact=Contact(address="1 Sample Street")), NOON)
    after = convert.participant_changed(before, replace(before, contact=Contact()), LATER)
    listed = {each.category: each.time for each in convert.participant_to_wire(after).reference.changes}
    assert listed[words_pb2.CATEGORY_CONTACT_LOCATION] == stamp(LATER)


def test_a_nested_record_is_its_own() -> None:
    told = Told(facts={"familyName": "Sample"}, changes={"IDENTITY": LATER})
    message = convert.handoff_to_wire(convert.handoff_changed(None, a_handoff(), NOON), 30, told)
    assert [each.category for each in message.reference.changes] == [words_pb2.CATEGORY_REFERRAL]
    (change,) = message.request.reference.changes
    assert (change.category, change.time) == (words_pb2.CATEGORY_IDENTITY, stamp(LATER))


def test_a_record_of_the_previous_release_is_as_old_as_it_is() -> None:
    message = convert.handoff_to_wire(a_handoff(), 30, None)
    assert [each.time for each in message.reference.changes] == [stamp(NOON)]


def test_every_leaf_of_a_record_belongs_to_a_category() -> None:
    whole = pb.Participant(id="par", person=pb.ParticipantPerson(given_name="Testa"), needs=[pb.NEED_HOUSING], etag="x")
    assert set(changes.noted(None, whole, {}, NOON)) == {"IDENTITY", "NEEDS"}
