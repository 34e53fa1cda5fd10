"""What a report is counted from: the cohort, who contributes, and the cohort's linked rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import polars as pl

from services.outcomes.evaluation import frames
from services.outcomes.evaluation.cohort import Cohort, before, enrolled
from services.outcomes.evaluation.feeds import Contributing, Feed, Span, contributing
from services.outcomes.evaluation.landmark import at_risk
from services.outcomes.evaluation.request import Inputs, Request
from services.outcomes.evaluation.rows import agencies, linked
from services.outcomes.evaluation.windows import FEED_RULE


@dataclass(frozen=True, slots=True)
class Study:
    """Cohort and rows. `after` contributes over the window, `both` over the one before t0 as well."""

    cohort: Cohort
    after: Contributing
    both: Contributing
    # Rows down to the least link score that any figure asks for.
    rows: pl.DataFrame

    def scored(self, threshold: float) -> pl.DataFrame:
        """The rows that count at a threshold, of agencies that contribute over the window (and every death)."""
        return self.rows.filter(pl.col("score") >= threshold, pl.col("counts") | (pl.col("kind") == "DEATH"))


def study(inputs: Inputs, request: Request) -> Study:
    """Read the frames. Raises InputError."""
    cohort = enrolled(_people(inputs, request), request.population.id, request.window, request.as_of)
    # An event later than the as-of date is not known yet.
    events = frames.laid_out("events", inputs.events, frames.EVENTS).filter(pl.col("time") <= request.as_of)
    after, both = _contributing(inputs, request, cohort.people, agencies(events))
    definition = request.definition
    rows = linked(
        events, cohort.people, after.kept, both.kept, thresholds(definition.link_threshold, definition.link_step)[0]
    )
    whole = Study(cohort, after, both, rows)
    if request.population.id != "LANDMARK":
        return whole
    return Study(at_risk(cohort, whole.scored(definition.link_threshold), after.observed), after, both, rows)


def thresholds(threshold: float, step: float) -> tuple[float, float]:
    """The link scores beside a threshold; a score is at most 1."""
    return round(max(0.0, threshold - step), 6), round(min(1.0, threshold + step), 6)


def _people(inputs: Inputs, request: Request) -> pl.DataFrame:
    besides = request.comparison.covariates if request.comparison else ()
    lazy = frames.laid_out("people", inputs.people, frames.PEOPLE, besides)
    return frames.read("people", lazy, frames.needed(frames.PEOPLE))


def _contributing(
    inputs: Inputs, request: Request, people: pl.DataFrame, reporting: list[str]
) -> tuple[Contributing, Contributing]:
    lazy = frames.laid_out("feeds", inputs.feeds, frames.FEEDS)
    feeds = cast("list[Feed]", frames.read("feeds", lazy, ("agency_id", "site_id")).to_dicts())
    after = _spans(people, people)
    both = _spans(before(people, request.window), people)
    one = contributing(feeds, after, reporting, request.as_of, FEED_RULE)
    return one, contributing(feeds, both, reporting, request.as_of, FEED_RULE)


def _spans(starting: pl.DataFrame, ending: pl.DataFrame) -> dict[str, Span]:
    """Per site, from the first start to the last end. For LANDMARK the time before the landmark is looked at too."""
    first = starting.group_by("site_id").agg(first=pl.min_horizontal("origin", "t0").min())
    last = ending.group_by("site_id").agg(last=pl.col("end").max())
    return {site: (start, end) for site, start, end in first.join(last, on="site_id").iter_rows()}
