"""Bookings, jail days and events per person-year (evaluation.md, "Estimates"): outcomes, never a reason to censor."""

from __future__ import annotations

from math import sqrt

import polars as pl

from services.outcomes.evaluation.followup import DAYS_PER_YEAR
from services.outcomes.evaluation.report import Estimate, Rate
from services.outcomes.evaluation.shares import Z


def rate(people: pl.DataFrame, counted: str) -> Rate:
    """Return the ratio of a column's sum to the sum of `years`.

    The interval is that of a ratio estimator over people, so it holds although one person's bookings come in runs.
    """
    y, x = pl.col(counted).cast(pl.Float64), pl.col("years")
    n, count, years, yy, xy, xx, having = people.select(
        pl.len(), y.sum(), x.sum(), (y * y).sum().alias("yy"), (x * y).sum().alias("xy"), (x * x).sum().alias("xx"),
        (y > 0).sum().alias("having"),
    ).row(0)  # fmt: skip
    if not years:
        return Rate(count, years, None, having)
    value = count / years
    if n < 2:
        return Rate(count, years, Estimate(value), having)
    half = Z * sqrt(max(0.0, yy - 2 * value * xy + value * value * xx) * n / (n - 1)) / years
    return Rate(count, years, Estimate(value, max(0.0, value - half), value + half), having)


def with_years(people: pl.DataFrame) -> pl.DataFrame:
    """Add `years`, the time followed within the window."""
    span = (pl.col("until") - pl.col("origin")).dt.total_microseconds() / 86_400e6
    return people.with_columns(years=span.clip(lower_bound=0.0) / DAYS_PER_YEAR)


def counts_within(events: pl.DataFrame, people: pl.DataFrame, flags: tuple[str, ...]) -> pl.DataFrame:
    """Add to people how many events of each flag happened after the origin while they were followed in the window."""
    spans = people.lazy().select("pid", "origin", "until")
    inside = (pl.col("time") > pl.col("origin")) & (pl.col("time") <= pl.col("until"))
    found = (
        events.lazy()
        .join(spans, on="pid")
        .filter(inside)
        .group_by("pid")
        .agg(pl.col(flag).sum().alias(f"n_{flag}") for flag in flags)
    )
    filled = [pl.col(f"n_{flag}").fill_null(0) for flag in flags]
    return people.lazy().join(found, on="pid", how="left").with_columns(filled).collect()
