"""Every estimator finds the truth within its 95% interval about 95 times of 100; 1 - Kaplan-Meier does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import polars as pl
import pytest
from scipy.stats import binom

from services.outcomes.evaluation.incidence import incidence
from services.outcomes.evaluation.rates import rate
from services.outcomes.evaluation.read import study
from services.outcomes.evaluation.report import Estimate
from services.outcomes.evaluation.request import Inputs
from services.outcomes.evaluation.shares import wilson
from services.outcomes.evaluation.timed import Timed, timed
from tests.unit.outcomes.evaluation.builders import a_request
from tests.unit.outcomes.evaluation.simulated import cohorts, truth

COHORTS, PEOPLE, SEED = 120, 250, 20
TRUTH = truth()


def band(repetitions: int) -> tuple[int, int]:
    """Where the number of hits of a true 95% interval is in 999 of 1,000 runs."""
    return int(binom.ppf(0.0005, repetitions, 0.95)), int(binom.ppf(0.9995, repetitions, 0.95))


def hits(found: Iterator[Estimate | None], true: float) -> int:
    return sum(
        each is not None and each.low is not None and each.high is not None and each.low <= true <= each.high
        for each in found
    )


@pytest.fixture(scope="module")
def everything() -> tuple[Timed, pl.DataFrame]:
    request = a_request("ARR_ALL", as_of=datetime(2030, 1, 1, tzinfo=UTC))
    found = study(Inputs(*cohorts(COHORTS, PEOPLE, SEED)), request)
    people = timed(found.cohort.people, found.after.observed, found.scored(0.95), request.definition, months=True)
    return people, found.cohort.people.select("pid", "site_id")


def by_cohort(frame: pl.DataFrame, sites: pl.DataFrame) -> list[pl.DataFrame]:
    return frame.drop("site_id", strict=False).join(sites, on="pid").partition_by("site_id")


def risks(frame: pl.DataFrame, sites: pl.DataFrame) -> Iterator[Estimate | None]:
    return (incidence(each, seed=0).risk for each in by_cohort(frame, sites))


@pytest.mark.slow
def test_aalen_johansen_finds_the_risk_on_the_calendar(everything: tuple[Timed, pl.DataFrame]) -> None:
    low, high = band(COHORTS)
    assert low <= hits(risks(everything[0].calendar["EXACT"], everything[1]), TRUTH.by_calendar) <= high


@pytest.mark.slow
def test_aalen_johansen_finds_the_risk_at_liberty(everything: tuple[Timed, pl.DataFrame]) -> None:
    low, high = band(COHORTS)
    assert low <= hits(risks(everything[0].liberty["EXACT"], everything[1]), TRUTH.at_liberty) <= high


@pytest.mark.slow
def test_one_minus_kaplan_meier_does_not(everything: tuple[Timed, pl.DataFrame]) -> None:
    # Death as censoring: the same estimator without anybody dying is 1 - Kaplan-Meier.
    immortal = everything[0].liberty["EXACT"].with_columns(code=pl.when(pl.col("code") == 1).then(1).otherwise(0))
    found = list(risks(immortal, everything[1]))
    assert hits(iter(found), TRUTH.at_liberty) < COHORTS / 3
    # It does find what it estimates: the risk had nobody been able to die.
    low, high = band(COHORTS)
    assert low <= hits(iter(found), TRUTH.one_minus_km) <= high


@pytest.mark.slow
def test_the_event_free_share_is_that_of_people_with_complete_follow_up(everything: tuple[Timed, pl.DataFrame]) -> None:
    def shares() -> Iterator[Estimate | None]:
        for each in by_cohort(everything[0].calendar["EXACT"].filter("complete"), everything[1]):
            yield wilson(each.filter(pl.col("code") != 1).height, each.height)

    low, high = band(COHORTS)
    assert low <= hits(shares(), 1 - TRUTH.by_calendar) <= high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("counted", "true"), [("n_bookings", TRUTH.bookings_per_year), ("jail_days", TRUTH.jail_days_per_year)]
)
def test_rates_find_the_truth(everything: tuple[Timed, pl.DataFrame], counted: str, true: float) -> None:
    found: Callable[[pl.DataFrame], Estimate | None] = lambda each: rate(each, counted).per_year  # noqa: E731
    low, high = band(COHORTS)
    assert low <= hits(map(found, by_cohort(everything[0].people, everything[1])), true) <= high


@pytest.mark.slow
def test_a_large_cohort_is_on_the_truth(everything: tuple[Timed, pl.DataFrame]) -> None:
    # 30,000 people: the two truths are 0.035 apart, and 1 - Kaplan-Meier another 0.115.
    calendar, liberty = (
        incidence(frame["EXACT"], seed=0).risk for frame in (everything[0].calendar, everything[0].liberty)
    )
    assert calendar is not None
    assert calendar.value == pytest.approx(TRUTH.by_calendar, abs=0.01)
    assert liberty is not None
    assert liberty.value == pytest.approx(TRUTH.at_liberty, abs=0.01)
