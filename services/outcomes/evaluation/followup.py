"""How each person's time ended: with an event, with death, or censored; on the calendar and at liberty.

Time runs in whole days from the origin: day 1 is the first 24 hours. On either clock a code says how it ended: 0
censored, 1 the event, 2 death. Who is still free of events at the window's end is given the longest window of all,
for months differ in length and nobody may leave the risk set for that alone.
"""

from __future__ import annotations

import polars as pl

from services.outcomes.evaluation import spells
from services.outcomes.evaluation.frames import TIME
from services.outcomes.evaluation.report import Observed
from services.outcomes.evaluation.words import Bound

EVENT, DEATH = 1, 2
DAYS_PER_YEAR = 365.25


def followed(cohort: pl.DataFrame, observed: tuple[Observed, ...], rows: pl.DataFrame) -> pl.DataFrame:
    """Add to the cohort `death`, `stop` (nothing is seen after it), `until` (at most the window's end), `complete`."""
    sites = pl.DataFrame(
        [(each.site_id, each.until) for each in observed],
        schema={"site_id": pl.String, "observed_until": TIME},
        orient="row",
    )
    deaths = rows.lazy().filter(pl.col("kind") == "DEATH").group_by("pid").agg(death=pl.col("time").min())
    # Without any feed nothing is observed at all.
    seen = pl.min_horizontal(pl.col("observed_until").fill_null(pl.col("origin")), "left_time")
    joined = cohort.lazy().join(sites.lazy(), on="site_id", how="left").join(deaths, on="pid", how="left")
    return (
        joined.with_columns(seen=seen)
        .with_columns(
            death=pl.when(pl.col("death") <= pl.col("seen")).then("death"),
            stop=pl.max_horizontal("origin", pl.min_horizontal("seen", "death")),
            complete=pl.col("seen") >= pl.col("end"),
        )
        .with_columns(until=pl.min_horizontal("stop", "end"))
        .collect()
    )


def ended(people: pl.DataFrame, first: pl.DataFrame, bound: Bound) -> pl.DataFrame:
    """Return (pid, event): the first event under this bound while the person was followed, window or not."""
    event = first.lazy().select("pid", event=bound)
    joined = people.lazy().join(event, on="pid", how="left")
    return joined.with_columns(event=pl.when(pl.col("event") <= pl.col("stop")).then("event")).collect()


def by_calendar(people: pl.DataFrame, months: bool) -> pl.DataFrame:
    """Add `code` and `day` on the calendar clock to people with an `event`."""
    code = (
        pl.when(pl.col("event") <= pl.col("end")).then(EVENT)
        .when(pl.col("death") <= pl.col("end")).then(DEATH)
        .otherwise(0)
    )  # fmt: skip
    at = pl.when(code == EVENT).then("event").otherwise("until")
    return _dayed(people, code, (at - pl.col("origin")).dt.total_microseconds() / 86_400e6, months)


def at_liberty(people: pl.DataFrame, custody: pl.DataFrame, months: bool) -> pl.DataFrame:
    """Add `code` and `day` on the clock that stands still in custody.

    A window of months is as much time at liberty as its days are; it may end after the calendar's, as long as the
    person is followed. A calendar window ends with the calendar.
    """
    last = pl.col("stop") if months else pl.col("until")
    timed = people.with_columns(at=pl.min_horizontal("event", last))
    held = spells.days_within(custody, timed, "origin", "at")
    free = (pl.col("at") - pl.col("origin")).dt.total_microseconds() / 86_400e6 - pl.col("days")
    timed = timed.join(held, on="pid", how="left").with_columns(free=free)
    inside = pl.col("free") <= window_days() if months else pl.lit(True)
    code = (
        pl.when(inside & (pl.col("event") == pl.col("at"))).then(EVENT)
        .when(inside & (pl.col("death") == pl.col("at"))).then(DEATH)
        .otherwise(0)
    )  # fmt: skip
    return _dayed(timed, code, pl.col("free"), months)


def window_days() -> pl.Expr:
    """The length of a person's window in days."""
    return (pl.col("end") - pl.col("origin")).dt.total_microseconds() / 86_400e6


def _dayed(people: pl.DataFrame, code: pl.Expr, days: pl.Expr, months: bool) -> pl.DataFrame:
    # Something that happens at once happens on day 1; who was never followed stays at day 0.
    day = days.ceil().cast(pl.Int32)
    coded = people.with_columns(
        code=code.cast(pl.Int8), day=pl.when(code != 0).then(pl.max_horizontal(day, 1)).otherwise(day)
    )
    if not months:
        return coded
    horizon = window_days().ceil().max().cast(pl.Int32)
    whole = (pl.col("code") == 0) & (days >= window_days())
    return coded.with_columns(day=pl.when(whole).then(horizon).otherwise("day"))
