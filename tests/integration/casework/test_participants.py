"""Participants: the caseload, links, the intake."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1.casework_events_pb2 import IntakeConfirmed

from services.shared.errors import Code, LeadError
from services.shared.wire import stamp
from tests.integration.casework.desk import Desk, a_case_manager, a_participant_caller
from tests.unit.casework.builders import OTHER

STRANGER = a_case_manager(OTHER, "CAREMGT")


def confirmed(desk: Desk) -> list[Any]:
    """The confirmations that went out."""
    return [each for each in desk.recorder.said if isinstance(each.message, IntakeConfirmed)]


def test_a_participant_begins_with_the_intake_pending_and_the_referrals_clock(desk: Desk) -> None:
    participant = desk.joined()
    assert participant.state == pb.PARTICIPANT_STATE_INTAKE_PENDING
    assert participant.intake_due_time == stamp(desk.clock.now() + timedelta(days=30))
    assert participant.person.family_name == "Sample"
    assert participant.reference.record_id == participant.id
    assert confirmed(desk) == []


def test_only_the_own_caseload_is_listed(desk: Desk) -> None:
    own, foreign = desk.joined(), desk.joined(a_case_manager(OTHER))
    assert [each.id for each in desk.participants()] == [own.id]
    assert [each.id for each in desk.participants(STRANGER)] == [foreign.id]
    with pytest.raises(LeadError) as refused:
        desk.get(own.id, STRANGER)
    assert refused.value.code is Code.NOT_FOUND


def test_a_release_adds_those_whom_it_names(desk: Desk) -> None:
    own, foreign = desk.joined(), desk.joined(a_case_manager(OTHER))
    desk.consent.granted = {OTHER: frozenset({own.reference.subject_id})}
    assert {each.id for each in desk.participants(STRANGER)} == {own.id, foreign.id}
    assert desk.get(own.id, STRANGER).reference == own.reference


def test_a_release_lets_nobody_else_complete_the_intake(desk: Desk) -> None:
    own = desk.joined()
    desk.consent.granted = {OTHER: frozenset({own.reference.subject_id})}
    with pytest.raises(LeadError) as refused:
        desk.take_in(own, STRANGER)
    assert refused.value.code is Code.NOT_FOUND


def test_a_participant_sees_himself_and_nobody_else(desk: Desk) -> None:
    one, another = desk.joined(), desk.joined()
    himself = a_participant_caller(one.id)
    assert [each.id for each in desk.participants(himself)] == [one.id]
    with pytest.raises(LeadError) as refused:
        desk.get(another.id, himself)
    assert refused.value.code is Code.NOT_FOUND


def test_participants_come_by_time_of_change(desk: Desk) -> None:
    found = []
    for _ in range(3):
        found.append(desk.joined().id)
        desk.clock.advance(1)
    desk.take_in(desk.get(found[0]))
    assert [each.id for each in desk.participants()] == [found[1], found[2], found[0]]


def test_an_intake_confirms_two_facts_about_the_subject(desk: Desk) -> None:
    participant = desk.joined()
    desk.clock.advance(24 * 3600)
    active = desk.take_in(participant, needs=[pb.NEED_HOUSING, pb.NEED_FOOD_CLOTHING])
    assert active.state == pb.PARTICIPANT_STATE_ACTIVE
    assert list(active.needs) == [pb.NEED_HOUSING, pb.NEED_FOOD_CLOTHING]
    (event,) = confirmed(desk)
    assert event.message.intake_confirmed_time == active.intake_confirmed_time == stamp(desk.clock.now())
    assert (event.record_id, event.subject_id) == (participant.id, participant.reference.subject_id)
    assert event.source_agency_id == participant.agency_id


def test_an_intake_may_be_recorded_afterwards(desk: Desk) -> None:
    participant = desk.joined()
    desk.clock.advance(5 * 24 * 3600)
    at = stamp(desk.clock.now() - timedelta(days=2))
    assert desk.take_in(participant, intake_time=at).intake_confirmed_time == at


def test_a_second_intake_is_an_illegal_move(desk: Desk) -> None:
    active = desk.take_in(desk.joined())
    with pytest.raises(LeadError) as refused:
        desk.take_in(active)
    assert refused.value.reason == "ILLEGAL_MOVE"
    assert len(confirmed(desk)) == 1


def test_a_stale_etag_stops_an_intake(desk: Desk) -> None:
    participant = desk.joined()
    desk.take_in(participant)
    with pytest.raises(LeadError) as refused:
        desk.take_in(participant)
    assert refused.value.code is Code.ABORTED


def test_a_known_participant_gets_the_new_subject(desk: Desk) -> None:
    known = desk.joined()
    again = desk.complete(desk.arrived(), participant_id=known.id)
    assert again.participant_id == known.id
    assert [list(link.subject_ids) for link in desk.links()] == [
        [known.reference.subject_id],
        [again.reference.subject_id],
    ]
    # The record hangs on the first subject, and facts about it are not moved to another.
    assert {each.subject_id for each in desk.stated("CASELOAD")} == {known.reference.subject_id}
    assert desk.get(known.id).reference == known.reference


def test_an_intake_is_confirmed_for_every_linked_subject(desk: Desk) -> None:
    known = desk.joined()
    again = desk.complete(desk.arrived(), participant_id=known.id)
    desk.take_in(desk.get(known.id))
    assert {each.subject_id for each in confirmed(desk)} == {known.reference.subject_id, again.reference.subject_id}


def test_a_later_subject_of_an_active_participant_is_confirmed_when_it_is_linked(desk: Desk) -> None:
    active = desk.take_in(desk.joined())
    again = desk.complete(desk.arrived(), participant_id=active.id)
    first, second = confirmed(desk)
    assert second.subject_id == again.reference.subject_id
    assert second.message == first.message
    assert second.version > first.version
    assert desk.get(active.id).state == pb.PARTICIPANT_STATE_ACTIVE


def test_a_participant_of_another_agency_cannot_be_named(desk: Desk) -> None:
    foreign = desk.joined(a_case_manager(OTHER))
    arrived = desk.arrived()
    for participant_id in (foreign.id, "par_none"):
        with pytest.raises(LeadError) as refused:
            desk.complete(arrived, participant_id=participant_id)
        assert [(each.path, each.wish) for each in refused.value.violations] == [
            ("participantId", "a participant of the own caseload")
        ]


def test_a_second_handoff_of_one_referral_finds_its_participant(desk: Desk) -> None:
    known = desk.joined()
    again = desk.arrived(subject_id=known.reference.subject_id)
    assert desk.complete(again).participant_id == known.id
    assert len(desk.participants()) == 1


def test_one_subject_is_not_linked_to_two_participants(desk: Desk) -> None:
    known, other = desk.joined(), desk.joined()
    again = desk.arrived(subject_id=known.reference.subject_id)
    with pytest.raises(LeadError) as refused:
        desk.complete(again, participant_id=other.id)
    assert (refused.value.code, refused.value.reason) == (Code.FAILED_PRECONDITION, "LINKED_OTHERWISE")


def test_a_safety_flag_lies_sealed_and_is_absent_when_it_is_not_set(desk: Desk) -> None:
    unsafe, safe = desk.joined(safety_flag=True), desk.joined()
    assert unsafe.safety_flag
    assert not safe.HasField("safety_flag")
    with desk.parts.db.read() as connection:
        stored = connection.exec_driver_sql("SELECT safety_flag FROM participants").scalars().all()
    assert {len(each) for each in stored} == {len(stored[0])}
    assert all(each not in (b"0", b"1") for each in stored)
