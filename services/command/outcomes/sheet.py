"""A report as CSV (RFC 4180): numbers as numbers, and no cell that a spreadsheet would run as a formula.

Several tables stand one below the other: a line with `#`, the table's id and its title, a header, rows, an empty line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from services.command.outcomes.report import NOTHING, Cell, Report, Table

# What spreadsheets take for the beginning of a formula; the last three also where they lead up to one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# The same letters in full width, which some read alike.
_FORMULA_WIDE = ("\uff1d", "\uff0b", "\uff0d", "\uff20")
# Plainly a number: float() would also take "-inf", digits of other scripts, and blanks around them.
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


class Writer(Protocol):
    """What `csv.writer` makes."""

    def writerow(self, row: Iterable[Any], /) -> Any:
        """Write one row."""

    def writerows(self, rows: Iterable[Iterable[Any]], /) -> Any:
        """Write rows."""


def tables_of(report: Report) -> dict[str, Table]:
    """Return all that CSV can hold, by id: the facts and notes are tables as well."""
    facts = Table("facts", "What it was counted by", ("Name", "Value"), tuple(map(_words, report.facts)))
    notes = Table("notes", "To be read with the figures", ("Note",), tuple(_words([each]) for each in report.notes))
    return {each.id: each for each in (facts, notes, *report.tables, _curves(report)) if each.rows}


def whole(report: Report) -> str:
    """Return all tables, one below the other, under the report's title."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["#", "report", safe(report.title)])
    for table in tables_of(report).values():
        writer.writerow([])
        writer.writerow(["#", safe(table.id), safe(table.title)])
        _write(writer, table)
    return out.getvalue()


def one(table: Table) -> str:
    """Return one table with its header, and nothing else."""
    out = io.StringIO()
    _write(csv.writer(out), table)
    return out.getvalue()


def safe(text: str) -> str:
    """Return the text as a cell that no spreadsheet runs: an apostrophe goes before what begins as a formula does.

    A number is none, whatever sign it begins with.
    """
    begins = text.startswith((*_FORMULA, *_FORMULA_WIDE))
    return f"'{text}" if begins and not _is_number(text) else text


def cell(found: Cell) -> str:
    """Return how a cell is written: its number where it has one, and nothing where there is no figure."""
    if found.number is not None:
        return f"{found.number:.0f}" if found.number.is_integer() else repr(found.number)
    return "" if found.text == NOTHING else safe(found.text)


def _write(writer: Writer, table: Table) -> None:
    writer.writerow([safe(column) for column in table.columns])
    writer.writerows([cell(each) for each in row] for row in table.rows)


def _words(texts: Iterable[str]) -> tuple[Cell, ...]:
    return tuple(Cell(text) for text in texts)


def _curves(report: Report) -> Table:
    rows = tuple(
        (Cell(curve.title), Cell(number=point.days), *_figures((point.risk, point.low, point.high)))
        for curve in report.curves
        for point in curve.points
    )
    return Table("curves", "Risk over time", ("Group", "Days", "Risk", "95% from", "95% to"), rows)


def _figures(numbers: Sequence[float | None]) -> Iterable[Cell]:
    return (Cell(number=each) for each in numbers)


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None
