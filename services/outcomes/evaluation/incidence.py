"""Cumulative incidence with death competing: Aalen-Johansen, by lifelines (evaluation.md, "Estimates").

1 - Kaplan-Meier would treat the dead as if they could still be arrested, and overstate the risk.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl
from lifelines import AalenJohansenFitter

from services.outcomes.evaluation.followup import DEATH, EVENT
from services.outcomes.evaluation.report import Estimate, Incidence, Point
from services.outcomes.evaluation.shares import wilson

# On one day events come first, then deaths, then censoring: nobody is arrested after death. lifelines would break
# such ties by lot; a hundredth of a day apart they are none.
_ORDER = {EVENT: 0.0, DEATH: 0.01, 0: 0.02}
# Fits remembered: those of one report over a few hundred days are some ten.
_KEPT = 256


def incidence(people: pl.DataFrame, seed: int) -> Incidence:
    """Return risk and curve of people with `day` and `code`; who was never followed (day 0) is at risk of nothing."""
    counted = (
        people.lazy().filter(pl.col("day") > 0).group_by("day", "code").agg(n=pl.len()).sort("day", "code").collect()
    )
    if counted.is_empty():
        return Incidence(None, ())
    if not (counted.get_column("code") == EVENT).any():
        return Incidence(wilson(0, int(counted.get_column("n").sum())), ())
    return _fitted(tuple(counted.iter_rows()), seed)


@lru_cache(maxsize=_KEPT)
def _fitted(counted: tuple[tuple[int, int, int], ...], seed: int) -> Incidence:
    """Return the incidence of these (day, code, people); the same come again at other thresholds and definitions."""
    days, codes, weights = (np.array(column) for column in zip(*counted, strict=True))
    durations = days + np.array([_ORDER[code] for code in codes.tolist()])
    fitter = AalenJohansenFitter(seed=seed)
    # At risk 0 or 1 the variance divides by nothing; such intervals are left out below.
    with np.errstate(divide="ignore", invalid="ignore"):
        fitter.fit(durations, codes, event_of_interest=EVENT, weights=weights)
    curve = _curve(fitter)
    return Incidence(curve[-1].risk, curve)


def _curve(fitter: AalenJohansenFitter) -> tuple[Point, ...]:
    table, risks = fitter.event_table, fitter.cumulative_density_.iloc[:, 0]
    bounds = fitter.confidence_interval_
    happened = table[fitter.label_cmprisk].to_numpy()
    total = np.cumsum(happened)
    return tuple(
        Point(int(day), _estimate(risk, low, high), int(at_risk), int(events))
        for day, risk, (low, high), at_risk, events, now in zip(
            table.index, risks, np.sort(bounds.to_numpy(), axis=1), table["at_risk"], total, happened, strict=True
        )
        if now
    )


def _estimate(value: float, low: float, high: float) -> Estimate:
    whole = np.isfinite(low) and np.isfinite(high)
    return Estimate(float(value), float(low), float(high)) if whole else Estimate(float(value))
