"""Estimates as coarse as the counts beside them, so that neither gives an exact count away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.outcomes.evaluation.report import Estimate, Point, Rate
from services.outcomes.evaluation.suppression import LEAST, rounded

_GRID_DAYS = 30  # a curve that steps on the very day of an arrest would tell that day


def coarse_share(share: Estimate | None, people: int | None) -> Estimate | None:
    """Return a share of so many people in steps of 5 of them; None when either side of it is under 11 people."""
    if share is None or people is None:
        return None
    part = share.value * people
    if part < LEAST or people - part < LEAST:
        return None
    low, high = (None if each is None else _step(each, people) for each in (share.low, share.high))
    return Estimate(_step(share.value, people), low, high)


def coarse_curve(curve: Sequence[Point], people: int | None) -> tuple[Point, ...]:
    """Return a curve on a 30-day grid, each step 11 people or more, ending where fewer than 11 are followed."""
    if people is None:
        return ()
    kept: list[Point] = []
    gridded = _on_grid([each for each in curve if each.at_risk is not None and each.at_risk >= LEAST])
    for point in gridded:
        if (point.risk.value - (kept[-1].risk.value if kept else 0.0)) * people >= LEAST:
            kept.append(point)
    if kept:
        # What is left at the end is less than a step: it joins the step before.
        kept[-1] = gridded[-1]
    coarse = [(each.day, coarse_share(each.risk, people)) for each in kept]
    return tuple(Point(day, risk, None, None) for day, risk in coarse if risk is not None)


def coarse_rate(rate: Rate, people: int) -> Rate:
    """Return a rate from rounded counts; nothing when those who have any of it, or have none, are under 11 people."""
    having, count, years = rate.people_with or 0, rate.count or 0.0, rounded(rate.person_years or 0.0)
    if having < LEAST or people - having < LEAST or rate.per_year is None or not years:
        return Rate(None, None, None, None)
    exact = rate.person_years or 0.0
    low, high = (
        None if each is None else rounded(each * exact) / years for each in (rate.per_year.low, rate.per_year.high)
    )
    return Rate(rounded(count), years, Estimate(rounded(count) / years, low, high), None)


def _on_grid(curve: Sequence[Point]) -> list[Point]:
    """The curve at the end of every 30 days in which it rose."""
    last = {-(-each.day // _GRID_DAYS) * _GRID_DAYS: each for each in curve}
    return [replace(each, day=day) for day, each in last.items()]


def _step(share: float, people: int) -> float:
    return min(1.0, rounded(share * people) / rounded(people))
