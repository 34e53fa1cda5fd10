"""Weights that make the arms alike in what was known at t0, and the table that shows whether they are.

ATE weights make both arms like everybody together, ATT weights make the comparison arm like the LEAD arm.
"""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
import statsmodels.api as sm

from services.outcomes.evaluation.covariates import Covariates, Numbers
from services.outcomes.evaluation.report import Balance

Estimand = Literal["ATE", "ATT"]
ESTIMANDS: tuple[Estimand, ...] = ("ATE", "ATT")
# Somebody whose arm is as good as certain has nobody to be compared with.
_CERTAIN = 1e-4


class NotEstimableError(Exception):
    """The data leave no estimate; the text says nothing of them."""


def weights(known: Covariates, lead: Numbers) -> dict[Estimand, Numbers]:
    """Return weights of mean 1 in each arm; `lead` is 1 or 0. Raises NotEstimableError where arms do not overlap."""
    share = _propensity(known, lead)
    return {
        "ATE": _scaled(np.where(lead == 1, 1 / share, 1 / (1 - share)), lead),
        "ATT": _scaled(np.where(lead == 1, 1.0, share / (1 - share)), lead),
    }


def balance(known: Covariates, lead: Numbers, weighted: dict[Estimand, Numbers]) -> tuple[Balance, ...]:
    """Return means and standardised differences of every covariate, bare and weighted."""
    return tuple(
        _balance(name, known.values[:, at], known.yes_no[at], lead, weighted) for at, name in enumerate(known.names)
    )


def _propensity(known: Covariates, lead: Numbers) -> Numbers:
    if not known.names:
        return np.full(len(lead), lead.mean())
    centred = (known.values - known.values.mean(axis=0)) / known.values.std(axis=0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.filterwarnings("ignore", message="Perfect separation")
        warnings.filterwarnings("ignore", message="divide by zero|overflow|invalid value")
        fitted = sm.GLM(lead, sm.add_constant(centred, has_constant="add"), family=sm.families.Binomial()).fit()
    share: Numbers = np.asarray(fitted.fittedvalues)
    if not np.isfinite(share).all() or share.min() < _CERTAIN or share.max() > 1 - _CERTAIN:
        raise NotEstimableError
    return share


def _scaled(raw: Numbers, lead: Numbers) -> Numbers:
    scaled: Numbers = np.where(lead == 1, raw / raw[lead == 1].mean(), raw / raw[lead == 0].mean())
    return scaled


def _balance(name: str, column: Numbers, yes_no: bool, lead: Numbers, weighted: dict[Estimand, Numbers]) -> Balance:
    ours, theirs = column[lead == 1], column[lead == 0]
    spread = np.sqrt((ours.var() + theirs.var()) / 2)

    def difference(weight: Numbers) -> float | None:
        apart = np.average(ours, weights=weight[lead == 1]) - np.average(theirs, weights=weight[lead == 0])
        return float(apart / spread) if spread > 0 else None

    counts = (ours.sum(), len(ours) - ours.sum(), theirs.sum(), len(theirs) - theirs.sum())
    smallest = min(counts) if yes_no else min(len(ours), len(theirs))
    bare, ate, att = difference(np.ones(len(lead))), difference(weighted["ATE"]), difference(weighted["ATT"])
    return Balance(name, float(ours.mean()), float(theirs.mean()), bare, ate, att, int(smallest))
