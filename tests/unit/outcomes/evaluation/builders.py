"""Small studies written by hand: people, their events and feeds, with defaults that qualify."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from services.outcomes.evaluation import evaluate
from services.outcomes.evaluation.definitions import EVENTS
from services.outcomes.evaluation.frames import EVENTS as EVENT_COLUMNS
from services.outcomes.evaluation.frames import FEEDS, PEOPLE, Schema
from services.outcomes.evaluation.populations import POPULATIONS
from services.outcomes.evaluation.read import study
from services.outcomes.evaluation.report import Group, Report
from services.outcomes.evaluation.request import Inputs, Request
from services.outcomes.evaluation.timed import timed
from services.outcomes.evaluation.windows import WINDOWS, Window
from services.outcomes.evaluation.words import Bound

Row = dict[str, Any]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


T0 = at("2024-01-10 12:00")
AS_OF = at("2026-12-01")


def a_person(name: int | str, **changed: Any) -> Row:
    row: Row = {
        "study_id": f"stu_{name}", "site_id": "seattle", "door": "ARREST_DIVERSION", "arm": "LEAD", "t0": T0,
        "eligible": True, "offered": True, "approved": False, "overridden": False, "intake_clock_days": 30,
        "index_incident": f"SPD/index-{name}",
    }  # fmt: skip
    return row | changed


def an_event(name: int | str, kind: str, time: str | datetime, **changed: Any) -> Row:
    when = at(time) if isinstance(time, str) else time
    row: Row = {"study_id": f"stu_{name}", "kind": kind, "time": when, "agency_id": "spd"}
    row["event_id"] = f"jev_{name}_{kind}_{when:%Y%m%d%H%M%S}"
    return row | changed


def a_feed(agency: str = "spd", **changed: Any) -> Row:
    row: Row = {
        "agency_id": agency, "site_id": "seattle", "gaps": [],
        "complete_from": at("2015-01-01"), "complete_through": at("2026-11-30"),
    }  # fmt: skip
    return row | changed


def a_frame(rows: Sequence[Row], schema: Schema) -> pl.DataFrame:
    besides = {key: None for row in rows for key in row if key not in schema}
    types: dict[str, Any] = {column: dtype for column, (dtype, _) in schema.items()} | besides
    return pl.DataFrame([{column: row.get(column) for column in types} for row in rows], schema=types)


def inputs(people: Sequence[Row], events: Sequence[Row], feeds: Sequence[Row] | None = None) -> Inputs:
    given = [a_feed()] if feeds is None else feeds
    return Inputs(a_frame(people, PEOPLE), a_frame(events, EVENT_COLUMNS), a_frame(given, FEEDS))


def a_request(
    definition: str = "ARR_ALL", population: str = "ITT", window: str | Window = "6m", **more: Any
) -> Request:
    span = WINDOWS[window] if isinstance(window, str) else window
    asked: Row = {"as_of": AS_OF} | more
    return Request(definition=EVENTS[definition], population=POPULATIONS[population], window=span, **asked)


def reported(given: Inputs, definition: str = "ARR_ALL", **asked: Any) -> Report:
    return evaluate(given, a_request(definition, **asked))


def only_group(report: Report) -> Group:
    (group,) = report.groups
    return group


def with_event(given: Inputs, definition: str, bound: Bound = "EXACT", **asked: Any) -> set[str]:
    """Names of those counted with an event on the calendar clock."""
    request = a_request(definition, **asked)
    found = study(given, request)
    rows, months = found.scored(request.definition.link_threshold), request.window.months is not None
    frame = timed(found.cohort.people, found.after.observed, rows, request.definition, months).calendar[bound]
    counted = frame.filter(pl.col("code") == 1).join(found.cohort.people, on="pid")
    return {each.removeprefix("stu_") for each in counted.get_column("study_id")}
