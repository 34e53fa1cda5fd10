"""Moves of hand-offs and participants, and the window of matrix row 9."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.casework import domain
from services.casework.domain import Handoff
from services.shared.errors import Code, LeadError
from tests.support.clock import NOON
from tests.unit.casework.builders import PARTICIPANT, a_completion, a_handoff, a_participant

HOUR = timedelta(hours=1)
MOVES: dict[str, Callable[[Handoff], Handoff]] = {
    "accept": lambda one: domain.accepted(one, NOON),
    "arrive": lambda one: domain.arrived(one, NOON),
    "complete": lambda one: domain.completed(one, NOON),
    "fail": lambda one: domain.failed(one, "NO_ANSWER", NOON),
}
STATES = ("REQUESTED", "ACCEPTED", "ARRIVED", "DONE", "FAILED")


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=8))
def test_any_row_of_moves_follows_the_state_table(names: list[str]) -> None:
    handoff = a_handoff()
    for name in names:
        legal = domain.HANDOFF_MOVES[name].get(handoff.state)
        if legal is None:
            with pytest.raises(LeadError) as refused:
                MOVES[name](handoff)
            assert (refused.value.code, refused.value.reason) == (Code.FAILED_PRECONDITION, "ILLEGAL_MOVE")
        else:
            after = MOVES[name](handoff)
            assert (after.state, after.version) == (legal, handoff.version + 1)
            assert after.etag != handoff.etag
            handoff = after


@pytest.mark.parametrize(
    ("state", "legal"),
    [
        ("REQUESTED", "accept, fail."),
        ("ACCEPTED", "arrive, fail."),
        ("ARRIVED", "complete, fail."),
        ("DONE", "nothing."),
        ("FAILED", "nothing."),
    ],
)
def test_a_refused_move_names_the_legal_ones(state: str, legal: str) -> None:
    illegal = next(name for name, states in domain.HANDOFF_MOVES.items() if state not in states)
    with pytest.raises(LeadError) as refused:
        MOVES[illegal](a_handoff(state=state))
    assert refused.value.text.endswith(legal)


def test_minutes_are_whole_ones_from_the_call() -> None:
    called = NOON - timedelta(minutes=29, seconds=59)
    assert domain.arrived(a_handoff(state="ACCEPTED", called_at=called), NOON).minutes == 29


def test_minutes_are_unknown_before_the_arrival_and_without_a_call() -> None:
    assert a_handoff().minutes is None
    assert domain.arrived(a_handoff(state="ACCEPTED", called_at=None), NOON).minutes is None


def test_an_arrival_long_before_the_call_is_refused() -> None:
    late_call = a_handoff(state="ACCEPTED", called_at=NOON + timedelta(minutes=6))
    with pytest.raises(LeadError) as refused:
        domain.arrived(late_call, NOON)
    assert refused.value.reason == "BEFORE_THE_CALL"


def test_a_call_ahead_by_the_officers_clock_counts_as_no_minutes() -> None:
    assert domain.arrived(a_handoff(state="ACCEPTED", called_at=NOON + timedelta(minutes=4)), NOON).minutes == 0


def test_the_view_ends_with_the_window_while_the_handoff_is_open() -> None:
    assert a_handoff().closes_at == NOON + 72 * HOUR


@pytest.mark.parametrize(("ended", "closes"), [(NOON, NOON + 24 * HOUR), (NOON + 60 * HOUR, NOON + 72 * HOUR)])
def test_the_view_ends_24_hours_after_the_end_but_never_after_the_window(ended, closes) -> None:  # type: ignore[no-untyped-def]
    assert domain.completed(a_handoff(state="ARRIVED"), ended).closes_at == closes
    assert domain.failed(a_handoff(), "PERSON_LEFT", ended).closes_at == closes


def test_a_decline_ends_the_view_at_once() -> None:
    assert domain.failed(a_handoff(), "PERSON_DECLINED", NOON).closes_at == NOON


def test_a_participant_joins_with_the_referrals_clock() -> None:
    handoff = domain.completed(a_handoff(state="ARRIVED"), NOON)
    joined = domain.joins(handoff, a_completion(safety_flag=True), PARTICIPANT, "acc-1", NOON)
    assert (joined.state, joined.intake_due_at) == ("INTAKE_PENDING", handoff.intake_due_at)
    assert joined.safety_flag
    assert joined.case_manager == "acc-1"


def test_nobody_joins_without_a_name() -> None:
    with pytest.raises(LeadError) as refused:
        domain.joins(a_handoff(), a_completion(person=None), PARTICIPANT, "acc-1", NOON)
    assert [each.path for each in refused.value.violations] == ["person"]


def test_what_is_not_said_stays_and_a_safety_flag_is_never_lowered() -> None:
    known = a_participant(safety_flag=True)
    again = domain.joins_again(known, a_handoff(), a_completion(person=None, contact=None))
    assert (again.person, again.contact, again.safety_flag) == (known.person, known.contact, True)
    assert again.version == known.version + 1


def test_the_earlier_intake_clock_runs_on() -> None:
    later = a_handoff(intake_due_at=NOON + timedelta(days=60))
    assert domain.joins_again(a_participant(), later, a_completion()).intake_due_at == NOON + timedelta(days=30)
    assert domain.joins_again(a_participant(intake_due_at=None), later, a_completion()).intake_due_at == (
        NOON + timedelta(days=60)
    )


def test_an_intake_confirms_two_facts_and_nothing_else_changes_but_needs() -> None:
    before = a_participant()
    after = domain.taken_in(before, NOON, ("HOUSING", "FOOD_CLOTHING"))
    assert (after.state, after.intake_confirmed_at, after.working_as_of) == ("ACTIVE", NOON, NOON)
    assert after.needs == ("HOUSING", "FOOD_CLOTHING")
    assert (after.person, after.contact) == (before.person, before.contact)


def test_a_second_intake_is_an_illegal_move() -> None:
    with pytest.raises(LeadError) as refused:
        domain.taken_in(domain.taken_in(a_participant(), NOON, ()), NOON, ())
    assert refused.value.reason == "ILLEGAL_MOVE"


def test_an_intake_long_before_the_handoff_is_refused() -> None:
    assert domain.taken_in(a_participant(), NOON - 24 * HOUR, ()).state == "ACTIVE"
    with pytest.raises(LeadError) as refused:
        domain.taken_in(a_participant(), NOON - 25 * HOUR, ())
    assert [each.path for each in refused.value.violations] == ["intakeTime"]


def test_a_stale_etag_is_aborted() -> None:
    domain.check_etag(a_handoff().etag, a_handoff().etag)
    with pytest.raises(LeadError) as refused:
        domain.check_etag(a_handoff().etag, a_handoff(version=2).etag)
    assert refused.value.code is Code.ABORTED
