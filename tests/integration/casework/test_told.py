"""What casework tells others of a participant and a hand-off, and when it says each category changed."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1.casework_events_pb2 import HandoffMeasured, IntakeConfirmed, ParticipantRecorded
from lead.options.v1 import words_pb2
from lead.options.v1.options_pb2 import Reference
from lead.referral.v1 import referral_pb2

from services.shared.errors import Code, LeadError
from services.shared.wire import stamp
from tests.integration.casework.desk import Desk
from tests.unit.casework.builders import AGENCY


def said(desk: Desk, kind: type[Message]) -> list[Any]:
    """The events of this kind, oldest first."""
    return [each for each in desk.recorder.said if isinstance(each.message, kind)]


def changed(reference: Reference) -> dict[str, Any]:
    """When each category changed."""
    return {words_pb2.Category.Name(each.category)[9:]: each.time.ToDatetime(tzinfo=UTC) for each in reference.changes}


def test_a_new_participant_is_recorded_on_his_first_subject(desk: Desk) -> None:
    participant = desk.joined()
    (event,) = said(desk, ParticipantRecorded)
    assert (event.record_id, event.subject_id) == (participant.id, participant.reference.subject_id)
    assert (event.source_agency_id, event.version) == (AGENCY, 1)
    assert (event.message.given_name, event.message.birth_date) == ("Testa", "1990-05")
    assert not event.message.needs


def test_a_known_participant_is_recorded_again_on_his_first_subject(desk: Desk) -> None:
    known = desk.joined()
    person = pb.ParticipantPerson(given_name="Testa", family_name="Specimen", birth_date="1990-05-01")
    desk.complete(desk.arrived(), participant_id=known.id, person=person)
    first, second = said(desk, ParticipantRecorded)
    assert second.subject_id == first.subject_id == known.reference.subject_id
    assert second.version > first.version
    assert second.message.family_name == "Specimen"


def test_an_intake_is_recorded_with_its_needs_and_for_those_who_count(desk: Desk) -> None:
    desk.take_in(desk.joined(), needs=[pb.NEED_HOUSING])
    recorded = said(desk, ParticipantRecorded)[-1]
    (confirmed,) = said(desk, IntakeConfirmed)
    now = stamp(desk.clock.now())
    assert list(recorded.message.needs) == [pb.NEED_HOUSING]
    assert recorded.message.intake_confirmed_time == recorded.message.working_as_of_time == now
    assert confirmed.message.study_intake_time == now
    assert recorded.version == confirmed.version == 2


def test_a_handoff_is_measured_on_the_referrals_subject(desk: Desk) -> None:
    accepted = desk.accept(desk.asked())
    assert said(desk, HandoffMeasured) == []
    desk.clock.advance(25 * 60)
    arrived = desk.arrive(accepted)
    (event,) = said(desk, HandoffMeasured)
    assert (event.record_id, event.subject_id) == (arrived.id, arrived.reference.subject_id)
    assert (event.message.minutes, event.message.target_minutes) == (25, 30)
    desk.complete(arrived)
    first, second = said(desk, HandoffMeasured)
    assert second.message == first.message
    assert second.version > first.version


def test_a_handoff_whose_call_was_not_told_is_not_measured(desk: Desk) -> None:
    desk.arrive(desk.accept(desk.asked(call_time=None)))
    assert said(desk, HandoffMeasured) == []


def test_a_handoff_that_failed_before_anybody_came_is_not_measured(desk: Desk) -> None:
    desk.fail(desk.asked(), pb.FAIL_REASON_NO_ANSWER)
    assert said(desk, HandoffMeasured) == []


def test_a_moved_handoff_changes_its_own_record_and_not_the_request(desk: Desk) -> None:
    asked = desk.asked()
    begun = desk.clock.now()
    desk.clock.advance(60)
    accepted = desk.accept(asked)
    assert changed(asked.reference) == {"REFERRAL": begun}
    assert changed(accepted.reference) == {"REFERRAL": desk.clock.now()}
    assert set(changed(accepted.request.reference).values()) == {begun}
    assert set(changed(accepted.request.reference)) >= {"REFERRAL", "IDENTITY", "CONTACT_LOCATION", "STAFF"}


def test_a_corrected_request_changes_only_the_category_that_is_another(desk: Desk) -> None:
    message = desk.request()
    desk.deliver(desk.delivery(message, "hof_x", subject_id="sub_x", version=1))
    begun = desk.clock.now()
    desk.clock.advance(60)
    message.person.CopyFrom(referral_pb2.Person(given_name="Testa", family_name="Specimen"))
    desk.deliver(desk.delivery(message, "hof_x", subject_id="sub_x", version=2))
    (handoff,) = desk.handoffs()
    times = changed(handoff.request.reference)
    assert times.pop("IDENTITY") == desk.clock.now()
    assert set(times.values()) == {begun}
    assert changed(handoff.reference) == {"REFERRAL": begun}


def test_a_correction_of_the_call_changes_the_minutes_and_says_so(desk: Desk) -> None:
    message = desk.request()
    desk.deliver(desk.delivery(message, "hof_x", subject_id="sub_x", version=1))
    desk.arrive(desk.accept(desk.handoffs()[0]))
    desk.clock.advance(60)
    message.call_time.CopyFrom(stamp(desk.clock.now() - timedelta(minutes=10)))
    desk.deliver(desk.delivery(message, "hof_x", subject_id="sub_x", version=2))
    (handoff,) = desk.handoffs()
    assert handoff.minutes == 9
    assert changed(handoff.reference) == {"REFERRAL": desk.clock.now()}


def test_a_participants_categories_change_one_by_one(desk: Desk) -> None:
    participant = desk.joined()
    begun = desk.clock.now()
    desk.clock.advance(60)
    active = desk.take_in(participant, needs=[pb.NEED_HOUSING])
    times = changed(active.reference)
    assert times["PROGRAM_STATUS"] == times["NEEDS"] == desk.clock.now()
    assert times["IDENTITY"] == times["STAFF"] == begun
    assert changed(desk.get(participant.id).reference) == times


def test_a_safety_flag_that_is_raised_changes_no_other_category(desk: Desk) -> None:
    known = desk.joined()
    begun = desk.clock.now()
    desk.clock.advance(60)
    desk.complete(desk.arrived(), participant_id=known.id, safety_flag=True)
    times = changed(desk.get(known.id).reference)
    assert times.pop("CASE_NOTES") == desk.clock.now()
    assert set(times.values()) == {begun}


@pytest.mark.parametrize("known", [True, False])
def test_a_person_who_is_too_young_for_the_site_is_refused(desk: Desk, known: bool) -> None:
    participant_id = desk.joined().id if known else ""
    arrived = desk.arrived()
    person = pb.ParticipantPerson(given_name="Testa", family_name="Sample", birth_date=f"{desk.clock.now().year - 17}")
    with pytest.raises(LeadError) as refused:
        desk.complete(arrived, person=person, participant_id=participant_id)
    assert refused.value.code is Code.INVALID_ARGUMENT
    assert [each.path for each in refused.value.violations] == ["person.birthDate"]
    assert person.birth_date not in str(refused.value.violations)


def test_a_birth_year_that_leaves_it_open_is_taken(desk: Desk) -> None:
    person = pb.ParticipantPerson(given_name="Testa", family_name="Sample", birth_date=f"{desk.clock.now().year - 18}")
    assert desk.joined(person=person).person.birth_date == person.birth_date
