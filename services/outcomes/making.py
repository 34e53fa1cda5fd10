"""Makes reports: the store read in one transaction, counted outside of it, made public, and told as tables.

Heavy: only imported when a report is made. Every report is suppressed, for programme office and evaluator as well: no
method gives out more than a published figure may tell (matrix row 37).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from lead.outcomes.v1 import outcomes_pb2 as pb

from services.outcomes import told
from services.outcomes.domain import FUNNEL, Figure
from services.outcomes.evaluation import evaluate, funnel, to_public, to_public_funnel, to_public_together
from services.outcomes.evaluation.definitions import EVENTS
from services.outcomes.evaluation.populations import POPULATIONS
from services.outcomes.evaluation.request import Comparison, Request
from services.outcomes.evaluation.windows import WINDOWS, Window, calendar
from services.outcomes.frames import Gathered, gathered
from services.outcomes.linked import PRIOR_ARRESTS
from services.shared.db import Database
from services.shared.sites import Site

Turn = Callable[[], AbstractContextManager[None]]

# The published evaluation's calendar window began so long before the programme.
_BEFORE_START = "-24mo"


def live(db: Database, agency_id: str, site: Site, figure: Figure, as_of: datetime) -> pb.Report:
    """Return one report, from what was opened for this evaluator."""
    rows = _read(db, agency_id, site)
    if figure.kind == FUNNEL:
        return _funnel(rows, site, as_of)
    return told.rearrest(to_public(evaluate(rows.inputs, _request(rows, figure, as_of))), rows, figure, site)


def all_of(
    db: Database, agency_id: str, site: Site, figures: Iterable[Figure], as_of: datetime, turn: Turn = nullcontext
) -> Mapping[str, pb.Report]:
    """Return reports that are published together, by figure name: nothing hidden in one follows from another.

    Each is counted in a `turn` of its own, so that calls come in between.
    """
    wanted = list(figures)
    counted = [each for each in wanted if each.kind != FUNNEL]
    rows = _read(db, agency_id, site)
    reports = []
    for each in counted:
        with turn():
            reports.append(evaluate(rows.inputs, _request(rows, each, as_of)))
    public = to_public_together(reports) if reports else ()
    found = {each.name: told.rearrest(report, rows, each, site) for each, report in zip(counted, public, strict=True)}
    return found | {each.name: _funnel(rows, site, as_of) for each in wanted if each.kind == FUNNEL}


def _read(db: Database, agency_id: str, site: Site) -> Gathered:
    with db.read() as connection:
        return gathered(connection, agency_id, site.id, site.clocks.intake_days.get("ARREST_DIVERSION"))


def _funnel(rows: Gathered, site: Site, as_of: datetime) -> pb.Report:
    return told.funnel(to_public_funnel(funnel(rows.funnel(as_of), str(site.time_zone))), site, as_of)


def _request(rows: Gathered, figure: Figure, as_of: datetime) -> Request:
    return Request(
        definition=EVENTS[figure.definition],
        population=POPULATIONS[figure.population],
        window=WINDOWS.get(figure.window) or _calendar(rows, as_of),
        as_of=as_of,
        comparison=_comparison(rows, as_of),
    )


def _calendar(rows: Gathered, as_of: datetime) -> Window:
    """The site's calendar window: from 24 months before the first t0, or since all feeds there then are complete.

    It ends where everything is observed, and never after the as-of date.
    """
    people = rows.people.filter(pl.col("t0") <= as_of)
    first: Any = people.get_column("t0").min()
    if first is None:
        return calendar(as_of - timedelta(days=1), as_of)
    start: Any = pl.Series([first]).dt.offset_by(_BEFORE_START).item()
    feeds = rows.feeds.filter(pl.col("complete_from") <= first)
    begun: Any = feeds.get_column("complete_from").max()
    ends: Any = feeds.get_column("complete_through").min()
    end = min(as_of, ends or as_of)
    return calendar(max(start, begun or start), end if end > first else as_of)


def _comparison(rows: Gathered, as_of: datetime) -> Comparison | None:
    if rows.registered_at is None or rows.registered_at > as_of:
        return None
    registration = f"evaluation entries, the first of them registered on {rows.registered_at:%Y-%m-%d}"
    return Comparison(registration=registration, covariates=(PRIOR_ARRESTS,))
