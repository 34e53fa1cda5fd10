"""One row per person: who belongs to a population, counted from when to when (evaluation.md, "t0", "Populations").

A cohort has `pid` (row number), study_id, site_id, door, arm, `t0`, `anchor` (conduct up to here is earlier conduct),
`origin` (risk is counted from here, exclusive) and `end` (inclusive), left_time, the index keys, `crossed`, and the
covariates that were asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from services.outcomes.evaluation.populations import Population
from services.outcomes.evaluation.windows import Window

GROUP = ("door", "arm")


@dataclass(frozen=True, slots=True)
class Cohort:
    """The people, and those who belonged by t0 but are lost before the start: (door, arm, reason, people)."""

    people: pl.DataFrame
    lost: pl.DataFrame


def enrolled(people: pl.DataFrame, population: Population, window: Window, as_of: datetime) -> Cohort:
    """Return everybody's first qualifying row; for LANDMARK the origin is set, but nobody is lost yet (landmark.py)."""
    known = people.filter(pl.col("t0") <= as_of)
    first = (
        known.filter(_belongs())
        .sort("study_id", "t0", "arm", "door", "index_incident", nulls_last=True)
        .unique("study_id", keep="first", maintain_order=True)
    )
    if population == "COMPLETERS":
        first = first.filter(pl.col("arm") == "LEAD", pl.col("intake_time") <= as_of)
    first = first.with_columns(origin=_origin(population), anchor=pl.col("t0"), crossed=_crossed(known))
    inside = _inside(window)
    kept = first.filter(inside).with_columns(end=end_of(window)).with_row_index("pid")
    return Cohort(kept, lost(first.filter(~inside), pl.lit("OUTSIDE_WINDOW")))


def lost(people: pl.DataFrame, reason: pl.Expr) -> pl.DataFrame:
    """Count people by group and reason."""
    return people.group_by(*GROUP, reason.alias("reason")).agg(people=pl.len())


def end_of(window: Window) -> pl.Expr:
    """The end of each person's window, month ends clamped."""
    if window.months is not None:
        return pl.col("origin").dt.offset_by(f"{window.months}mo")
    return pl.lit(window.end, pl.Datetime("us", "UTC"))


def before(cohort: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Return the same people over the window before t0: as long, or from the calendar window's start.

    Earlier conduct is then what was earlier than that window, so that both sides of t0 are counted alike.
    """
    start = (
        pl.lit(window.start, pl.Datetime("us", "UTC"))
        if window.months is None
        else pl.col("t0").dt.offset_by(f"-{window.months}mo")
    )
    # What happens at t0 itself is the index event, not something before it.
    return cohort.with_columns(origin=start, anchor=start, end=pl.col("t0") - pl.duration(microseconds=1))


def _belongs() -> pl.Expr:
    eligible = pl.col("eligible") | pl.col("overridden")
    # Nothing is offered to a comparison group.
    return eligible & (pl.col("offered") | pl.col("approved") | (pl.col("arm") != "LEAD"))


def _origin(population: Population) -> pl.Expr:
    if population == "LANDMARK":
        # A site without a clock has no landmark; such people are lost in landmark.py and counted from t0 until then.
        return pl.col("t0") + pl.duration(days=pl.col("intake_clock_days").fill_null(0))
    return pl.col("t0")


def _inside(window: Window) -> pl.Expr:
    if window.start is None or window.end is None:
        return pl.lit(True)
    return (pl.col("t0") >= window.start) & (pl.col("origin") < window.end)


def _crossed(known: pl.DataFrame) -> pl.Expr:
    entered = known.filter(pl.col("arm") == "LEAD", _belongs()).get_column("study_id").unique()
    return (pl.col("arm") != "LEAD") & pl.col("study_id").is_in(entered.implode())
