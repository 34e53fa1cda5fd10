"""Referrals that are opened late, in parts, twice or out of order, and the reviews that follow from them."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.review.opened import Opened, begun, followed, left, merged
from tests.unit.review.builders import (
    a_charge,
    a_decision,
    a_review,
    a_screening,
    an_opened,
    charge_facts,
    some_facts,
)

NOTHING: dict[str, Any] = {"facts": None, "screening": None}


def _mint(prefix: str) -> str:
    return f"{prefix}_new"


def _parts(version: int = 1) -> list[Opened]:
    charges = [an_opened(charge_facts(each), version=version, **NOTHING) for each in ("chg_1", "chg_2")]
    return [
        an_opened(version=version, screening=None),
        an_opened(version=version, facts=None),
        *charges,
    ]


def _all(parts: list[Opened]) -> Opened:
    known: Opened | None = None
    for part in parts:
        known = merged(known, part)
    assert known is not None
    return known


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_sections_make_the_same_referral_in_whatever_order_they_are_opened(order: tuple[int, ...]) -> None:
    known = _all([_parts()[place] for place in order])
    assert known.facts == some_facts()
    assert known.screening == a_screening()
    assert {charge.id for charge in known.charges} == {"chg_1", "chg_2"}


def test_a_section_that_is_opened_twice_changes_nothing() -> None:
    once = _all(_parts())
    assert _all([*_parts(), *_parts()]) == once


def test_a_section_of_an_older_version_takes_no_place_of_a_newer_one() -> None:
    newer = an_opened(charge_facts(), version=3)
    older = an_opened(
        charge_facts("chg_9"), version=2, facts=some_facts(site_id="elsewhere"), screening=a_screening("NEEDS_INFO")
    )
    assert merged(newer, older) == newer


def test_a_section_of_an_older_version_is_taken_while_no_newer_one_is_open() -> None:
    known = _all([an_opened(charge_facts(), version=3, screening=None), an_opened(version=2, facts=None)])
    assert known.screening == a_screening()
    assert known.version == 3


def test_the_charges_of_a_newer_version_take_the_place_of_the_older_ones() -> None:
    known = _all([an_opened(charge_facts("chg_1"), charge_facts("chg_2")), *_parts(2)[:2]])
    assert [charge.id for charge in known.charges] == ["chg_1", "chg_2"]
    known = _all([known, an_opened(charge_facts("chg_2"), version=2, **NOTHING)])
    assert [charge.id for charge in known.charges] == ["chg_2"]


def test_a_withdrawal_keeps_what_is_known_and_a_later_version_revives_it() -> None:
    gone = an_opened(version=2, is_withdrawn=True, **NOTHING)
    known = _all([an_opened(charge_facts()), gone])
    assert known.is_withdrawn
    assert known.charges == (charge_facts(),)
    assert not _all([known, an_opened(charge_facts(), version=3)]).is_withdrawn


def test_a_withdrawal_that_is_opened_first_keeps_a_review_from_beginning() -> None:
    known = merged(an_opened(version=2, is_withdrawn=True, **NOTHING), an_opened(charge_facts()))
    assert known.is_withdrawn
    assert begun(known, _mint) is None


def test_a_review_begins_with_the_charges_that_were_opened() -> None:
    review = begun(an_opened(charge_facts("chg_1"), charge_facts("chg_2")), _mint)
    assert review is not None
    assert review.id == "rev_new"
    assert [charge.id for charge in review.charges] == ["chg_1", "chg_2"]


@pytest.mark.parametrize("door", ["SOCIAL_CONTACT", "COMMUNITY"])
def test_a_door_without_a_charge_clock_brings_no_review(door: str) -> None:
    facts = some_facts(door=door, due_time=None)
    assert begun(an_opened(charge_facts(), facts=facts), _mint) is None


def test_an_arrest_is_reviewed_even_where_no_clock_runs() -> None:
    assert begun(an_opened(charge_facts(), facts=some_facts(due_time=None)), _mint) is not None


@pytest.mark.parametrize("missing", [{"facts": None}, {"charges": ()}])
def test_a_review_waits_for_the_referral_and_for_a_charge(missing: dict[str, Any]) -> None:
    assert begun(an_opened(charge_facts(), **missing), _mint) is None


def test_a_newer_version_changes_undecided_charges_and_leaves_decided_ones() -> None:
    review = a_review(a_charge("chg_1"), a_charge("chg_2", "FILE"))
    sent = (charge_facts("chg_1", statute="RCW 1"), charge_facts("chg_2", statute="RCW 1"))
    after = followed(review, an_opened(*sent, version=2))
    assert [charge.facts.statute for charge in after.charges] == ["RCW 1", charge_facts().statute]
    assert (after.version, after.referral_version) == (2, 2)


def test_a_charge_that_is_no_longer_referred_goes_unless_it_was_decided() -> None:
    review = a_review(a_charge("chg_1"), a_charge("chg_2", "FILE"), a_charge("chg_3"))
    after = followed(review, an_opened(charge_facts("chg_3"), version=2))
    assert [(charge.id, charge.is_referred) for charge in after.charges] == [("chg_2", False), ("chg_3", True)]


def test_a_charge_that_was_put_off_keeps_its_count_of_decisions_over_a_withdrawal() -> None:
    deferred = a_charge("chg_1", decision=a_decision("DEFER_UNTIL", 4))
    without = followed(a_review(deferred), an_opened(charge_facts("chg_2"), version=2))
    assert [charge.id for charge in without.shown] == ["chg_2"]
    again = followed(without, an_opened(charge_facts("chg_1"), charge_facts("chg_2"), version=3))
    known = again.charge("chg_1")
    assert known is not None
    assert known.decision is not None
    assert known.decision.number == 4


def test_what_changes_nothing_keeps_the_etag() -> None:
    review = a_review()
    assert followed(review, an_opened(charge_facts())) is review


def test_an_office_that_the_referral_left_is_told_that_and_nothing_new() -> None:
    review = a_review(a_charge("chg_1"), a_charge("chg_2", "FILE"))
    after = left(review, ())
    assert [(charge.id, charge.is_referred) for charge in after.charges] == [("chg_2", False)]
    assert (after.facts, after.version) == (review.facts, 2)


def test_an_office_whose_charges_stay_sees_no_change_of_a_version_that_it_may_not_know() -> None:
    review = a_review(a_charge("chg_1"))
    assert left(review, {"chg_1"}) is review


@given(order=st.permutations([0, 1, 2, 3, 4, 5, 6, 7]))
def test_two_versions_in_parts_and_any_order_end_with_the_charges_of_the_newer(order: list[int]) -> None:
    older, newer = _parts(1), [*_parts(2)[:3], an_opened(charge_facts("chg_3"), version=2, **NOTHING)]
    parts = [*older, *newer]
    known: Opened | None = None
    for place in order:
        known = merged(known, parts[place])
    assert known is not None
    assert known.version == 2
    assert {charge.id for charge in known.charges} == {"chg_1", "chg_3"}
    assert replace(known, charges=()).facts == some_facts()
