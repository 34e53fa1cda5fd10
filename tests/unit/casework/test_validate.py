"""Requests: every wrong field at once, by path, never a value."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1 import casework_service_pb2 as service

from services.casework import validate
from services.shared.errors import Code, LeadError
from services.shared.wire import stamp
from tests.support.clock import NOON

DAY = timedelta(days=1)


def paths(check: Any, *given_to_it: Any) -> list[str]:
    """Return the wrong paths."""
    try:
        check(*given_to_it)
    except LeadError as error:
        return [each.path for each in error.violations] if error.code is Code.INVALID_ARGUMENT else [error.code]
    return []


def a_complete(**changes: Any) -> service.CompleteHandoffRequest:
    """Return a request in order."""
    defaults: dict[str, Any] = {
        "id": "hof",
        "etag": "tag",
        "person": pb.ParticipantPerson(given_name="Testa", family_name="Sample", birth_date="1990"),
    }
    return service.CompleteHandoffRequest(**(defaults | changes))


def test_a_complete_request_in_order_is_taken() -> None:
    contact = pb.ParticipantContact(phones=["206-555-0100"], address="1 Sample Street", where_found="Sample Park")
    assert paths(validate.complete, a_complete(contact=contact), NOON) == []


def test_every_wrong_field_of_a_completion_is_named_at_once() -> None:
    request = service.CompleteHandoffRequest(
        person=pb.ParticipantPerson(given_name=" ", birth_date="1990-13"),
        contact=pb.ParticipantContact(phones=["206-555-0100", "call me"], address="\x00", where_found="x" * 301),
    )
    assert paths(validate.complete, request, NOON) == [
        "person.givenName",
        "person.familyName",
        "person.birthDate",
        "contact.phones[1]",
        "contact.address",
        "contact.whereFound",
        "etag",
    ]


def test_a_known_participant_needs_no_name_but_half_a_name_is_none() -> None:
    assert paths(validate.complete, a_complete(person=None, participant_id="par"), NOON) == []
    half = a_complete(person=pb.ParticipantPerson(given_name="Testa"), participant_id="par")
    assert paths(validate.complete, half, NOON) == ["person.familyName"]


@pytest.mark.parametrize("text", ["1990", "1990-02", "1992-02-29", "2026-03-03"])
def test_a_birth_date_may_be_partial(text: str) -> None:
    person = pb.ParticipantPerson(given_name="Testa", family_name="Sample", birth_date=text)
    assert paths(validate.complete, a_complete(person=person), NOON) == []


@pytest.mark.parametrize("text", ["90", "1899", "1990-2", "1991-02-29", "2027", "2026-04", "0000-01-01", "1990-00"])
def test_what_is_no_birth_date_is_refused(text: str) -> None:
    person = pb.ParticipantPerson(given_name="Testa", family_name="Sample", birth_date=text)
    assert paths(validate.complete, a_complete(person=person), NOON) == ["person.birthDate"]


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=12))
def test_no_refusal_ever_echoes_a_value(given_name: str, address: str, birth: str) -> None:
    mark = "Zyxwv"
    request = a_complete(
        person=pb.ParticipantPerson(given_name=mark + given_name, birth_date=mark + birth),
        contact=pb.ParticipantContact(address=mark + address, phones=[mark]),
    )
    with pytest.raises(LeadError) as refused:
        validate.complete(request, NOON)
    assert mark not in str(refused.value)
    assert all(mark not in each.wish + each.path for each in refused.value.violations)


def test_what_is_never_carried_is_refused_by_shape() -> None:
    contact = pb.ParticipantContact(where_found="SID WA12345678")
    assert paths(validate.complete, a_complete(contact=contact), NOON) == ["contact.whereFound"]


def test_a_move_needs_an_etag() -> None:
    assert paths(validate.accept, service.AcceptHandoffRequest(id="hof")) == ["etag"]
    assert paths(validate.arrive, service.ArriveHandoffRequest(id="hof"), NOON) == ["etag"]


@pytest.mark.parametrize(("ahead", "wrong"), [(5, []), (6, ["time"])])
def test_an_arrival_may_be_five_minutes_ahead(ahead: int, wrong: list[str]) -> None:
    request = service.ArriveHandoffRequest(etag="tag", time=stamp(NOON + timedelta(minutes=ahead)))
    assert paths(validate.arrive, request, NOON) == wrong


def test_times_that_are_none_are_refused() -> None:
    request = service.ArriveHandoffRequest(etag="tag")
    request.time.seconds = 10**14
    assert paths(validate.arrive, request, NOON) == ["time"]
    request.time.seconds, request.time.nanos = 0, -1
    assert paths(validate.arrive, request, NOON) == ["time"]


def test_a_failure_needs_a_reason_of_the_contract() -> None:
    assert paths(validate.fail, service.FailHandoffRequest()) == ["reason", "etag"]
    unknown = service.FailHandoffRequest(etag="tag", reason=99)  # type: ignore[arg-type]
    assert paths(validate.fail, unknown) == ["reason"]


def test_needs_are_distinct_words() -> None:
    wrong = [pb.NEED_HOUSING, pb.NEED_UNSPECIFIED, 99, pb.NEED_HOUSING]
    request = service.CompleteIntakeRequest(etag="tag", needs=wrong)  # type: ignore[arg-type]
    assert paths(validate.intake, request, NOON) == ["needs[0]", "needs[1]", "needs[2]", "needs[3]"]


def test_an_intake_may_lie_back_and_name_no_needs() -> None:
    request = service.CompleteIntakeRequest(etag="tag", intake_time=stamp(NOON - 3 * DAY))
    assert paths(validate.intake, request, NOON) == []


@pytest.mark.parametrize("size", [-1, 501])
def test_a_page_has_at_most_500_rows(size: int) -> None:
    assert paths(validate.list_handoffs, service.ListHandoffsRequest(page_size=size)) == ["pageSize"]
    assert paths(validate.list_participants, service.ListParticipantsRequest(page_size=size)) == ["pageSize"]


def test_an_unknown_state_is_refused() -> None:
    request = service.ListHandoffsRequest(state=99)  # type: ignore[arg-type]
    assert paths(validate.list_handoffs, request) == ["state"]
