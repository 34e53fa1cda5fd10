"""A benchmark whose figures come from one preparation and are told in a row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.command.bench.row import Benchmark, Measured, Row, Step, row


@dataclass(frozen=True, slots=True)
class Several:
    """Something that is measured in several ways at once; `measure` returns what each figure is, and the figure."""

    unit: str
    steps: int
    measure: Callable[[Step], Mapping[str, Measured]]


def rows(name: str, benchmark: Benchmark | Several, step: Step) -> list[Row]:
    """Measure a benchmark and return its lines: all of one id, told apart by what they are."""
    if isinstance(benchmark, Benchmark):
        return [row(name, benchmark, benchmark.measure(step))]
    return [_row(name, what, benchmark.unit, found) for what, found in benchmark.measure(step).items()]


def _row(name: str, what: str, unit: str, found: Measured) -> Row:
    return row(name, Benchmark(what, unit, steps=0, measure=lambda _: found), found)
