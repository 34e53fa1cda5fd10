from __future__ import annotations

import os
import subprocess
import sys

import pytest

from services.command.bench.memory import own_pss_mb, pss_mb
from services.command.bench.rounds import interleaved
from services.command.bench.row import Benchmark, Measured, row


def test_sides_are_measured_in_turn() -> None:
    asked: list[str] = []

    def side(name: str) -> float:
        asked.append(name)
        return 1.0

    interleaved(lambda: side("A"), lambda: side("B"), 3, lambda: asked.append("."))
    assert "".join(asked) == "A.B.A.B.A.B."


def test_one_disturbed_round_does_not_move_the_figure() -> None:
    ours, baseline = iter([10.0, 0.1, 11.0]), iter([20.0, 21.0, 500.0])
    assert interleaved(lambda: next(ours), lambda: next(baseline), 3, lambda: None) == (10.0, 21.0)


def test_a_row_has_the_members_of_the_contract() -> None:
    benchmark = Benchmark("what it is", "1/s", 2, lambda _: Measured(0, 0, 0))
    found = row("decision", benchmark, Measured(ours=751.234, baseline=1000.0, peak_mb=73.94))
    assert found.to_json() == {
        "id": "decision",
        "what": "what it is",
        "ours": 751.0,
        "baseline": 1000.0,
        "unit": "1/s",
        "ratio": 0.751,
        "peak_mb": 73.9,
    }


def test_memory_of_several_processes_adds_up() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert pss_mb([os.getpid(), other.pid]) > pss_mb([other.pid]) > 0
    assert own_pss_mb() > 1
    assert pss_mb([]) == 0


def test_memory_of_a_process_that_is_gone_is_not_guessed() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as other:
        pass
    with pytest.raises(OSError, match="No such file"):
        pss_mb([other.pid])
