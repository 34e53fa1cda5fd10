"""A hand-off from the call to its end."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1 import casework_service_pb2 as service
from sqlalchemy import func, select

from services.casework import handlers
from services.casework.models import REQUEST_PARTS
from services.shared.errors import Code, LeadError
from tests.integration.casework.desk import Desk, a_case_manager
from tests.unit.casework.builders import AGENCY, OTHER, POLICE, SITE


def until(statement) -> object:  # type: ignore[no-untyped-def]
    """Return when a statement ends."""
    return statement.until_time.ToDatetime(tzinfo=UTC)


def test_the_dispatched_agency_sees_what_the_officer_told_it(desk: Desk) -> None:
    handoff = desk.asked()
    assert (handoff.state, handoff.target_minutes) == (pb.HANDOFF_STATE_REQUESTED, 30)
    assert handoff.request.family_name == "Sample"
    assert handoff.request.meet_at == "Sample Corner"
    assert handoff.request.reference.source_agency_id == POLICE
    assert handoff.reference.source_agency_id == AGENCY


def test_another_agency_sees_no_handoff_and_cannot_tell_it_from_none(desk: Desk) -> None:
    handoff = desk.asked()
    stranger = a_case_manager(OTHER)
    assert desk.handoffs(stranger) == []
    refused = []
    for each in (handoff, pb.Handoff(id="hof_none", etag="tag")):
        with pytest.raises(LeadError) as error:
            desk.accept(each, stranger)
        refused.append(error.value.args)
    assert refused[0] == refused[1]
    assert refused[0][0] is Code.NOT_FOUND


def test_a_stranger_with_the_right_etag_gets_not_found_and_no_stale_etag(desk: Desk) -> None:
    handoff = desk.asked()
    handoff.etag = "stale"
    with pytest.raises(LeadError) as refused:
        desk.accept(handoff, a_case_manager(OTHER))
    assert refused.value.code is Code.NOT_FOUND


def test_minutes_count_from_the_call_to_the_arrival(desk: Desk) -> None:
    accepted = desk.accept(desk.asked())
    desk.clock.advance(25 * 60 + 59)
    arrived = desk.arrive(accepted)
    assert (arrived.minutes, arrived.target_minutes) == (25, 30)


def test_a_stale_etag_is_aborted_before_the_move_is_judged(desk: Desk) -> None:
    handoff = desk.asked()
    desk.accept(handoff)
    with pytest.raises(LeadError) as refused:
        desk.arrive(handoff)
    assert refused.value.code is Code.ABORTED


def test_a_handoff_is_completed_only_after_the_arrival(desk: Desk) -> None:
    accepted = desk.accept(desk.asked())
    with pytest.raises(LeadError) as refused:
        desk.complete(accepted, participant_id="par_of_nobody")
    assert (refused.value.reason, refused.value.text) == (
        "ILLEGAL_MOVE",
        "The hand-off is ACCEPTED; what may follow is: arrive, fail.",
    )


def test_a_completed_handoff_makes_a_participant_and_states_the_facts(desk: Desk) -> None:
    handoff = desk.arrived()
    done = desk.complete(handoff)
    subject, now = done.reference.subject_id, desk.clock.now()
    assert (done.state, done.participant_id[:4]) == (pb.HANDOFF_STATE_DONE, "par_")
    (link,) = desk.links()
    assert (link.participant_id, list(link.subject_ids)) == (done.participant_id, [subject])
    assert link.confirmed_by == f"{AGENCY}-case-manager"
    (caseload,), (site,) = desk.stated("CASELOAD"), desk.stated("SITE")
    assert (caseload.subject_id, caseload.record_id, caseload.agency_id) == (subject, done.participant_id, AGENCY)
    assert (site.record_id, site.site_id) == (done.participant_id, SITE)
    assert desk.stated("SAFETY") == []
    (dispatched,) = desk.stated("DISPATCHED")
    assert (dispatched.record_id, dispatched.agency_id, dispatched.closed) == (done.id, AGENCY, False)
    assert until(dispatched) == now + timedelta(hours=24)


def test_the_link_arrives_before_all_facts(desk: Desk) -> None:
    desk.joined()
    assert desk.consent.delivered[0][0] == "LinkSubjects"


def test_a_safety_flag_is_stated(desk: Desk) -> None:
    participant = desk.joined(safety_flag=True)
    (safety,) = desk.stated("SAFETY")
    assert safety.record_id == participant.id


def test_the_window_never_outlasts_the_request(desk: Desk) -> None:
    handoff = desk.arrived()
    opened = desk.clock.now()
    desk.clock.advance(60 * 3600)
    desk.fail(handoff, pb.FAIL_REASON_PERSON_LEFT)
    (dispatched,) = desk.stated("DISPATCHED")
    assert until(dispatched) == opened + timedelta(hours=72)


def test_a_decline_closes_the_window_at_once_and_tells_nobody_else(desk: Desk) -> None:
    desk.fail(desk.asked(), pb.FAIL_REASON_PERSON_DECLINED)
    (dispatched,) = desk.stated("DISPATCHED")
    assert dispatched.closed
    assert until(dispatched) == desk.clock.now()
    assert desk.recorder.said == []


def test_casework_closes_the_window_with_a_later_version_than_the_police_opened_it(desk: Desk) -> None:
    handoff = desk.asked()
    opened = int(desk.clock.now().timestamp() * 1000)
    desk.clock.set_wall(desk.clock.now() - timedelta(minutes=3))
    desk.fail(handoff, pb.FAIL_REASON_PERSON_DECLINED)
    (dispatched,) = desk.stated("DISPATCHED")
    assert dispatched.version > opened


def test_open_handoffs_come_first_by_time_of_request(desk: Desk) -> None:
    first = desk.asked()
    desk.clock.advance(60)
    second = desk.asked()
    desk.clock.advance(60)
    third = desk.asked()
    desk.fail(first, pb.FAIL_REASON_NO_ANSWER)
    assert [each.id for each in desk.handoffs()] == [second.id, third.id, first.id]


def test_a_list_can_be_narrowed_to_a_state(desk: Desk) -> None:
    accepted = desk.accept(desk.asked())
    desk.asked()
    assert [each.id for each in desk.handoffs(state=pb.HANDOFF_STATE_ACCEPTED)] == [accepted.id]


def test_a_page_token_of_nothing_is_refused(desk: Desk) -> None:
    with pytest.raises(LeadError) as refused:
        desk.call("ListHandoffs", service.ListHandoffsRequest(page_token="x"))
    assert [each.path for each in refused.value.violations] == ["pageToken"]


def test_requests_are_deleted_when_the_window_closes(desk: Desk) -> None:
    kept, ended = desk.asked(), desk.asked()
    desk.fail(ended, pb.FAIL_REASON_PERSON_DECLINED)
    assert handlers.forget_requests(desk.parts) > 0
    still = {each.id: each.HasField("request") for each in desk.handoffs()}
    assert still == {kept.id: True, ended.id: False}
    desk.clock.advance(73 * 3600)
    handlers.forget_requests(desk.parts)
    with desk.parts.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(REQUEST_PARTS)).scalar() == 0
