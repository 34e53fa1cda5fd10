"""Decisions at the enforcement point, found in memory, against Cedar asked about every one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import cedarpy

from services.command.bench.decision_mix import Case, cases
from services.command.bench.decision_point import EnforcementPoint
from services.command.bench.memory import own_pss_mb
from services.command.bench.rounds import interleaved
from services.command.bench.row import Benchmark, Measured, Step
from services.consent.policy.compile import Policy
from services.consent.policy.engine import Engine
from services.shared.clock import SystemClock

_ROUNDS = 5
_SECONDS = 0.5


def measure(step: Step, rounds: int = _ROUNDS, seconds: float = _SECONDS) -> Measured:
    """Return decisions per second of both. Raises RuntimeError when they do not decide alike."""
    policy, mix = Policy.load(), cases()
    with asyncio.Runner() as runner:
        point = EnforcementPoint(policy, mix, SystemClock())
        runner.run(point.fill())
        memory = own_pss_mb()
        engine = Engine(cedarpy.PolicySet.from_str(policy.text), cedarpy.Schema.from_str(policy.schema_text))
        runner.run(_same(point, engine, mix))
        ours, baseline = interleaved(
            lambda: runner.run(_remembered(point, mix, seconds)), lambda: _asked(engine, mix, seconds), rounds, step
        )
    return Measured(ours, baseline, memory)


async def _same(point: EnforcementPoint, engine: Engine, mix: Sequence[Case]) -> None:
    for case in mix:
        if await point.answer(case) != _answer(engine, case):
            raise RuntimeError("the enforcement point and Cedar do not decide alike")


async def _remembered(point: EnforcementPoint, mix: Sequence[Case], seconds: float) -> float:
    await point.fill()
    done, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        for case in mix:
            await point.answer(case)
        done += len(mix)
    return done / spent


def _asked(engine: Engine, mix: Sequence[Case], seconds: float) -> float:
    done, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        for case in mix:
            _answer(engine, case)
        done += len(mix)
    return done / spent


def _answer(engine: Engine, case: Case) -> bool:
    (answer,) = engine.ask((case.question,))
    return answer.allowed


BENCHMARK = Benchmark(
    what="decisions at the enforcement point, held in memory, against Cedar asked per request (parsed once)",
    unit="1/s",
    steps=2 * _ROUNDS,
    measure=measure,
)
