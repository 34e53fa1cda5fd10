"""The counts of reports as cells and sums, so that what is hidden in one table cannot be had from another.

Keys say whose count it is. People, and who was lost before a landmark, are the same in every month window, so tables
of several windows and definitions that are released together share those cells.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.outcomes.evaluation.report import Group, Measure, Report
from services.outcomes.evaluation.suppression import Cell, Sum, hidden

Key = tuple[str, ...]

# What a reader would miss most is hidden last: without its denominator no count tells anything.
_WHOLE, _MAIN, _LESS = 3, 2, 1


class Cells:
    """Collects the cells of reports that are released together."""

    def __init__(self) -> None:
        self.cells: dict[Key, Cell] = {}
        self.sums: list[Sum[Key]] = []

    def add(self, key: Key, value: int | None, worth: int = _LESS, shown: bool = True) -> Key:
        """Add a cell, or find it there. Raises ValueError when it is there with another value."""
        cell = Cell(value or 0, worth, shown)
        if self.cells.setdefault(key, cell).value != cell.value:
            raise ValueError("reports that are released together do not agree with each other")
        return key

    def sum(self, total: Key, *parts: Key) -> None:
        """Add that these parts make the total."""
        self.sums.append(Sum(total, parts))

    def part(self, total: Key, part: Key) -> None:
        """Add that a part belongs to a total, and with it the rest, which is never shown."""
        rest = self.cells[total].value - self.cells[part].value
        self.sum(total, part, self.add((*part, "rest"), rest, shown=False))


def hidden_cells(reports: Iterable[Report]) -> frozenset[Key]:
    """Return the keys of what none of these reports may show. Raises ValueError when they do not agree."""
    found = Cells()
    for report in reports:
        for group in report.groups:
            _group(found, report, group)
    _completers(found)
    return hidden(found.cells, found.sums)


def people_key(report: Report, group: Group, name: str) -> Key:
    """The key of a count that does not depend on the window, unless the window is the calendar's."""
    window = report.window if report.window_id == "calendar" else "months"
    return (report.population, window, group.door, group.arm, name)


def window_key(report: Report, group: Group, name: str) -> Key:
    """The key of a count that depends on the window but on no definition."""
    return (report.population, report.window_id, report.window, group.door, group.arm, name)


def measure_key(report: Report, group: Group, measure: Measure, name: str) -> Key:
    """The key of a count under a definition."""
    definition = (report.definition_id, str(report.definition_version), measure.bound)
    return (*window_key(report, group, name), *definition)


def _group(found: Cells, report: Report, group: Group) -> None:
    people = found.add(people_key(report, group, "people"), group.people, _LESS)
    if group.lost:
        before = found.add(people_key(report, group, "before"), group.before, _LESS)
        lost = [found.add(people_key(report, group, each.reason), each.people) for each in group.lost]
        found.sum(before, people, *lost)
    complete = found.add(window_key(report, group, "complete"), group.complete, _WHOLE)
    censored = found.add(window_key(report, group, "censored"), group.censored)
    found.sum(people, complete, censored)
    found.part(people, found.add(people_key(report, group, "crossed"), group.crossed))
    matched = (*window_key(report, group, "matched"), report.definition_id)
    found.part(people, found.add(matched, group.matched))
    for measure in group.measures:
        _measure(found, report, group, measure, complete)


def _measure(found: Cells, report: Report, group: Group, measure: Measure, complete: Key) -> None:
    def key(name: str) -> Key:
        return measure_key(report, group, measure, name)

    with_event = found.add(key("with_event"), measure.with_event, _MAIN)
    event_free = found.add(key("event_free"), measure.event_free, _MAIN)
    found.sum(complete, with_event, event_free)
    deaths = found.add(key("deaths"), measure.deaths)
    either = found.add(key("event_or_death"), measure.event_or_death)
    found.sum(either, with_event, deaths)
    neither = found.add(key("neither"), (measure.event_free or 0) - (measure.deaths or 0), shown=False)
    found.sum(complete, either, neither)
    found.sum(event_free, deaths, neither)
    for each in measure.at_thresholds:
        there = found.add(key(f"with_event at {each.threshold}"), each.with_event)
        found.sum(complete, there, found.add(key(f"event_free at {each.threshold}"), each.event_free))


def _completers(found: Cells) -> None:
    """Those who did not complete are the rest of ITT, where both are told."""
    for key in [key for key in found.cells if key[0] == "COMPLETERS" and key[-1] == "people"]:
        whole = ("ITT", *key[1:])
        if whole in found.cells:
            found.part(whole, key)
