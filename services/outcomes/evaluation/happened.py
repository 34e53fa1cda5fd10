"""Events under a definition, and each person's first one after the start (evaluation.md, "Events").

Each bound of a definition is a boolean column of an event: whether it counts there.
"""

from __future__ import annotations

import polars as pl

from services.outcomes.evaluation.collapse import collapsed
from services.outcomes.evaluation.definitions import EventDefinition
from services.outcomes.evaluation.words import Bound


def events(rows: pl.DataFrame, anchors: pl.DataFrame, definition: EventDefinition) -> pl.DataFrame:
    """Return (pid, time, a column for each bound), one row per event, the index incident excluded.

    `anchors` is (pid, anchor): conduct at or before it is earlier conduct.
    """
    kinds = pl.col("kind").is_in(list(definition.kinds))
    levels = pl.col("level").is_in(list(definition.levels)) if definition.levels else pl.lit(True)
    wanted = rows.filter(kinds, levels, ~pl.col("under_index"))
    counted = collapsed(wanted).join(anchors, on="pid") if definition.basis != "ANY" else collapsed(wanted)
    return (
        counted.group_by("event").agg(pl.col("pid").first(), pl.col("time").min(), **_bounds(definition)).drop("event")
    )


def first(events: pl.DataFrame, cohort: pl.DataFrame, bounds: tuple[Bound, ...]) -> pl.DataFrame:
    """Return (pid, a time for each bound): the first event after the origin, however late."""
    after = (
        events.lazy().join(cohort.lazy().select("pid", "origin"), on="pid").filter(pl.col("time") > pl.col("origin"))
    )
    return after.group_by("pid").agg(pl.col("time").filter(bound).min().alias(bound) for bound in bounds).collect()


def _bounds(definition: EventDefinition) -> dict[Bound, pl.Expr]:
    if definition.basis == "NEW_CONDUCT":
        return _new_conduct()
    if definition.basis == "AFTER_T0":
        return _after_t0()
    probable = (pl.col("warrant_kind").fill_null("NONE") == "NONE").any()
    return {"EXACT": probable if definition.basis == "NOT_WARRANT_ONLY" else pl.lit(True).first()}


def _new_conduct() -> dict[Bound, pl.Expr]:
    warrant = pl.col("warrant_kind").fill_null("NONE")
    conduct = warrant.is_in(["NEW_OFFENCE", "PRIOR_OFFENCE"])
    issued_after = (pl.col("warrant_time") > pl.col("anchor")).fill_null(True)
    new = ((warrant == "NONE") | (conduct & (pl.col("offence_time") > pl.col("anchor")).fill_null(False))).any()
    # A warrant that was there at t0 is for conduct before t0, whatever else is not known.
    unknown = (conduct & pl.col("offence_time").is_null() & issued_after).any()
    after = (pl.col("warrant_time") > pl.col("anchor")).fill_null(False)
    technical = (warrant.is_in(["FTA", "SUPERVISION"]) & after).any()
    return {"LOWER": new, "UPPER": new | unknown, "TECHNICAL": technical & ~new & ~unknown}


def _after_t0() -> dict[Bound, pl.Expr]:
    after = (pl.col("offence_time") > pl.col("anchor")).fill_null(False)
    return {"LOWER": after.any(), "UPPER": (after | pl.col("offence_time").is_null()).any()}
