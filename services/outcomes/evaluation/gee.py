"""Logistic GEE with people as clusters and independence as working correlation.

With it the estimating equations are those of a weighted logistic regression, and the covariance is the sandwich over
people. statsmodels' GEE goes through people one at a time, minutes for a million, so above `_ONE_BY_ONE` the same
equations are solved by its GLM and the sandwich is summed at once; a test holds both ways to the same numbers.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import statsmodels.api as sm

from services.outcomes.evaluation.covariates import Numbers
from services.outcomes.evaluation.weighting import NotEstimableError

_ONE_BY_ONE = 20_000
_SEPARATED = 15.0  # a log odds that only perfect separation gives


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients and their covariance."""

    beta: Numbers
    covariance: Numbers


def fitted(y: Numbers, x: Numbers, person: npt.NDArray[np.int64], weight: Numbers) -> Fit:
    """Return the fit. Raises NotEstimableError when there is none."""
    one_by_one = len(np.unique(person)) <= _ONE_BY_ONE
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.filterwarnings(
            "ignore", message="Perfect separation|Singular matrix|Iteration limit|Unable to estimate"
        )
        found = by_gee(y, x, person, weight) if one_by_one else by_sandwich(y, x, person, weight)
    sound = np.isfinite(found.beta).all() and np.isfinite(found.covariance).all()
    if not sound or np.abs(found.beta[1:]).max() > _SEPARATED:
        raise NotEstimableError
    return found


def by_gee(y: Numbers, x: Numbers, person: npt.NDArray[np.int64], weight: Numbers) -> Fit:
    """Fit by statsmodels' GEE."""
    model = sm.GEE(
        y, x, groups=person, weights=weight, family=sm.families.Binomial(), cov_struct=sm.cov_struct.Independence()
    )
    found = model.fit()
    return Fit(np.asarray(found.params), np.asarray(found.cov_params()))


def by_sandwich(y: Numbers, x: Numbers, person: npt.NDArray[np.int64], weight: Numbers) -> Fit:
    """Solve the same equations by statsmodels' GLM over rows that are alike, and sum the sandwich over people."""
    alike = _alike(y, x, weight)
    solved = sm.GLM(alike[:, 0], alike[:, 1:-1], family=sm.families.Binomial(), var_weights=alike[:, -1]).fit()
    beta = np.asarray(solved.params)
    mean = 1 / (1 + np.exp(-(x @ beta)))
    bread = np.linalg.inv((x * (weight * mean * (1 - mean))[:, None]).T @ x)
    _, number = np.unique(person, return_inverse=True)
    rest = weight * (y - mean)
    summed = np.column_stack([np.bincount(number, weights=column * rest) for column in x.T])
    return Fit(beta, bread @ (summed.T @ summed) @ bread)


def _alike(y: Numbers, x: Numbers, weight: Numbers) -> Numbers:
    """Return rows (y, x, sum of weights): without exposure times there are eight of them, however many people."""
    keys = pl.DataFrame(np.column_stack([y, x]), orient="row")
    summed = keys.with_columns(weight=pl.Series(weight)).group_by(keys.columns, maintain_order=True)
    return summed.agg(pl.col("weight").sum()).to_numpy()
