"""Linked records of a cohort, as small as they can be: numbers for people, hashes for keys, no name of anything.

A row has pid, t0, kind, time, offence_time, warrant_kind, warrant_time, level, `incident` and `booking` (64-bit
hashes, compared only within one person), score, `under_index`, and `counts`/`counts_both`: whether its agency
contributes over the window, and over the window before t0 as well.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from services.outcomes.evaluation.frames import read

_SITE_AGENCY = {"site_id": pl.String, "agency_id": pl.String}


def linked(
    events: pl.LazyFrame,
    cohort: pl.DataFrame,
    kept: Iterable[tuple[str, str]],
    kept_both: Iterable[tuple[str, str]],
    least_score: float,
) -> pl.DataFrame:
    """Return the rows that any of the figures can need. A death is kept whoever reports it: it is never wrong to know.

    Raises InputError when a row cannot be placed.
    """
    keys = cohort.lazy().select("pid", "study_id", "site_id", "t0", "index_incident", "index_event_id")
    counting = _flagged(kept, "counts").join(
        _flagged(kept_both, "counts_both"), on=list(_SITE_AGENCY), how="full", coalesce=True
    )
    rows = (
        events.filter(pl.col("score").fill_null(1.0) >= least_score)
        .join(keys, on="study_id")
        .join(counting, on=list(_SITE_AGENCY), how="left")
        .with_columns(pl.col("counts", "counts_both").fill_null(False))
        .filter(pl.col("counts") | pl.col("counts_both") | (pl.col("kind") == "DEATH"))
        .select(
            "pid", "t0", "kind", "time", "offence_time", "warrant_kind", "warrant_time", "level",
            incident=_hashed("incident"),
            booking=_hashed("booking"),
            score=pl.col("score").fill_null(1.0),
            under_index=_under_index(),
            counts="counts",
            counts_both="counts_both",
        )
    )  # fmt: skip
    return _booked_with_index(read("events", rows, ("kind", "time")))


def agencies(events: pl.LazyFrame) -> list[str]:
    """Return the agencies that any event names. Raises InputError when one names none, or nobody."""
    return read("events", events.select(pl.col("agency_id").unique()), ("agency_id",)).get_column("agency_id").to_list()


def _flagged(pairs: Iterable[tuple[str, str]], flag: str) -> pl.LazyFrame:
    frame = pl.DataFrame(list(pairs), schema=_SITE_AGENCY, orient="row")
    return frame.lazy().with_columns(pl.lit(True).alias(flag))


def _hashed(column: str) -> pl.Expr:
    return pl.when(pl.col(column).is_not_null()).then(pl.col(column).hash(seed=0))


def _under_index() -> pl.Expr:
    by_number = pl.col("incident") == pl.col("index_incident")
    by_record = pl.col("event_id") == pl.col("index_event_id")
    return by_number.fill_null(False) | by_record.fill_null(False)


def _booked_with_index(rows: pl.DataFrame) -> pl.DataFrame:
    """Put under the index incident whatever was booked with it: releases and cases often name the booking alone."""
    booked = rows.filter("under_index", pl.col("booking").is_not_null()).select("pid", "booking").unique()
    if booked.is_empty():
        return rows
    marked = booked.with_columns(with_index=pl.lit(True))
    return (
        rows.join(marked, on=["pid", "booking"], how="left")
        .with_columns(under_index=pl.col("under_index") | pl.col("with_index").fill_null(False))
        .drop("with_index")
    )
