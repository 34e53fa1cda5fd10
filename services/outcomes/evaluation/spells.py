"""Time in custody: spells from entries and exits, merged where they overlap (evaluation.md, "Estimates").

A booking ends with the release of the same number, else with the person's next release without a number. A spell
whose end nobody told ends where the person is next taken into custody, or else is not over.
"""

from __future__ import annotations

import polars as pl

from services.outcomes.evaluation.frames import TIME

_OPEN = pl.datetime(9999, 1, 1, time_zone="UTC").cast(TIME)


def jail(rows: pl.DataFrame) -> pl.DataFrame:
    """Return jail spells (pid, start, end, under_index), not merged."""
    return _spells(rows, "BOOKING", "RELEASE")


def prison(rows: pl.DataFrame) -> pl.DataFrame:
    """Return prison spells, like `jail`."""
    return _spells(rows, "PRISON_IN", "PRISON_OUT")


def merged(spells: pl.DataFrame) -> pl.DataFrame:
    """Return spells (pid, start, end) of which no two of one person overlap."""
    ordered = spells.lazy().select("pid", "start", "end").sort("pid", "start", "end")
    before = pl.col("end").cum_max().shift().over("pid")
    begins = (before.is_null() | (pl.col("start") > before)).cum_sum().alias("spell")
    united = ordered.with_columns(begins).group_by("pid", "spell").agg(pl.col("start").min(), pl.col("end").max())
    return united.select("pid", "start", "end").collect()


def days_within(spells: pl.DataFrame, people: pl.DataFrame, start: str, end: str) -> pl.DataFrame:
    """Return (pid, days): merged spells within (start, end], two columns of `people`; nobody is left out."""
    overlap = pl.min_horizontal("end_of_spell", end) - pl.max_horizontal("start_of_spell", start)
    inside = (
        people.lazy()
        .select("pid", start, end)
        .join(spells.lazy().select("pid", start_of_spell="start", end_of_spell="end"), on="pid")
        .select("pid", days=_days(overlap).clip(lower_bound=0.0))
        .group_by("pid")
        .agg(pl.col("days").sum())
    )
    return (
        people.lazy()
        .select("pid")
        .join(inside, on="pid", how="left")
        .with_columns(pl.col("days").fill_null(0.0))
        .collect()
    )


def _days(span: pl.Expr) -> pl.Expr:
    return span.dt.total_microseconds() / 86_400e6


def _spells(rows: pl.DataFrame, entry: str, leaving: str) -> pl.DataFrame:
    entries = (
        rows.lazy()
        .filter(pl.col("kind") == entry)
        .group_by("pid", "booking", _one_of_its_own("booking"))
        .agg(pl.col("time").min().alias("start"), pl.col("under_index").any())
    )
    exits = rows.lazy().filter(pl.col("kind") == leaving).select("pid", "booking", end="time")
    numbered = entries.join(exits, on=["pid", "booking"]).filter(pl.col("end") >= pl.col("start"))
    by_number = numbered.group_by("pid", "booking").agg(by_number=pl.col("end").min())
    loose = exits.join(entries, on=["pid", "booking"], how="anti").select("pid", by_person="end").sort("by_person")
    found = (
        entries.join(by_number, on=["pid", "booking"], how="left")
        .sort("start")
        .join_asof(loose, left_on="start", right_on="by_person", by="pid", strategy="forward", check_sortedness=False)
        .sort("pid", "start")
    )
    next_entry = pl.col("start").shift(-1).over("pid")
    end = pl.coalesce("by_number", "by_person", next_entry, _OPEN)
    return found.select("pid", "start", "under_index", end=end).collect()


def _one_of_its_own(key: str) -> pl.Expr:
    """Keep rows without a key apart when grouping by it."""
    return pl.when(pl.col(key).is_null()).then("time").alias("apart")
