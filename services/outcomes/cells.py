"""Cells of report tables: as they are printed, and as a number where they are one and may be told."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from lead.outcomes.v1 import outcomes_pb2 as pb

from services.outcomes.evaluation.report import Estimate

SUPPRESSED = "suppressed"
# Where there is no figure, whether nothing could be estimated or it would tell too much.
NOTHING = "–"  # noqa: RUF001 - an en dash is what a table has there

Cell = pb.ReportCell


def words(text: str) -> Cell:
    """Return a cell that is no figure."""
    return Cell(text=text)


def count(number: float | None) -> Cell:
    """Return a count of people or events; None is one that is suppressed."""
    if number is None:
        return Cell(text=SUPPRESSED, suppressed=True)
    return Cell(text=f"{number:,.0f}", number=number)


def share(estimate: Estimate | None) -> list[Cell]:
    """Return value, lower and upper bound of a share or a risk, printed as percentages."""
    return _three(estimate, lambda value: f"{value * 100:.1f}%")


def fraction(value: float | None) -> Cell:
    """Return a share without an interval, printed as a percentage."""
    return words(NOTHING) if value is None else Cell(text=f"{value * 100:.1f}%", number=value)


def ratio(estimate: Estimate | None) -> list[Cell]:
    """Return value, lower and upper bound of a ratio or a rate."""
    return _three(estimate, lambda value: f"{value:.2f}")


def plain(number: float | None, digits: int = 2) -> Cell:
    """Return a figure that is no count."""
    # What is rounded to zero has no sign.
    if number is None or not math.isfinite(number):
        return words(NOTHING)
    return Cell(text=f"{round(number, digits) + 0.0:,.{digits}f}", number=number)


def _three(estimate: Estimate | None, printed: Callable[[float], str]) -> list[Cell]:
    numbers = (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)
    # What could not be estimated may come as no number, or as none at all.
    return [
        Cell(text=printed(each), number=each) if each is not None and math.isfinite(each) else words(NOTHING)
        for each in numbers
    ]


def table(id: str, title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> pb.ReportTable | None:
    """Return a table, None for one without rows. Raises ValueError when a row doesn't fit its columns."""
    found = [list(row) for row in rows]
    if any(len(row) != len(columns) for row in found):
        raise ValueError(f"a row of {id} does not fit its columns")
    filled = [pb.ReportRow(cells=row) for row in found]
    return pb.ReportTable(id=id, title=title, columns=columns, rows=filled) if filled else None
