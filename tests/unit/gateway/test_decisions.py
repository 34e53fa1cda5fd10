"""Decisions are asked once and kept only while they hold."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.options.v1 import words_pb2

from gateway.decisions import Decisions, Held
from gateway.redact import NO_RECORD, Key, View
from services.shared.errors import Code, LeadError
from services.shared.sharing.assertion import Caller
from tests.support.clock import FakeClock
from tests.unit.gateway.exchange import ALWAYS, REFERRED, FakeConsent, run

CALLER = Caller("acc_1", "prosecutor", "prosecutor", "prosecutor", "DIVERSION_COORD", ("north",))
ONE: Key = ("sub_1", "police", "ref_1")
TWO: Key = ("sub_2", "police", "ref_2")


class Point:
    """Decisions with the consent that they are asked of."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.consent = FakeConsent(self.clock)
        self.decisions = Decisions(self.consent.decide, self.consent.state, self.clock)
        self.consent.state.on_change(
            lambda told: self.decisions.forget_all() if told.everything else self.decisions.forget(told.subject_ids)
        )

    def of(self, *keys: Key, caller: Caller = CALLER) -> dict[Key, Held]:
        return dict(run(self.decisions.of(caller, keys, "req_1")))

    def asked(self) -> int:
        """How many records consent was asked about."""
        return sum(len(one.records) for one in self.consent.asked)


@pytest.fixture
def point() -> Point:
    return Point()


def test_each_key_has_its_decision(point: Point) -> None:
    found = point.of(NO_RECORD, ONE, TWO, ONE)
    assert found.keys() == {NO_RECORD, ONE, TWO}
    assert found[ONE].view == View(ALWAYS | REFERRED, "police", "NO")
    assert found[NO_RECORD].view == View(ALWAYS, "none", "NO")
    assert len(point.consent.asked) == 1


def test_consent_is_asked_as_the_caller_is(point: Point) -> None:
    point.of(ONE)
    [request] = point.consent.asked
    assert request.asker == consent.Asker(
        account_id="acc_1",
        agency_id="prosecutor",
        role=words_pb2.ROLE_PROSECUTOR,
        purpose=words_pb2.PURPOSE_DIVERSION_COORD,
        site_ids=["north"],
    )
    assert request.request_id == "req_1"
    assert (request.records[0].subject_id, request.records[0].source_agency_id, request.records[0].record_id) == ONE


def test_a_decision_is_asked_once(point: Point) -> None:
    first = point.of(ONE)
    assert point.of(ONE) == first
    point.of(ONE, TWO)
    assert point.asked() == 2


@pytest.mark.parametrize(
    "other",
    [
        replace(CALLER, agency_id="other-prosecutor"),
        replace(CALLER, role="case_manager"),
        replace(CALLER, purpose="DIVERSION_ELIG"),
        replace(CALLER, site_ids=("south",)),
        replace(CALLER, agency_id="", role="participant", participant_id="par_1"),
    ],
    ids=["agency", "role", "purpose", "sites", "participant"],
)
def test_a_decision_serves_no_other_caller(point: Point, other: Caller) -> None:
    point.of(ONE)
    point.of(ONE, caller=other)
    assert len(point.consent.asked) == 2


def test_a_decision_serves_another_account_in_the_same_role(point: Point) -> None:
    """It is the agency that may see, in a role, for a purpose."""
    point.of(ONE)
    point.of(ONE, caller=replace(CALLER, account_id="acc_2", acr="high"))
    assert point.asked() == 1


def test_a_decision_is_kept_until_its_end_and_no_longer(point: Point) -> None:
    point.consent.seconds = 3
    point.of(ONE)
    point.clock.advance(2.9)
    point.of(ONE)
    assert point.asked() == 1
    point.clock.advance(0.2)
    point.of(ONE)
    assert point.asked() == 2


def test_no_decision_is_kept_longer_than_a_minute_whatever_consent_says(point: Point) -> None:
    point.consent.seconds = 3600
    point.of(ONE)
    for _ in range(15):
        point.clock.advance(4)
        point.consent.renew()
    point.of(ONE)
    assert point.asked() == 2


def test_a_decision_that_has_ended_already_is_not_used(point: Point) -> None:
    """Clocks of two machines differ: what consent meant to be over is over."""
    point.consent.seconds = -1
    assert point.of(ONE)[ONE].until < point.clock.monotonic()
    point.of(ONE)
    assert point.asked() == 2


def test_without_a_live_session_nothing_kept_is_used(point: Point) -> None:
    point.of(ONE)
    point.clock.advance(5)
    with pytest.raises(LeadError) as refused:
        point.of(ONE)
    assert refused.value.code is Code.UNAVAILABLE
    assert point.asked() == 1


def test_a_change_about_a_subject_drops_its_decisions_alone(point: Point) -> None:
    point.of(ONE, TWO)
    point.consent.rule = lambda _, __: 0
    point.consent.change("sub_1")
    found = point.of(ONE, TWO)
    assert (found[ONE].view.visible, found[TWO].view.visible) == (ALWAYS, ALWAYS | REFERRED)
    assert point.asked() == 3


def test_a_change_of_everything_drops_everything(point: Point) -> None:
    point.of(NO_RECORD, ONE, TWO)
    point.consent.change(everything=True)
    point.of(NO_RECORD, ONE, TWO)
    assert point.asked() == 6


def test_a_decision_that_a_change_has_overtaken_on_its_way_is_not_kept(point: Point) -> None:
    """It was made before the change and arrives after it: it must not outlive it."""

    async def overtaken() -> Held:
        asking = asyncio.create_task(point.decisions.of(CALLER, [ONE], "req_1"))
        while not point.consent.asked:  # noqa: ASYNC110 - one turn of the loop, until consent has decided
            await asyncio.sleep(0)
        point.consent.rule = lambda _, __: 0
        point.consent.change("sub_1")
        return (await asking)[ONE]

    held = run(overtaken())
    # Whoever waits for it looks once more before anything leaves.
    assert point.consent.state.changed_subjects(held.epoch, ["sub_1"])
    assert point.of(ONE)[ONE].view.visible == ALWAYS


def test_an_answer_of_another_length_is_no_answer(point: Point) -> None:
    async def short(_: consent.DecideRequest) -> consent.DecideResponse:
        return consent.DecideResponse(decisions=[consent.Decision(visible=REFERRED)])

    decisions = Decisions(short, point.consent.state, point.clock)
    with pytest.raises(LeadError) as refused:
        run(decisions.of(CALLER, [ONE, TWO], "req_1"))
    assert refused.value.code is Code.UNAVAILABLE


@pytest.mark.parametrize(
    ("part2", "word"),
    [
        (words_pb2.PART2_PROGRAM_YES, "YES"),
        (words_pb2.PART2_PROGRAM_UNKNOWN, "UNKNOWN"),
        (words_pb2.PART2_PROGRAM_UNSPECIFIED, "UNSPECIFIED"),
    ],
)
def test_what_is_not_said_to_be_no_part_2_program_counts_as_one(point: Point, part2: int, word: str) -> None:
    point.consent.part2["police"] = part2
    assert point.of(ONE)[ONE].view.part2 == word != "NO"


class DecisionsMachine(RuleBasedStateMachine):
    """Asking, changing and waiting in any order: what is handed out is never older than the last change told."""

    def __init__(self) -> None:
        super().__init__()
        self.point = Point()
        self.truth = {"sub_1": REFERRED, "sub_2": REFERRED}
        self.point.consent.rule = lambda _, one: self.truth[one.subject_id]

    @rule(keys=st.lists(st.sampled_from([ONE, TWO, NO_RECORD]), min_size=1, max_size=4))
    def ask(self, keys: list[Key]) -> None:
        if not self.point.consent.state.alive():
            return
        for key, held in self.point.of(*keys).items():
            assert held.view.visible == ALWAYS | (self.truth[key[0]] if key[0] else 0)

    @rule(subject=st.sampled_from(["sub_1", "sub_2"]), visible=st.sampled_from([0, REFERRED]))
    def change(self, subject: str, visible: int) -> None:
        self.truth[subject] = visible
        self.point.consent.change(subject)

    @rule(visible=st.sampled_from([0, REFERRED]))
    def change_everything(self, visible: int) -> None:
        self.truth = dict.fromkeys(self.truth, visible)
        self.point.consent.change(everything=True)

    @rule(seconds=st.sampled_from([0.5, 4.0, 6.0]))
    def wait(self, seconds: float) -> None:
        self.point.clock.advance(seconds)

    @rule()
    def renew(self) -> None:
        self.point.consent.renew()


TestDecisionsMachine = DecisionsMachine.TestCase
TestDecisionsMachine.settings = settings(max_examples=40, stateful_step_count=25)
