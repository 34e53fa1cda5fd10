"""LANDMARK: who is still at risk when the intake clock has run out, and who is lost before (evaluation.md)."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from services.outcomes.evaluation.cohort import Cohort, lost
from services.outcomes.evaluation.definitions import EVENTS
from services.outcomes.evaluation.frames import TIME
from services.outcomes.evaluation.happened import events
from services.outcomes.evaluation.report import Observed


def at_risk(cohort: Cohort, rows: pl.DataFrame, observed: tuple[Observed, ...]) -> Cohort:
    """Return the people who reach the landmark, and all others by the first reason that holds."""
    people = _known(cohort.people, rows, {each.site_id: each.until for each in observed})
    marked = people.with_columns(reason=_reason())
    kept = marked.filter(pl.col("reason").is_null()).select(cohort.people.columns)
    gone = lost(marked.filter(pl.col("reason").is_not_null()), pl.col("reason"))
    return Cohort(kept, pl.concat([cohort.lost.cast(gone.schema), gone]))


def _reason() -> pl.Expr:
    origin = pl.col("origin")
    late = pl.col("intake_time").is_null() | (pl.col("intake_time") > origin)
    return (
        pl.when(pl.col("intake_clock_days").is_null()).then(pl.lit("NO_CLOCK"))
        .when(pl.col("death") <= origin).then(pl.lit("DIED"))
        .when(pl.col("arrest") <= origin).then(pl.lit("ARRESTED"))
        .when(pl.col("seen").is_null() | (pl.col("seen") < origin)).then(pl.lit("NOT_OBSERVED"))
        .when((pl.col("arm") == "LEAD") & late).then(pl.lit("NO_INTAKE"))
    )  # fmt: skip


def _known(people: pl.DataFrame, rows: pl.DataFrame, until: dict[str, datetime | None]) -> pl.DataFrame:
    start = people.select("pid", "t0", anchor="t0")
    arrests = events(rows, start.select("pid", "anchor"), EVENTS["ARR_ALL"]).join(start, on="pid")
    arrest = arrests.filter(pl.col("time") > pl.col("t0")).group_by("pid").agg(arrest=pl.col("time").min())
    death = rows.filter(pl.col("kind") == "DEATH").group_by("pid").agg(death=pl.col("time").min())
    observed = pl.col("site_id").replace_strict(until, return_dtype=TIME)
    seen = pl.when(observed.is_not_null()).then(pl.min_horizontal(observed, "left_time"))
    return people.join(arrest, on="pid", how="left").join(death, on="pid", how="left").with_columns(seen=seen)
