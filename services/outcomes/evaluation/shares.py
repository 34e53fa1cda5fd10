"""Shares of people, with their intervals."""

from __future__ import annotations

from math import sqrt

from services.outcomes.evaluation.report import Estimate

Z = 1.959963984540054  # the 97.5% point of the normal distribution


def wilson(part: int, whole: int) -> Estimate | None:
    """Return part/whole with Wilson's 95% interval, which stays inside [0, 1]; None of nobody."""
    if whole == 0:
        return None
    share, spread = part / whole, Z * Z / whole
    middle = (share + spread / 2) / (1 + spread)
    half = Z * sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    return Estimate(share, max(0.0, middle - half), min(1.0, middle + half))
