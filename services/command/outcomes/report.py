"""A report as it comes over the wire, and as it is printed: the same for text, CSV and SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# What tables have where there is no figure.
NOTHING = "–"  # noqa: RUF001 - an en dash, as the exchange writes it


@dataclass(frozen=True, slots=True)
class Cell:
    """What is printed, and the number where it is one."""

    text: str = ""
    number: float | None = None
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """Risk up to and with so many days, with its 95% band where there is one."""

    days: float
    risk: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """Cumulative incidence of one group."""

    title: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was answered. `facts` are name and value, in order; names may repeat."""

    title: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    tables: tuple[Table, ...]
    curves: tuple[Curve, ...]

    def fact(self, name: str) -> str:
        """Return the first fact of that name, "" when there is none."""
        return next((value for each, value in self.facts if each == name), "")


def from_json(told: Mapping[str, Any]) -> Report:
    """Return the report that `lead.outcomes.v1.Report` says in JSON."""
    return Report(
        title=str(told.get("title", "")),
        facts=tuple(_facts(told)),
        notes=tuple(map(str, told.get("notes", ()))),
        tables=tuple(_table(each) for each in told.get("tables", ())),
        curves=tuple(_curve(each) for each in told.get("curves", ())),
    )


def _facts(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in told.get("facts", ()):
        yield str(each.get("name", "")), str(each.get("value", ""))
    for name, field in (("Snapshot", "snapshotId"), ("Frozen at", "frozenTime"), ("Snapshot SHA-256", "digest")):
        if field in told:
            yield name, str(told[field])


def _table(told: Mapping[str, Any]) -> Table:
    columns = tuple(map(str, told.get("columns", ())))
    rows = tuple(tuple(_cell(each) for each in row.get("cells", ())) for row in told.get("rows", ()))
    return Table(str(told.get("id", "")), str(told.get("title", "")), columns, rows)


def _cell(told: Mapping[str, Any]) -> Cell:
    number = told.get("number")
    return Cell(str(told.get("text", "")), None if number is None else float(number), bool(told.get("suppressed")))


def _curve(told: Mapping[str, Any]) -> Curve:
    return Curve(str(told.get("title", "")), tuple(_point(each) for each in told.get("points", ())))


def _point(told: Mapping[str, Any]) -> Point:
    # Zero may be left out in JSON.
    low, high = (None if told.get(name) is None else float(told[name]) for name in ("low", "high"))
    return Point(float(told.get("days", 0)), float(told.get("risk", 0)), low, high)
