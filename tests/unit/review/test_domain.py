"""States of a review and of its charges, and the decisions that are legal in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.review.domain import MOVES, OUTCOMES, UNDECIDED, check_etag, check_move
from services.shared.errors import Code, LeadError
from tests.support.clock import NOON
from tests.unit.review.builders import DUE, a_charge, a_decision, a_review, some_facts

FINAL = sorted(value for value, state in OUTCOMES.items() if state not in UNDECIDED)


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("DIVERT_CONFIRM", "DIVERTED"),
        ("DIVERT_REJECT", "RETURNED"),
        ("DEFER_UNTIL", "DEFERRED"),
        ("FILE", "FILED"),
        ("DECLINE_TO_FILE", "DECLINED"),
        ("COORDINATE_RELATED_CASE", "HELD"),
    ],
)
def test_a_decision_puts_its_charge_into_the_state_that_the_programme_names(value: str, state: str) -> None:
    assert a_charge(decided=value).state == state


def test_a_charge_without_a_decision_is_held() -> None:
    assert a_charge().state == "HELD"


@pytest.mark.parametrize("earlier", ["", "DEFER_UNTIL", "COORDINATE_RELATED_CASE"])
@pytest.mark.parametrize("value", sorted(OUTCOMES))
def test_every_decision_is_legal_on_a_charge_that_is_not_decided(earlier: str, value: str) -> None:
    review = a_review(a_charge(decided=earlier))
    check_move(review, review.charges[0], value)


@pytest.mark.parametrize("earlier", FINAL)
@pytest.mark.parametrize("value", sorted(OUTCOMES))
def test_a_decided_charge_is_not_decided_again(earlier: str, value: str) -> None:
    review = a_review(a_charge(decided=earlier))
    with pytest.raises(LeadError) as refused:
        check_move(review, review.charges[0], value)
    assert (refused.value.code, refused.value.reason) == (Code.FAILED_PRECONDITION, "ILLEGAL_MOVE")
    assert refused.value.text.endswith("what may be decided is: nothing.")


def test_nothing_is_decided_on_a_withdrawn_referral() -> None:
    review = a_review(is_withdrawn=True)
    with pytest.raises(LeadError, match="withdrawn"):
        check_move(review, review.charges[0], "FILE")


def test_an_unknown_decision_is_refused_by_naming_the_legal_ones() -> None:
    review = a_review()
    with pytest.raises(LeadError) as refused:
        check_move(review, review.charges[0], "BURY")
    assert all(value in refused.value.text for value in OUTCOMES)


def test_every_state_of_a_charge_says_what_may_follow() -> None:
    assert set(MOVES) == set(OUTCOMES.values())


def test_a_review_is_open_until_its_clock_ends_and_then_has_run_out() -> None:
    review = a_review()
    assert review.state(DUE - timedelta(seconds=1)) == "OPEN"
    assert review.state(DUE) == "RUN_OUT"


def test_without_a_clock_a_review_never_runs_out() -> None:
    assert a_review(facts=some_facts(due_time=None)).state(NOON + timedelta(days=4000)) == "OPEN"


def test_a_review_whose_charges_are_all_decided_does_not_run_out() -> None:
    assert a_review(a_charge(decided="FILE")).state(DUE + timedelta(days=1)) == "DECIDED"


def test_one_deferred_charge_keeps_a_review_from_being_decided() -> None:
    review = a_review(a_charge("chg_1", "FILE"), a_charge("chg_2", "DEFER_UNTIL"))
    assert review.state(NOON) == "OPEN"


def test_a_withdrawn_referral_ends_what_is_undecided_and_leaves_what_is_decided() -> None:
    assert a_review(is_withdrawn=True).state(DUE) == "WITHDRAWN"
    assert a_review(a_charge(decided="DIVERT_CONFIRM"), is_withdrawn=True).state(DUE) == "DECIDED"


def test_a_charge_that_was_put_off_and_then_taken_back_does_not_count() -> None:
    gone = a_charge("chg_2", "DEFER_UNTIL", is_referred=False)
    review = a_review(a_charge("chg_1", "FILE"), gone)
    assert review.state(NOON) == "DECIDED"
    assert review.charge("chg_2") is None


def test_a_decided_charge_stays_when_its_source_takes_it_back() -> None:
    review = a_review(a_charge(decided="FILE", is_referred=False))
    assert review.charge("chg_1") is not None


def test_a_review_of_nothing_is_withdrawn() -> None:
    assert replace(a_review(), charges=()).state(NOON) == "WITHDRAWN"


def test_an_etag_is_of_one_version_of_one_review() -> None:
    review = a_review()
    check_etag(review.etag, review)
    others = (replace(review, version=2), replace(review, id="rev_other"))
    for other in others:
        with pytest.raises(LeadError) as refused:
            check_etag(review.etag, other)
        assert refused.value.code is Code.ABORTED


@given(values=st.lists(st.sampled_from(sorted(OUTCOMES)), max_size=12))
def test_a_charge_takes_decisions_until_one_is_final_and_none_after(values: list[str]) -> None:
    charge = a_charge()
    for number, value in enumerate(values, 1):
        review = a_review(charge)
        if charge.is_decided:
            with pytest.raises(LeadError):
                check_move(review, charge, value)
            continue
        check_move(review, charge, value)
        charge = replace(charge, decision=a_decision(value, number))
    first_final = next((value for value in values if value in FINAL), None)
    assert charge.is_decided == (first_final is not None)
    if first_final is not None:
        assert charge.state == OUTCOMES[first_final]


@given(
    values=st.lists(st.sampled_from(["", *sorted(OUTCOMES)]), min_size=1, max_size=5),
    days=st.integers(-40, 40),
    withdrawn=st.booleans(),
)
def test_a_review_is_in_exactly_one_state_that_only_time_and_decisions_make(
    values: list[str], days: int, withdrawn: bool
) -> None:
    charges = [a_charge(f"chg_{place}", value) for place, value in enumerate(values)]
    review = a_review(*charges, is_withdrawn=withdrawn)
    now = DUE + timedelta(days=days)
    undecided = any(not charge.is_decided for charge in charges)
    expected = "DECIDED"
    if undecided:
        expected = "WITHDRAWN" if withdrawn else "RUN_OUT" if now >= DUE else "OPEN"
    assert review.state(now) == expected
