"""People with all that happened to them: the frames that figures are taken from, one row per person each."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from services.outcomes.evaluation import followup, spells
from services.outcomes.evaluation.cohort import GROUP
from services.outcomes.evaluation.definitions import EventDefinition
from services.outcomes.evaluation.happened import events, first
from services.outcomes.evaluation.rates import counts_within, with_years
from services.outcomes.evaluation.report import Observed
from services.outcomes.evaluation.words import Bound

_SPAN = ("pid", *GROUP, "origin", "end", "stop", "until", "death", "complete")


@dataclass(frozen=True, slots=True)
class Timed:
    """People with `years`, `n_<bound>`, `n_bookings`, `jail_days`; and, per bound, code and day on both clocks."""

    people: pl.DataFrame
    calendar: dict[Bound, pl.DataFrame]
    liberty: dict[Bound, pl.DataFrame]


def timed(
    cohort: pl.DataFrame, observed: tuple[Observed, ...], rows: pl.DataFrame, definition: EventDefinition, months: bool
) -> Timed:
    """Return everything that the figures of one definition need."""
    people = followup.followed(cohort, observed, rows)
    found = events(rows, people.select("pid", "anchor"), definition)
    firsts = first(found, people, definition.bounds)
    jail = spells.jail(rows)
    custody = spells.merged(pl.concat([jail, spells.prison(rows)]))
    endings = {bound: followup.ended(people.select(_SPAN), firsts, bound) for bound in definition.bounds}
    counted = counts_within(found, with_years(people), definition.bounds)
    return Timed(
        people=_jailed(counted, jail.filter(~pl.col("under_index"))),
        calendar={bound: followup.by_calendar(each, months) for bound, each in endings.items()},
        liberty={bound: followup.at_liberty(each, custody, months) for bound, each in endings.items()},
    )


def on_calendar(
    cohort: pl.DataFrame, observed: tuple[Observed, ...], rows: pl.DataFrame, definition: EventDefinition, months: bool
) -> dict[Bound, pl.DataFrame]:
    """Return only code and day on the calendar clock, per bound."""
    people = followup.followed(cohort, observed, rows)
    firsts = first(events(rows, people.select("pid", "anchor"), definition), people, definition.bounds)
    slim = people.select(_SPAN)
    return {bound: followup.by_calendar(followup.ended(slim, firsts, bound), months) for bound in definition.bounds}


def _jailed(people: pl.DataFrame, jail: pl.DataFrame) -> pl.DataFrame:
    booked = counts_within(jail.select("pid", time="start", bookings=pl.lit(True)), people, ("bookings",))
    days = spells.days_within(spells.merged(jail), people, "origin", "until").rename({"days": "jail_days"})
    return booked.join(days, on="pid", how="left")
