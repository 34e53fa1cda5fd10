from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.referral import moves
from services.referral.domain import MOVES, Offer, Referral, after, check_etag
from services.shared.errors import Code, LeadError
from services.shared.sites import Approvals
from tests.unit.referral.builders import NOW, SANTA_FE, SEATTLE, Mint, a_draft, a_referral

STATES = ("SUBMITTED", "NEEDS_INFO", "APPROVED", "DECLINED", "WITHDRAWN")
ACCEPTED = Offer(
    outcome="ACCEPTED",
    verbal_consent=True,
    told_voluntary=True,
    call_time=NOW,
    meet_at="corner of Sample Street",
    dispatch_agency_id="sample-outreach",
)


def refused(work: Any) -> LeadError:
    with pytest.raises(LeadError) as error:
        work()
    assert error.value.code is Code.FAILED_PRECONDITION
    return error.value


def hof() -> str:
    return "hof_1"


@given(st.sampled_from(STATES), st.sampled_from(sorted(MOVES)))
def test_a_move_is_legal_exactly_where_the_table_says_so(state: str, move: str) -> None:
    if state in MOVES[move]:
        assert after(state, move) in STATES
        return
    error = refused(lambda: after(state, move))
    named = error.text.partition("follow is: ")[2].rstrip(".").split(", ")
    assert named == [each for each in MOVES if state in MOVES[each]]


def test_one_of_the_named_roles_approves_where_the_site_asks_for_any() -> None:
    approved = moves.approved(a_referral(), SEATTLE, "sample-office", "program_manager", NOW)
    assert (approved.state, approved.version) == ("APPROVED", 2)
    assert approved.approvals[0].role == "program_manager"


def test_all_of_the_named_roles_approve_where_the_site_asks_for_all() -> None:
    both = replace(SEATTLE, approvals=Approvals(all_of=("prosecutor", "program_manager")))
    once = moves.approved(a_referral(), both, "sample-office", "program_manager", NOW)
    assert once.state == "SUBMITTED"
    assert refused(lambda: moves.approved(once, both, "x", "program_manager", NOW)).reason == "ALREADY_APPROVED"
    twice = moves.approved(once, both, "sample-city-attorney", "prosecutor", NOW)
    assert twice.state == "APPROVED"


@pytest.mark.parametrize("role", ["police_officer", "prosecutor"])
def test_a_role_that_the_site_does_not_name_decides_nothing(role: str) -> None:
    referral = a_referral()
    assert refused(lambda: moves.approved(referral, SEATTLE, "x", role, NOW)).reason == "NOT_AN_APPROVER"
    assert refused(lambda: moves.declined(referral, SEATTLE, role, "full")).reason == "NOT_AN_APPROVER"


def test_a_decline_keeps_its_reason() -> None:
    declined = moves.declined(a_referral(), SEATTLE, "police_liaison", "no capacity")
    assert (declined.state, declined.decline_reason) == ("DECLINED", "no capacity")


def test_a_second_withdrawal_changes_nothing() -> None:
    withdrawn = moves.withdrawn(a_referral(), NOW)
    assert withdrawn.state == "WITHDRAWN"
    assert moves.withdrawn(withdrawn, NOW) is withdrawn


def test_only_the_source_withdraws() -> None:
    moves.check_source(a_referral(), "sample-police")
    assert refused(lambda: moves.check_source(a_referral(), "sample-office")).reason == "NOT_THE_SOURCE"


def test_an_accepted_offer_opens_a_hand_off_of_72_hours_after_an_arrest() -> None:
    offered = moves.offered(a_referral(), ACCEPTED, SEATTLE, NOW, hof)
    assert offered.handoff is not None
    assert (offered.handoff.id, offered.handoff.agency_id) == ("hof_1", "sample-outreach")
    assert offered.handoff.window_end == NOW + timedelta(hours=72)


def test_without_an_arrest_the_window_is_the_sites_outreach_limit() -> None:
    social = a_referral(a_draft(SEATTLE, "SOCIAL_CONTACT"))
    offered = moves.offered(social, ACCEPTED, SEATTLE, NOW, hof)
    assert offered.handoff is not None
    assert offered.handoff.window_end == NOW + timedelta(days=90)


def test_a_second_accepted_offer_is_refused_while_the_window_is_open() -> None:
    offered = moves.offered(a_referral(), ACCEPTED, SEATTLE, NOW, hof)
    later = NOW + timedelta(hours=71)
    assert refused(lambda: moves.offered(offered, ACCEPTED, SEATTLE, later, hof)).reason == "HANDOFF_OPEN"
    again = moves.offered(offered, ACCEPTED, SEATTLE, NOW + timedelta(hours=72), lambda: "hof_2")
    assert again.handoff is not None
    assert again.handoff.id == "hof_2"


@pytest.mark.parametrize("outcome", ["DECLINED", "NOT_MADE"])
def test_a_decline_closes_the_window_at_once(outcome: str) -> None:
    offered = moves.offered(a_referral(), ACCEPTED, SEATTLE, NOW, hof)
    later = NOW + timedelta(minutes=10)
    declined = moves.offered(offered, Offer(outcome=outcome, call_time=later), SEATTLE, later, hof)
    assert declined.handoff is not None
    assert (declined.handoff.id, declined.handoff.window_end) == ("hof_1", later)
    assert not declined.handoff.is_open(later)


def test_a_withdrawal_closes_the_window_too() -> None:
    offered = moves.offered(a_referral(), ACCEPTED, SEATTLE, NOW, hof)
    withdrawn = moves.withdrawn(offered, NOW + timedelta(minutes=1))
    assert withdrawn.handoff is not None
    assert withdrawn.handoff.window_end == NOW + timedelta(minutes=1)


def test_a_hand_over_is_measured_from_the_call_against_the_sites_target() -> None:
    offered = moves.offered(a_referral(), ACCEPTED, SEATTLE, NOW, hof)
    handed = moves.handed_over(offered, NOW + timedelta(minutes=32, seconds=40), 30)
    assert handed.handover is not None
    assert (handed.handover.minutes, handed.handover.target_minutes) == (32, 30)


def test_a_hand_over_needs_an_accepted_offer_and_comes_after_the_call() -> None:
    assert refused(lambda: moves.handed_over(a_referral(), NOW, 30)).reason == "NO_ACCEPTED_OFFER"
    offered = moves.offered(a_referral(), ACCEPTED, SEATTLE, NOW, hof)
    early = NOW - timedelta(minutes=1)
    assert refused(lambda: moves.handed_over(offered, early, 30)).reason == "BEFORE_THE_CALL"


def test_the_programme_office_records_no_offer_after_an_arrest() -> None:
    arrest, social = a_referral(), a_referral(a_draft(SEATTLE, "SOCIAL_CONTACT"))
    assert refused(lambda: moves.check_scene(arrest, "program_manager")).reason == "NOT_AT_THE_SCENE"
    moves.check_scene(social, "program_manager")
    moves.check_scene(arrest, "police_officer")


def test_a_stale_etag_is_told_apart() -> None:
    referral = a_referral()
    check_etag(referral.etag, referral.etag)
    newer = moves.declined(referral, SEATTLE, "police_liaison", "no capacity")
    assert newer.etag != referral.etag
    with pytest.raises(LeadError) as error:
        check_etag(referral.etag, newer.etag)
    assert error.value.code is Code.ABORTED


class IllegalMove(Exception):  # noqa: N818 - what happened, no error of the test
    pass


def _only_illegal(work: Any) -> Referral:
    try:
        moved: Referral = work()
        return moved
    except LeadError as error:
        if error.code is Code.FAILED_PRECONDITION:
            raise IllegalMove from None
        raise


class _Life(RuleBasedStateMachine):
    """Any moves in any order: the version rises with each change, and nothing but a source revives."""

    def __init__(self) -> None:
        super().__init__()
        self.referral, self.now, self.mint = a_referral(), NOW, Mint()
        self.seen = [self.referral]

    def _try(self, work: Any) -> None:
        before = self.referral
        # Any other refusal than an illegal move breaks the machine, as any other exception does.
        with suppress(IllegalMove):
            self.referral = _only_illegal(work)
        if self.referral is not before:
            assert self.referral.version == before.version + 1
            self.seen.append(self.referral)

    @rule(
        role=st.sampled_from(["police_liaison", "program_manager", "prosecutor"]),
        site=st.sampled_from([SEATTLE, SANTA_FE]),
    )
    def approve(self, role: str, site: Any) -> None:
        self._try(lambda: moves.approved(self.referral, site, "x", role, self.now))

    @rule()
    def decline(self) -> None:
        self._try(lambda: moves.declined(self.referral, SEATTLE, "police_liaison", "full"))

    @rule()
    def withdraw(self) -> None:
        self._try(lambda: moves.withdrawn(self.referral, self.now))

    @rule(outcome=st.sampled_from(["ACCEPTED", "DECLINED", "NOT_MADE"]))
    def offer(self, outcome: str) -> None:
        offer = replace(ACCEPTED, outcome=outcome, call_time=self.now)
        self._try(lambda: moves.offered(self.referral, offer, SEATTLE, self.now, lambda: self.mint("hof")))

    @rule()
    def hand_over(self) -> None:
        self._try(lambda: moves.handed_over(self.referral, self.now, 30))

    @rule(hours=st.integers(1, 80))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @invariant()
    def ends_are_ends(self) -> None:
        states = [each.state for each in self.seen]
        for before, later in pairwise(states):
            assert before != "WITHDRAWN" or later == "WITHDRAWN"
            assert before != "DECLINED" or later in ("DECLINED", "WITHDRAWN")

    @invariant()
    def at_most_one_window_is_open(self) -> None:
        windows: dict[str, Referral] = {each.handoff.id: each for each in self.seen if each.handoff is not None}
        open_now = [each for each in windows.values() if each.handoff is not None and each.handoff.is_open(self.now)]
        assert len(open_now) <= 1


TestLife = _Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=20)
