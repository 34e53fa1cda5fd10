from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.outcomes.evaluation.suppression import LEAST, Cell, Sum, hidden, rounded
from tests.unit.outcomes.evaluation.subtraction import determined

Key = tuple[int, int]
TOTAL = -1
TABLE = st.integers(1, 4).flatmap(
    lambda wide: st.lists(st.lists(st.integers(0, 45), min_size=wide, max_size=wide), min_size=1, max_size=4)
)


def crossed(table: list[list[int]]) -> tuple[dict[Key, Cell], list[Sum[Key]]]:
    """A table with row, column and grand totals."""
    grid = np.array(table)
    cells = {(row, column): Cell(int(value)) for (row, column), value in np.ndenumerate(grid)}
    cells |= {(row, TOTAL): Cell(int(value), worth=1) for row, value in enumerate(grid.sum(axis=1))}
    cells |= {(TOTAL, column): Cell(int(value), worth=1) for column, value in enumerate(grid.sum(axis=0))}
    cells[TOTAL, TOTAL] = Cell(int(grid.sum()), worth=2)
    high, wide = grid.shape
    rows = [Sum((row, TOTAL), tuple((row, column) for column in range(wide))) for row in [*range(high), TOTAL]]
    columns = [Sum((TOTAL, column), tuple((row, column) for row in range(high))) for column in [*range(wide), TOTAL]]
    return cells, rows + columns


@settings(deadline=None, max_examples=150)
@given(TABLE)
def test_no_suppressed_cell_can_be_had_from_totals_or_neighbours(table: list[list[int]]) -> None:
    cells, sums = crossed(table)
    gone = hidden(cells, sums)
    small = {key for key in gone if cells[key].value < LEAST}
    equations = [{each.total: -1} | dict.fromkeys(each.parts, 1) for each in sums]
    solved = determined(equations, gone)
    assert not small & solved
    for each in sums:
        away = [key for key in each.parts if key in gone]
        if away and each.total not in gone and small & set(away):
            assert sum(cells[key].value for key in away) >= LEAST


@settings(deadline=None, max_examples=100)
@given(TABLE)
def test_every_small_cell_is_hidden_and_nothing_without_need(table: list[list[int]]) -> None:
    cells, sums = crossed(table)
    gone = hidden(cells, sums)
    assert {key for key, cell in cells.items() if cell.value < LEAST} <= gone
    if all(cell.value >= LEAST for cell in cells.values()):
        assert not gone


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 60), st.integers(0, 60))
def test_a_cell_and_its_complement_are_shown_together_or_not_at_all(part: int, rest: int) -> None:
    cells = {"whole": Cell(part + rest, worth=1), "part": Cell(part), "rest": Cell(rest)}
    gone = hidden(cells, [Sum("whole", ("part", "rest"))])
    assert ("part" in gone) == ("rest" in gone) == (min(part, rest) < LEAST)


def test_a_complement_that_is_never_shown_is_protected_as_well() -> None:
    cells = {"whole": Cell(100, worth=1), "part": Cell(95), "rest": Cell(5, shown=False)}
    assert hidden(cells, [Sum("whole", ("part", "rest"))]) == {"rest", "part"}
    # A large one is nobody's secret.
    cells = {"whole": Cell(100, worth=1), "part": Cell(50), "rest": Cell(50, shown=False)}
    assert hidden(cells, [Sum("whole", ("part", "rest"))]) == {"rest"}


def test_what_a_reader_would_miss_least_is_hidden() -> None:
    cells = {"people": Cell(100, worth=1), "complete": Cell(95, worth=2), "censored": Cell(5)}
    assert hidden(cells, [Sum("people", ("complete", "censored"))]) == {"censored", "people"}


def test_small_cells_that_share_a_shown_total_are_not_left_alone_together() -> None:
    cells = {"whole": Cell(40, worth=9), "a": Cell(3), "b": Cell(4), "c": Cell(33)}
    assert hidden(cells, [Sum("whole", ("a", "b", "c"))]) == {"a", "b", "c"}


def test_a_cell_that_several_sums_give_away_together_is_found() -> None:
    # No sum has a single hidden cell, yet (a+b) + (b+c) - (a+c) is twice b.
    cells = {"a": Cell(20), "b": Cell(5), "c": Cell(20), "ab": Cell(25, 1), "bc": Cell(25, 1), "ac": Cell(40, 1)}
    sums = [Sum("ab", ("a", "b")), Sum("bc", ("b", "c")), Sum("ac", ("a", "c"))]
    gone = hidden(cells, sums)
    assert gone > {"a", "b", "c"}
    assert gone & {"ab", "bc", "ac"}


def test_parts_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        hidden({"whole": Cell(10), "part": Cell(9)}, [Sum("whole", ("part",))])


@given(st.integers(0, 10_000))
def test_counts_are_rounded_to_five(count: int) -> None:
    assume(count >= LEAST)
    assert rounded(count) % 5 == 0
    assert abs(rounded(count) - count) <= 2
