"""Counts a funnel from referrals.

referrals: one row each. `eligible` includes overridden; `called_at` is the officer's call and `handed_off_at` the
arrival that answered it; the intake clock counts calendar days from `referred_at` (contract.md, "Rules").
`decline_reason` counts where `declined` is true.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from services.outcomes.evaluation.frames import DOOR, TIME, Schema, laid_out, needed, read
from services.outcomes.evaluation.funnel_report import STEPS, Declined, Funnel, Steps
from services.outcomes.evaluation.wording import UNSUPPRESSED

REFERRALS: Schema = {
    "door": (DOOR, True),
    "referred_at": (TIME, True),
    "eligible": (pl.Boolean, True),
    "offered": (pl.Boolean, True),
    "approved": (pl.Boolean, True),
    "called_at": (TIME, False),
    "handed_off_at": (TIME, False),
    "intake_time": (TIME, False),
    "intake_clock_days": (pl.Int64, False),
    "declined": (pl.Boolean, False),
    "decline_reason": (pl.String, False),
}
_MINUTES = 30


def counted(referrals: pl.DataFrame | pl.LazyFrame, time_zone: str) -> Funnel:
    """Return the funnel, unsuppressed. Raises InputError for a frame that is not as above."""
    found = read("referrals", laid_out("referrals", referrals, REFERRALS), needed(REFERRALS)).with_columns(**_steps())
    month = pl.col("referred_at").dt.convert_time_zone(time_zone).dt.strftime("%Y-%m").alias("month")
    counts = [pl.len().alias("referred"), *(pl.col(step).sum() for step in STEPS)]
    whole = found.group_by("door").agg(counts).with_columns(month=pl.lit(None, pl.String))
    monthly = found.group_by("door", month).agg(counts)
    rows = pl.concat([whole, monthly.select(whole.columns)]).sort("door", "month", nulls_last=False)
    return Funnel(tuple(_told(row) for row in rows.iter_rows(named=True)), _declined(found), UNSUPPRESSED)


def _steps() -> dict[str, pl.Expr]:
    minutes = (pl.col("handed_off_at") - pl.col("called_at")).dt.total_seconds() / 60
    due = pl.col("referred_at") + pl.duration(days=pl.col("intake_clock_days"))
    return {
        "handed_off": pl.col("handed_off_at").is_not_null(),
        "timed": minutes.is_not_null(),
        "within_30_minutes": (minutes <= _MINUTES).fill_null(False),
        "intake": pl.col("intake_time").is_not_null(),
        "intake_in_clock": (pl.col("intake_time") <= due).fill_null(False),
    }


def _told(row: dict[str, Any]) -> Steps:
    return Steps(**row)


def _declined(found: pl.DataFrame) -> tuple[Declined, ...]:
    reason = pl.col("decline_reason").fill_null("UNKNOWN").alias("reason")
    counts = found.filter("declined").group_by("door", reason).agg(count=pl.len()).sort("door", "reason")
    return tuple(Declined(*row) for row in counts.select("door", "reason", "count").iter_rows())
