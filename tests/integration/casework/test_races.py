"""Two calls at once, and a consent that does not answer: one wins, nothing is half stored."""

from __future__ import annotations

import pytest
from lead.casework.v1 import casework_pb2 as pb

from services.shared.errors import Code, LeadError, unavailable
from tests.integration.casework.desk import Desk


def refused(desk: Desk) -> None:
    raise unavailable("told to be away")


def test_the_slower_of_two_moves_is_aborted_and_leaves_nothing(desk: Desk) -> None:
    arrived = desk.arrived()
    desk.recorder.meanwhile = lambda: desk.fail(arrived, pb.FAIL_REASON_PERSON_LEFT)
    with pytest.raises(LeadError) as error:
        desk.complete(arrived)
    assert error.value.code is Code.ABORTED
    assert [each.state for each in desk.handoffs()] == [pb.HANDOFF_STATE_FAILED]
    assert desk.participants() == []
    assert desk.links() == []


def test_an_intake_that_would_miss_a_subject_linked_meanwhile_is_aborted(desk: Desk) -> None:
    known, arrived = desk.joined(), desk.arrived()
    desk.recorder.meanwhile = lambda: desk.complete(arrived, participant_id=known.id)
    with pytest.raises(LeadError) as error:
        desk.take_in(known)
    assert error.value.code is Code.ABORTED
    assert desk.get(known.id).state == pb.PARTICIPANT_STATE_INTAKE_PENDING


def test_one_subject_gets_one_participant_when_two_handoffs_of_it_are_completed_at_once(desk: Desk) -> None:
    first = desk.arrived(subject_id="sub_x")
    second = desk.arrived(subject_id="sub_x")
    desk.recorder.meanwhile = lambda: desk.complete(first)
    with pytest.raises(LeadError) as error:
        desk.complete(second)
    assert error.value.code is Code.ABORTED
    assert len(desk.participants()) == 1


def test_nothing_is_stored_when_no_keys_can_be_had(desk: Desk) -> None:
    participant = desk.joined()
    desk.recorder.meanwhile = lambda: refused(desk)
    with pytest.raises(LeadError) as error:
        desk.take_in(participant)
    assert error.value.code is Code.UNAVAILABLE
    assert desk.get(participant.id) == participant
