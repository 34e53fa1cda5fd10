"""The two sides of a service referral: each by its own table, and the asking one by nothing of the other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.provider.domain import answer as answers
from services.provider.domain import request as requests
from services.provider.domain.answer import ANSWER_MOVES, Answer
from services.provider.domain.request import OVER, REQUEST_MOVES, Request
from services.shared.errors import Code, LeadError
from tests.support.clock import NOON
from tests.unit.provider.builders import ENROLMENT, a_request, an_answer, an_enrolment

ASKING = ("accept", "decline", "cancel")
ANSWERING = ("offer", "accept", "waitlist", "decline")
ANSWER_STATES = (
    *("RECEIVED", "OFFERED", "ACCEPTED", "DECLINED", "WAITLISTED", "ENROLLED", "COMPLETED", "DISCONTINUED"),
    "TRANSFERRED",
)


@given(st.lists(st.sampled_from(ASKING), max_size=6))
def test_any_row_of_the_asking_agencys_moves_follows_its_table(names: list[str]) -> None:
    request = a_request()
    for name in names:
        legal = REQUEST_MOVES[name].get(request.state)
        if legal is None:
            with pytest.raises(LeadError) as refused:
                requests.moved(request, name, NOON)
            assert (refused.value.code, refused.value.reason) == (Code.FAILED_PRECONDITION, "ILLEGAL_MOVE")
        else:
            after = requests.moved(request, name, NOON)
            assert (after.state, after.version) == (legal, request.version + 1)
            assert after.etag != request.etag
            request = after


@given(st.lists(st.tuples(st.booleans(), st.sampled_from((*ASKING, *ANSWERING))), max_size=10))
def test_no_move_of_the_asking_side_depends_on_the_providers_state(moves: list[tuple[bool, str]]) -> None:
    """The asking agency's side comes out the same whether the provider moves in between or keeps silent."""
    request, answer, alone = a_request(), an_answer(), a_request()
    for asks, name in moves:
        if asks and name in REQUEST_MOVES:
            request, told = _asked(request, name)
            alone, silent = _asked(alone, name)
            assert told == silent
        elif not asks and name in ANSWER_MOVES:
            answer = _answered(answer, request, name)
    assert request == alone


@given(
    st.sampled_from(ANSWER_STATES),
    st.sampled_from(("REQUESTED", "ACCEPTED", *sorted(OVER))),
    st.sampled_from(ANSWERING),
)
def test_an_answer_follows_its_table_and_only_no_after_the_end(state: str, asked: str, move: str) -> None:
    answer, request = an_answer(state=state), a_request(state=asked)
    is_legal = state in ANSWER_MOVES[move] and (asked not in OVER or move == "decline")
    if is_legal:
        after = answers.moved(answer, request, move, NOON)
        assert (after.state, after.version) == (ANSWER_MOVES[move][state], answer.version + 1)
    else:
        with pytest.raises(LeadError) as refused:
            answers.moved(answer, request, move, NOON)
        assert refused.value.reason == "ILLEGAL_MOVE"


@pytest.mark.parametrize(
    ("state", "legal"),
    [
        ("RECEIVED", "offer, accept, waitlist, decline."),
        ("WAITLISTED", "offer, accept, decline."),
        ("OFFERED", "accept, waitlist, decline."),
        ("ENROLLED", "nothing."),
    ],
)
def test_a_refused_move_of_a_provider_names_the_legal_ones(state: str, legal: str) -> None:
    illegal = next((name for name in ANSWERING if state not in ANSWER_MOVES[name]), None)
    if illegal is None:
        assert legal.startswith("offer, accept, waitlist, decline")
        return
    with pytest.raises(LeadError) as refused:
        answers.moved(an_answer(state=state), a_request(), illegal, NOON)
    assert refused.value.text.endswith(legal)


def test_a_question_that_is_over_names_no_as_the_only_answer_left() -> None:
    for state, left in (("RECEIVED", "decline."), ("ENROLLED", "nothing.")):
        with pytest.raises(LeadError) as refused:
            answers.moved(an_answer(state=state), a_request(state="CANCELLED"), "offer", NOON)
        assert refused.value.text.endswith(left)


def test_what_was_said_with_an_earlier_move_goes_with_it() -> None:
    offered = answers.moved(an_answer(), a_request(), "offer", NOON, hold_until=NOON + timedelta(days=7))
    declined = answers.moved(offered, a_request(), "decline", NOON, reason="NO_CAPACITY")
    assert (declined.hold_until, declined.decline_reason) == (None, "NO_CAPACITY")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("ENROLLED", "ENROLLED"),
        ("ACTIVE", "ENROLLED"),
        ("COMPLETED", "COMPLETED"),
        ("DISCONTINUED", "DISCONTINUED"),
        ("TRANSFERRED", "TRANSFERRED"),
    ],
)
def test_an_answer_follows_its_enrolment(status: str, state: str) -> None:
    after = answers.following(an_answer(), an_enrolment(status=status), NOON)
    assert (after.state, after.enrollment_id) == (state, ENROLMENT)
    assert answers.following(after, an_enrolment(status=status), NOON) is after


def test_the_two_sides_have_etags_of_their_own() -> None:
    assert a_request().etag != an_answer().etag


@given(st.lists(st.tuples(st.sampled_from(ANSWERING), st.integers(0, 10_000)), max_size=8))
def test_spells_have_no_gap_and_end_where_the_answer_stands(moves: list[tuple[str, int]]) -> None:
    answer, now = an_answer(), NOON
    for name, seconds in moves:
        now += timedelta(seconds=seconds)
        answer = _answered(answer, a_request(), name, now)
    spells = answer.spells
    assert spells[-1].state == answer.state
    assert spells[-1].until is None
    assert [each.until for each in spells[:-1]] == [each.since for each in spells[1:]]
    assert all(each.seconds is not None and each.seconds >= 0 for each in spells[:-1])


def _asked(request: Request, name: str) -> tuple[Request, str]:
    try:
        return requests.moved(request, name, NOON), "moved"
    except LeadError as error:
        return request, str(error.args)


def _answered(answer: Answer, request: Request, name: str, now=NOON) -> Answer:  # type: ignore[no-untyped-def]
    try:
        return answers.moved(answer, request, name, now)
    except LeadError:
        return answer
