"""Which cells of a table may be shown (evaluation.md, "Release of figures").

A cell under 11 is hidden. So are others, until nothing that is shown, here or in a table beside it, gives one away:
what is not known of a sum never is one such cell alone and never adds up to less than 11, and no combination of sums
has just one solution for such a cell. This holds even against somebody who knows the shown counts exactly; they are
rounded to 5 on top, so that bounds (no count is below nothing) narrow down no cell either.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

LEAST = 11
STEP = 5

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Cell:
    """A count of people.

    Of several that could be hidden it is the one with the least worth. One that is never shown is a complement that
    somebody could work out; under 11, that must not be possible either.
    """

    value: int
    worth: int = 0
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Sum(Generic[K]):
    """A cell that other cells add up to."""

    total: K
    parts: tuple[K, ...]

    @property
    def cells(self) -> tuple[K, ...]:
        """All of them."""
        return (self.total, *self.parts)


def rounded(count: float) -> int:
    """Return a count to the nearest 5."""
    return int((count + STEP / 2) // STEP) * STEP


def hidden(cells: Mapping[K, Cell], sums: Sequence[Sum[K]]) -> frozenset[K]:
    """Return the cells to hide. Raises ValueError for parts that do not add up, KeyError for a cell not there."""
    for each in sums:
        if cells[each.total].value != sum(cells[part].value for part in each.parts):
            raise ValueError("the parts of a sum do not add up")
    gone = {key for key, cell in cells.items() if cell.value < LEAST or not cell.shown}
    while more := _next(cells, sums, gone):
        gone |= more
    return frozenset(gone)


def _next(cells: Mapping[K, Cell], sums: Sequence[Sum[K]], gone: set[K]) -> set[K]:
    """Return one more cell to hide, or none when nothing is given away."""
    for each in sums:
        if _gives_away(cells, each, gone):
            shown = [key for key in each.cells if key not in gone]
            if shown:
                return {min(shown, key=lambda key: (cells[key].worth, cells[key].value))}
    return _beside_solved(cells, sums, gone)


def _gives_away(cells: Mapping[K, Cell], each: Sum[K], gone: set[K]) -> bool:
    away = [key for key in each.cells if key in gone]
    if len(away) == 1:
        return cells[away[0]].value < LEAST
    # Two that together are under 11 are each known nearly as well as one alone.
    parts_alone = bool(away) and each.total not in gone
    return parts_alone and sum(cells[key].value for key in away) < LEAST


def _beside_solved(cells: Mapping[K, Cell], sums: Sequence[Sum[K]], gone: set[K]) -> set[K]:
    for key in _solved(sums, gone):
        if cells[key].value < LEAST:
            beside = _nearest_shown(key, sums, gone)
            if beside:
                return {min(beside, key=lambda other: (cells[other].worth, cells[other].value))}
    return set()


def _nearest_shown(key: K, sums: Sequence[Sum[K]], gone: set[K]) -> set[K]:
    """The shown cells of the sums that hold a cell, else of those that share a hidden cell with them, and so on."""
    reached = {key}
    while True:
        near = {other for each in sums if reached & set(each.cells) for other in each.cells}
        if near - gone or near <= reached:
            return near - gone
        reached |= near


def _solved(sums: Iterable[Sum[K]], gone: set[K]) -> list[K]:
    """Return the hidden cells that the sums together determine: pivots of the reduced equations that stand alone."""
    rows: dict[K, dict[K, float]] = {}
    for each in sums:
        row = _reduced(_equation(each, gone), rows)
        if not row:
            continue
        pivot = next(iter(row))
        row = {key: factor / row[pivot] for key, factor in row.items()}
        rows = {key: _without(other, pivot, row) for key, other in rows.items()}
        rows[pivot] = row
    return [key for key, row in rows.items() if len(row) == 1]


def _equation(each: Sum[K], gone: set[K]) -> dict[K, float]:
    row = {part: 1.0 for part in each.parts if part in gone}
    return {**row, each.total: -1.0} if each.total in gone else row


def _reduced(row: dict[K, float], rows: Mapping[K, dict[K, float]]) -> dict[K, float]:
    for pivot in [key for key in row if key in rows]:
        row = _without(row, pivot, rows[pivot])
    return row


def _without(row: dict[K, float], pivot: K, by: Mapping[K, float]) -> dict[K, float]:
    factor = row.get(pivot)
    if not factor:
        return row
    left = {key: row.get(key, 0.0) - factor * by.get(key, 0.0) for key in {**row, **by}}
    return {key: value for key, value in left.items() if abs(value) > 1e-9}
