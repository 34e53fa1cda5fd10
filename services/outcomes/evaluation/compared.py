"""Both sides of t0 for everybody with complete follow-up, and the effects taken from them."""

from __future__ import annotations

import polars as pl

from services.outcomes.evaluation.cohort import before
from services.outcomes.evaluation.effect import effect
from services.outcomes.evaluation.followup import EVENT
from services.outcomes.evaluation.happened import events, first
from services.outcomes.evaluation.rates import with_years
from services.outcomes.evaluation.read import Study
from services.outcomes.evaluation.report import DoorEffect
from services.outcomes.evaluation.request import Request
from services.outcomes.evaluation.timed import on_calendar
from services.outcomes.evaluation.wording import NO_COMPARISON
from services.outcomes.evaluation.words import DOORS, Door


def door_effects(found: Study, request: Request) -> tuple[DoorEffect, ...]:
    """Return the effects, or the sentence instead, of every door that has people.

    The social and community doors have no arrested comparison, and whoever completed intake has no counterpart that
    could have: there the sentence stands, whatever is registered.
    """
    there = set(found.cohort.people.get_column("door").unique())
    doors: list[Door] = [door for door in DOORS if door in there]
    comparable = request.comparison is not None and request.population.id != "COMPLETERS"
    if not comparable or "ARREST_DIVERSION" not in there:
        return tuple(DoorEffect(door=door, sentence=NO_COMPARISON) for door in doors)
    sides = _both_sides(found, request)
    return tuple(
        effect(sides, door, request.comparison, request.definition.bounds)
        if door == "ARREST_DIVERSION"
        else DoorEffect(door=door, sentence=NO_COMPARISON)
        for door in doors
    )


def _both_sides(found: Study, request: Request) -> pl.DataFrame:
    """People of the arrest door, with what `effect` needs."""
    cohort = found.cohort.people.filter(pl.col("door") == "ARREST_DIVERSION")
    counting = pl.col("counts_both") | (pl.col("kind") == "DEATH")
    rows = found.rows.filter(pl.col("score") >= request.definition.link_threshold, counting)
    months, bounds = request.window.months is not None, request.definition.bounds
    after = on_calendar(cohort, found.both.observed, rows, request.definition, months)
    people = cohort.join(after[bounds[0]].filter("complete").select("pid", "until"), on="pid")
    for bound, frame in after.items():
        people = people.join(frame.select("pid", (pl.col("code") == EVENT).alias(f"after_{bound}")), on="pid")
    earlier = before(cohort, request.window)
    firsts = first(events(rows, earlier.select("pid", "anchor"), request.definition), earlier, bounds)
    happened = firsts.join(earlier.select("pid", "end"), on="pid").select(
        "pid", *((pl.col(bound) <= pl.col("end")).fill_null(False).alias(f"before_{bound}") for bound in bounds)
    )
    joined = people.join(happened, on="pid", how="left").with_columns(
        pl.col(f"before_{bound}").fill_null(False) for bound in bounds
    )
    return joined if months else _exposed(joined, earlier)


def _exposed(people: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Add log exposures: in a calendar window people differ in how long they were seen on either side of t0."""
    sides = {
        "log_before": with_years(earlier.with_columns(until="end")).select("pid", log_before=pl.col("years").log()),
        "log_after": with_years(people).select("pid", log_after=pl.col("years").log()),
    }
    for frame in sides.values():
        people = people.join(frame, on="pid")
    return people.filter(pl.col("log_before").is_finite(), pl.col("log_after").is_finite())
