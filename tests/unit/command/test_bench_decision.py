from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from lead.consent.v1 import consent_internal_service_pb2 as consent

from services.command.bench import decision
from services.command.bench.decision_mix import cases, visible
from services.command.bench.decision_point import EnforcementPoint
from services.consent.policy.compile import Policy
from services.shared.clock import SystemClock
from services.shared.errors import LeadError


class CountingPoint(EnforcementPoint):
    asked = 0

    async def _ask(self, request: consent.DecideRequest) -> consent.DecideResponse:
        self.asked += 1
        return await super()._ask(request)


def test_the_mix_holds_every_kind_of_caller_and_both_answers() -> None:
    policy, mix = Policy.load(), cases()
    answers = {visible(policy, case.question) >> case.category & 1 for case in mix}
    assert answers == {0, 1}
    assert len({case.caller for case in mix}) == 6
    assert len({(case.caller, case.key, case.category) for case in mix}) == len(mix)


@pytest.mark.slow
def test_both_sides_decide_alike_and_are_counted() -> None:
    found = decision.measure(lambda: None, rounds=1, seconds=0.001)
    assert found.ours > 0
    assert found.baseline > 0
    assert found.peak_mb > 0


def test_sides_that_decide_differently_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    never = [replace(case, category=0) for case in cases()[:7]]
    monkeypatch.setattr(decision, "cases", lambda: never)
    with pytest.raises(RuntimeError, match="do not decide alike"):
        decision.measure(lambda: None, rounds=1, seconds=0.001)


def test_nothing_is_decided_before_the_session_is_there() -> None:
    mix = cases()[:1]
    with pytest.raises(LeadError):
        asyncio.run(EnforcementPoint(Policy.load(), mix, SystemClock()).answer(mix[0]))


def test_a_decision_is_asked_for_once_and_then_held() -> None:
    mix = cases()[:14]
    point = CountingPoint(Policy.load(), mix, SystemClock())

    async def answered_twice() -> tuple[list[bool], list[bool]]:
        await point.fill()
        return [await point.answer(case) for case in mix], [await point.answer(case) for case in mix]

    first, second = asyncio.run(answered_twice())
    assert first == second
    assert point.asked == len({case.key for case in mix}) == 2
