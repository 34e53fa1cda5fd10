"""Rounds of two sides in turn, A B A B, so that whatever else the machine does meets both alike."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from services.command.bench.row import Step

Side = Callable[[], float]


def interleaved(ours: Side, baseline: Side, rounds: int, step: Step) -> tuple[float, float]:
    """Return the medians of both sides over so many rounds each; each side returns one round's figure."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, figures in zip((ours, baseline), found, strict=True):
            figures.append(side())
            step()
    return median(found[0]), median(found[1])
