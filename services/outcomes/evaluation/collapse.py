"""One event per (person, booking or incident): charges and warrants served together are one (evaluation.md, "Events").

Rows of a person belong together when they share an incident, a booking or the very instant, directly or through
others. An event happened when its first row did.
"""

from __future__ import annotations

import polars as pl

_SHARED = ("incident", "booking", "time")


def collapsed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with an `event` number each; takes any frame with pid, time, incident and booking.

    Numbers are those of each event's first row by person and time. Collapsing the result again changes nothing.
    """
    found = rows.sort("pid", "time").with_row_index("event")
    keys = [key for key in _SHARED if _shared(found, key)]
    if len(keys) < 2:
        return found.with_columns(_least(key) for key in keys)
    while True:
        spread = found
        for key in keys:
            spread = spread.with_columns(_least(key))
        if spread.get_column("event").equals(found.get_column("event")):
            return found
        found = spread


def _shared(rows: pl.DataFrame, key: str) -> bool:
    named = rows.lazy().select("pid", key).drop_nulls()
    return bool(named.select(pl.struct("pid", key).is_duplicated().any()).collect().item())


def _least(key: str) -> pl.Expr:
    least = pl.col("event").min().over("pid", key)
    return pl.when(pl.col(key).is_null()).then("event").otherwise(least).alias("event")
