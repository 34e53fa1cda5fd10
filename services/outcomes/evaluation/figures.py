"""The figures of every door and arm."""

from __future__ import annotations

import polars as pl

from services.outcomes.evaluation.cohort import GROUP
from services.outcomes.evaluation.followup import DEATH, EVENT
from services.outcomes.evaluation.incidence import incidence
from services.outcomes.evaluation.rates import rate
from services.outcomes.evaluation.read import Study, thresholds
from services.outcomes.evaluation.report import AtThreshold, Group, Lost, Measure
from services.outcomes.evaluation.request import Request
from services.outcomes.evaluation.shares import wilson
from services.outcomes.evaluation.timed import Timed, on_calendar, timed
from services.outcomes.evaluation.words import ARMS, DOORS, Arm, Bound, Door

_Beside = list[tuple[float, pl.DataFrame]]


def groups(found: Study, request: Request) -> tuple[Group, ...]:
    """Return a group for every door and arm that has people, or had them before the landmark."""
    definition, months = request.definition, request.window.months is not None
    rows = found.scored(definition.link_threshold)
    everything = timed(found.cohort.people, found.after.observed, rows, definition, months)
    matched = everything.people.join(rows.select("pid").unique(), on="pid", how="semi")
    beside = [(each, _at(found, request, each)) for each in thresholds(definition.link_threshold, definition.link_step)]
    there = {*_keys(found.cohort.people), *_keys(found.cohort.lost)}
    return tuple(
        _group(door, arm, found.cohort.lost, everything, _of(matched, door, arm).height, beside, request)
        for door in DOORS
        for arm in ARMS
        if (door, arm) in there
    )


def _at(found: Study, request: Request, threshold: float) -> pl.DataFrame:
    """People on the calendar clock under the leading bound, had another link score been needed."""
    months, definition = request.window.months is not None, request.definition
    rows = found.scored(threshold)
    return on_calendar(found.cohort.people, found.after.observed, rows, definition, months)[definition.bounds[0]]


def _keys(frame: pl.DataFrame) -> list[tuple[str, str]]:
    return frame.select(GROUP).unique().rows()


def _of(frame: pl.DataFrame, door: Door, arm: Arm) -> pl.DataFrame:
    return frame.filter(pl.col("door") == door, pl.col("arm") == arm)


def _group(
    door: Door, arm: Arm, lost: pl.DataFrame, everything: Timed, matched: int, beside: _Beside, request: Request
) -> Group:
    people = _of(everything.people, door, arm)
    gone = tuple(Lost(reason, n) for reason, n in _of(lost, door, arm).select("reason", "people").sort("reason").rows())
    complete = int(people.get_column("complete").sum())
    first, *_ = request.definition.bounds
    at = [(threshold, _of(frame, door, arm)) for threshold, frame in beside]
    return Group(
        door=door,
        arm=arm,
        before=people.height + sum(each.people or 0 for each in gone),
        lost=gone,
        people=people.height,
        complete=complete,
        censored=people.height - complete,
        crossed=int(people.get_column("crossed").sum()),
        matched=matched,
        match_rate=wilson(matched, people.height),
        bookings=rate(people, "n_bookings"),
        jail_days=rate(people, "jail_days"),
        measures=tuple(
            _measure(everything, door, arm, bound, at if bound == first else [], request.seed)
            for bound in request.definition.bounds
        ),
    )


def _measure(everything: Timed, door: Door, arm: Arm, bound: Bound, beside: _Beside, seed: int) -> Measure:
    calendar, liberty = _of(everything.calendar[bound], door, arm), _of(everything.liberty[bound], door, arm)
    complete = calendar.filter("complete")
    whole, with_event, deaths = complete.height, _ended(complete, EVENT), _ended(complete, DEATH)
    return Measure(
        bound=bound,
        event_free=whole - with_event,
        with_event=with_event,
        deaths=deaths,
        event_or_death=with_event + deaths,
        event_free_share=wilson(whole - with_event, whole),
        event_or_death_share=wilson(with_event + deaths, whole),
        by_calendar=incidence(calendar, seed),
        at_liberty=incidence(liberty, seed),
        events_per_year=rate(_of(everything.people, door, arm), f"n_{bound}"),
        at_thresholds=tuple(_threshold(threshold, frame, seed) for threshold, frame in beside),
    )


def _threshold(threshold: float, calendar: pl.DataFrame, seed: int) -> AtThreshold:
    complete = calendar.filter("complete")
    with_event = _ended(complete, EVENT)
    return AtThreshold(threshold, with_event, complete.height - with_event, incidence(calendar, seed).risk)


def _ended(people: pl.DataFrame, code: int) -> int:
    return int((people.get_column("code") == code).sum())
