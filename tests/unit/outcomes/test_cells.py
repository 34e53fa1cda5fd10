"""Cells: what is suppressed has no number, and what cannot be told is not a number either."""

from __future__ import annotations

import math

import pytest

from services.outcomes import cells
from services.outcomes.evaluation.report import Estimate
from services.outcomes.phrases import about


def test_a_suppressed_count_says_so_and_has_no_number() -> None:
    cell = cells.count(None)
    assert (cell.text, cell.suppressed, cell.HasField("number")) == ("suppressed", True, False)


def test_zero_is_a_number() -> None:
    cell = cells.count(0)
    assert (cell.text, cell.number, cell.HasField("suppressed")) == ("0", 0, False)


def test_a_share_is_printed_as_a_percentage_with_its_interval() -> None:
    assert [each.text for each in cells.share(Estimate(0.6, 0.525, 0.67))] == ["60.0%", "52.5%", "67.0%"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_not_printed_as_one(value: float) -> None:
    figures = [*cells.ratio(Estimate(1.0, value, None)), cells.plain(value)]
    assert [each.text for each in figures] == ["1.00", cells.NOTHING, cells.NOTHING, cells.NOTHING]
    assert not any(each.HasField("number") for each in figures[1:])


def test_nothing_is_rounded_to_a_negative_zero() -> None:
    assert cells.plain(-0.001).text == "0.00"


def test_a_table_without_rows_is_none_and_a_row_has_all_columns() -> None:
    assert cells.table("id", "title", ["a"], []) is None
    with pytest.raises(ValueError, match="does not fit"):
        cells.table("id", "title", ["a", "b"], [[cells.words("x")]])


@pytest.mark.parametrize(
    ("people", "text"),
    [(0, "fewer than 11"), (10, "fewer than 11"), (11, "about 10"), (13, "about 15"), (1_002, "about 1,000")],
)
def test_a_note_tells_no_small_count_and_no_exact_one(people: int, text: str) -> None:
    assert about(people) == text
