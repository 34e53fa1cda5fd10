"""Counted reports as `lead.outcomes.v1.Report`: title, what they were counted by, what must be read with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from lead.outcomes.v1 import outcomes_pb2 as pb

from services.outcomes import funnel_tables, tables
from services.outcomes.domain import CLOCKS, Figure
from services.outcomes.evaluation.definitions import EVENTS
from services.outcomes.evaluation.funnel_report import Funnel
from services.outcomes.evaluation.report import Report
from services.outcomes.frames import Gathered
from services.outcomes.phrases import CLOCK_TITLES, DOORS, about, moment_text
from services.shared.sites import Site
from services.shared.wire import stamp

# A later correction of what had happened by then is in the figures; what was known then is what snapshots keep.
KNOWN = "by what was known when it was counted"
# How the figures read that the programme is told by: no second arrest, of those who completed, at six months and at two
# years.
TOLD_BY = ("COMPLETERS", "ARR_NEWCONDUCT")
AS_TOLD = "Counted as the programme's often quoted figures are: of completers, warrants for earlier conduct left out."
NOT_AN_EFFECT = "The steps of a process: they say nothing of what the programme changed."


def rearrest(report: Report, rows: Gathered, figure: Figure, site: Site) -> pb.Report:
    """Return a report that was made public as tables and curves. Raises ValueError for one that was not."""
    if not report.public:
        raise ValueError("only suppressed figures leave the area")
    definition = EVENTS[report.definition_id]
    return pb.Report(
        title=f"{definition.title}, {report.population_label}: {report.window}, {site.id}",
        facts=[pb.ReportFact(name=name, value=value) for name, value in _facts(report, figure)],
        notes=list(_notes(report, rows)),
        tables=tables.tables(report, figure.clock),
        curves=tables.curves(report, figure.clock),
        as_of_time=stamp(report.as_of),
    )


def funnel(found: Funnel, site: Site, as_of: datetime) -> pb.Report:
    """Return a funnel that was made public as tables. Raises ValueError for one that was not."""
    if not found.public:
        raise ValueError("only suppressed figures leave the area")
    facts = (
        ("Counted", "referrals, not people; left out is what was taken back before anything was offered or approved"),
        ("Months", f"of the referral's time, {site.time_zone}"),
        ("Intake clock", "counted in days from the referral's time"),
        ("As of", f"{moment_text(as_of)}, {KNOWN}"),
        ("Suppression", found.suppression),
    )
    return pb.Report(
        title=f"From referral to intake, {site.id}",
        facts=[pb.ReportFact(name=name, value=value) for name, value in facts],
        notes=[NOT_AN_EFFECT],
        tables=funnel_tables.tables(found),
        as_of_time=stamp(as_of),
    )


def _facts(report: Report, figure: Figure) -> Iterator[tuple[str, str]]:
    yield "Definition", f"{report.definition_id}, version {report.definition_version}"
    yield "Definition in words", report.rule
    yield "SHA-256", report.sha256
    yield "Frozen", _frozen(report)
    yield "Population", f"{report.population}: {report.population_label}"
    for door, rule in report.t0_rules:
        yield f"t0, {DOORS[door].lower()}", rule
    yield "Window", report.window
    yield "Clock", CLOCK_TITLES[figure.clock] + (" (headline)" if figure.clock == CLOCKS[0] else "")
    yield "As of", f"{moment_text(report.as_of)}, {KNOWN}"
    for site in report.observed:
        yield "Observed until", f"{moment_text(site.until)} ({', '.join(site.agencies) or 'no feed contributes'})"
    yield "Link score needed", f"{report.link_threshold:g}, or confirmed by a person"
    yield "Removed", "nobody" if not report.removed else f"about {report.removed} expunged"
    yield "Suppression", report.suppression
    yield report.reference_label, report.reference


def _frozen(report: Report) -> str:
    on = f"{EVENTS[report.definition_id].frozen_on:%Y-%m-%d}"
    return f"{on}, before the as-of date" if report.prespecified else f"{on}, after the as-of date: exploratory"


def _notes(report: Report, rows: Gathered) -> Iterator[str]:
    if (report.population, report.definition_id) == TOLD_BY:
        yield AS_TOLD
    yield from report.notes
    for door in report.effects:
        if door.sentence:
            yield f"{DOORS[door.door]}: {door.sentence}"
        if door.registration:
            yield f"{DOORS[door.door]}: compared with {door.registration}."
    yield from _unseen(rows, report.as_of)


def _unseen(rows: Gathered, as_of: datetime) -> Iterator[str]:
    yield f"Referrals without a study id, which cannot be followed and are not counted: {about(rows.unlinked(as_of))}."
    if rows.registered_at is not None:
        yield f"Evaluation entries whose index event was not found in the feed, not counted: {about(rows.not_found)}."
