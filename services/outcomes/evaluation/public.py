"""A report as the public may see it (evaluation.md, "Release of figures")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.outcomes.evaluation.coarse import coarse_curve, coarse_rate, coarse_share
from services.outcomes.evaluation.public_effect import public_effect
from services.outcomes.evaluation.release import Key, hidden_cells, measure_key, people_key, window_key
from services.outcomes.evaluation.report import AtThreshold, Estimate, Group, Incidence, Lost, Measure, Report
from services.outcomes.evaluation.shares import wilson
from services.outcomes.evaluation.suppression import LEAST, rounded
from services.outcomes.evaluation.wording import SUPPRESSION


def to_public(report: Report) -> Report:
    """Return the report with small cells and their complements hidden and all else rounded."""
    return to_public_together([report])[0]


def to_public_together(reports: Sequence[Report]) -> tuple[Report, ...]:
    """Return reports that are released together: nothing hidden in one can be had by subtracting another.

    They have to be of the same inputs and as-of date. Raises ValueError when they do not agree, or are public already.
    """
    if any(each.public for each in reports) or len({each.as_of for each in reports}) > 1:
        raise ValueError("reports that are released together are unsuppressed and of one as-of date")
    gone = hidden_cells(reports)
    return tuple(_public(each, gone) for each in reports)


def _public(report: Report, gone: frozenset[Key]) -> Report:
    return replace(
        report,
        groups=tuple(_group(report, each, gone) for each in report.groups),
        effects=tuple(public_effect(each, _whole(report, each.door, gone)) for each in report.effects),
        removed=_removed(report.removed),
        suppression=SUPPRESSION,
        public=True,
    )


def _removed(people: int | None) -> int | None:
    """How many were expunged is told even when few: 0, else to the nearest 5 and never less than 5."""
    return max(5, rounded(people)) if people else people


def _whole(report: Report, door: str, gone: frozenset[Key]) -> bool:
    keys = [window_key(report, each, "complete") for each in report.groups if each.door == door]
    return not any(key in gone for key in keys)


def _shown(key: Key, value: int | None, gone: frozenset[Key]) -> int | None:
    return None if value is None or key in gone else rounded(value)


def _group(report: Report, group: Group, gone: frozenset[Key]) -> Group:
    people = _shown(people_key(report, group, "people"), group.people, gone)
    matched = _shown((*window_key(report, group, "matched"), report.definition_id), group.matched, gone)
    return replace(
        group,
        before=_shown(people_key(report, group, "before"), group.before, gone) if group.lost else people,
        lost=tuple(
            Lost(each.reason, _shown(people_key(report, group, each.reason), each.people, gone)) for each in group.lost
        ),
        people=people,
        complete=_shown(window_key(report, group, "complete"), group.complete, gone),
        censored=_shown(window_key(report, group, "censored"), group.censored, gone),
        crossed=_shown(people_key(report, group, "crossed"), group.crossed, gone),
        matched=matched,
        match_rate=None if matched is None or people is None else wilson(min(matched, people), people),
        bookings=coarse_rate(group.bookings, group.people or 0),
        jail_days=coarse_rate(group.jail_days, group.people or 0),
        measures=tuple(_measure(report, group, each, gone) for each in group.measures),
    )


def _measure(report: Report, group: Group, measure: Measure, gone: frozenset[Key]) -> Measure:
    def shown(name: str, value: int | None) -> int | None:
        return _shown(measure_key(report, group, measure, name), value, gone)

    whole = _shown(window_key(report, group, "complete"), group.complete, gone)
    free, with_event = shown("event_free", measure.event_free), shown("with_event", measure.with_event)
    either = shown("event_or_death", measure.event_or_death)
    exact = group.complete if with_event is not None and whole is not None else None
    return replace(
        measure,
        event_free=free,
        with_event=with_event,
        deaths=shown("deaths", measure.deaths),
        event_or_death=either,
        event_free_share=_share(free, whole),
        event_or_death_share=_share(either, whole),
        by_calendar=_incidence(measure.by_calendar, exact),
        at_liberty=_incidence(measure.at_liberty, exact),
        events_per_year=coarse_rate(measure.events_per_year, group.people or 0),
        at_thresholds=tuple(
            AtThreshold(
                each.threshold,
                shown(f"with_event at {each.threshold}", each.with_event),
                shown(f"event_free at {each.threshold}", each.event_free),
                coarse_share(each.risk, exact) if (each.with_event or 0) >= LEAST else None,
            )
            for each in measure.at_thresholds
        ),
    )


def _share(part: int | None, whole: int | None) -> Estimate | None:
    return None if part is None or whole is None else wilson(min(part, whole), whole)


def _incidence(found: Incidence, complete: int | None) -> Incidence:
    return Incidence(coarse_share(found.risk, complete), coarse_curve(found.curve, complete))
