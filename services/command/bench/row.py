"""What a benchmark is, and what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

Step = Callable[[], None]
"""Called after each measured round, so that somebody who waits sees it go on."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of both sides in the benchmark's unit, and the most memory seen of what is ours, in MB (10^6 bytes)."""

    ours: float
    baseline: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Something that can be measured; `steps` is how often it steps forward."""

    what: str
    unit: str
    steps: int
    measure: Callable[[Step], Measured]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the answer; `ratio` is ours by baseline, in whichever direction is better."""

    id: str
    what: str
    ours: float
    baseline: float
    unit: str
    ratio: float
    peak_mb: float

    def to_json(self) -> dict[str, object]:
        """Return it as the contract names its members."""
        return asdict(self)


def row(name: str, benchmark: Benchmark, measured: Measured) -> Row:
    """Return the line of a measured benchmark, in digits that a noisy machine can stand for."""
    return Row(
        id=name,
        what=benchmark.what,
        ours=_digits(measured.ours),
        baseline=_digits(measured.baseline),
        unit=benchmark.unit,
        ratio=_digits(measured.ours / measured.baseline),
        peak_mb=round(measured.peak_mb, 1),
    )


def _digits(value: float) -> float:
    return float(f"{value:.3g}")
