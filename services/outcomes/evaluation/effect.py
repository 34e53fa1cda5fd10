"""Effects: only against a registered comparison group, door by door (evaluation.md, "Estimates").

Everybody with complete follow-up gives two outcomes, an event in the window before t0 and one after; the effect is
what the LEAD arm changed beyond what the comparison arm changed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from services.outcomes.evaluation.covariates import Numbers, covariates
from services.outcomes.evaluation.gee import Fit, fitted
from services.outcomes.evaluation.report import DoorEffect, Effect, Estimate
from services.outcomes.evaluation.request import Comparison
from services.outcomes.evaluation.shares import Z
from services.outcomes.evaluation.weighting import NotEstimableError, balance, weights
from services.outcomes.evaluation.wording import NO_COMPARISON, NOT_ESTIMABLE, TOO_FEW
from services.outcomes.evaluation.words import Bound, Door

_FEWEST = 11


def effect(people: pl.DataFrame, door: Door, comparison: Comparison | None, bounds: tuple[Bound, ...]) -> DoorEffect:
    """Return the effects among people of one door, or the sentence instead.

    `people` are those with complete follow-up, with `arm`, the covariates, and per bound booleans `before_<bound>` and
    `after_<bound>`; `log_before` and `log_after` are log exposures where these differ between people, else absent.
    """
    if comparison is None or people.filter(pl.col("arm").is_in(list(comparison.arms))).is_empty():
        return DoorEffect(door=door, sentence=NO_COMPARISON)
    compared = people.filter(pl.col("arm").is_in(["LEAD", *comparison.arms]))
    lead = (compared.get_column("arm") == "LEAD").cast(pl.Float64).to_numpy()
    if min(lead.sum(), len(lead) - lead.sum()) < _FEWEST:
        return DoorEffect(door=door, sentence=TOO_FEW, registration=comparison.registration)
    try:
        return _estimated(compared, door, comparison, bounds, lead)
    except (NotEstimableError, np.linalg.LinAlgError):
        return DoorEffect(door=door, sentence=NOT_ESTIMABLE, registration=comparison.registration)


def _estimated(
    compared: pl.DataFrame, door: Door, comparison: Comparison, bounds: tuple[Bound, ...], lead: Numbers
) -> DoorEffect:
    known = covariates(compared, comparison.covariates)
    weighted = weights(known, lead)
    effects = tuple(
        _effect(compared, lead, bound, estimand, weight)
        for bound in bounds
        if bound != "TECHNICAL"
        for estimand, weight in weighted.items()
    )
    table = balance(known, lead, weighted)
    return DoorEffect(door=door, sentence=None, effects=effects, balance=table, registration=comparison.registration)


def _effect(compared: pl.DataFrame, lead: Numbers, bound: Bound, estimand: str, weight: Numbers) -> Effect:
    before, after = (compared.get_column(f"{side}_{bound}").cast(pl.Float64).to_numpy() for side in ("before", "after"))
    x, with_lead = design(compared, lead)
    person = np.tile(np.arange(len(lead)), 2)
    found = fitted(np.concatenate([before, after]), x, person, np.tile(weight, 2))
    return Effect(
        bound=bound,
        estimand=estimand,
        odds_ratio=_odds_ratio(found),
        risk_difference=_risk_difference(found, x[len(lead) :][with_lead], weight[with_lead]),
        lead=int(lead.sum()),
        comparison=int(len(lead) - lead.sum()),
        smallest=min(_counts(before, after, lead)),
    )


def design(compared: pl.DataFrame, lead: Numbers) -> tuple[Numbers, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return rows of (1, LEAD, after, LEAD x after[, log exposure]), all of before first, and who is LEAD."""
    group, after = np.tile(lead, 2), np.repeat([0.0, 1.0], len(lead))
    columns = [np.ones(2 * len(lead)), group, after, group * after]
    if "log_before" in compared.columns:
        columns.append(np.concatenate([compared.get_column(each).to_numpy() for each in ("log_before", "log_after")]))
    return np.column_stack(columns), lead == 1


def _odds_ratio(found: Fit) -> Estimate:
    middle, half = found.beta[3], Z * np.sqrt(found.covariance[3, 3])
    return Estimate(*(float(np.exp(each)) for each in (middle, middle - half, middle + half)))


def _risk_difference(found: Fit, rows: Numbers, weight: Numbers) -> Estimate:
    """The mean difference in the LEAD arm's risk after t0, with and without the interaction; delta method."""
    without = rows.copy()
    without[:, 3] = 0.0
    here, there = _expit(rows @ found.beta), _expit(without @ found.beta)
    value = np.average(here - there, weights=weight)
    slopes = rows * (here * (1 - here))[:, None] - without * (there * (1 - there))[:, None]
    gradient = np.average(slopes, axis=0, weights=weight)
    half = Z * np.sqrt(gradient @ found.covariance @ gradient)
    return Estimate(float(value), float(value - half), float(value + half))


def _expit(log_odds: Numbers) -> Numbers:
    found: Numbers = 1 / (1 + np.exp(-log_odds))
    return found


def _counts(before: Numbers, after: Numbers, lead: Numbers) -> Iterator[int]:
    for side in (before, after):
        for arm in (0, 1):
            events = int(side[lead == arm].sum())
            yield events
            yield int((lead == arm).sum()) - events
