from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from services.outcomes.evaluation.collapse import collapsed
from tests.unit.outcomes.evaluation.builders import T0

SCHEMA: dict[str, Any] = {
    "pid": pl.UInt32,
    "time": pl.Datetime("us", "UTC"),
    "incident": pl.UInt64,
    "booking": pl.UInt64,
}
KEY = st.none() | st.integers(0, 3)
ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 8).map(lambda hours: T0 + timedelta(hours=hours)), KEY, KEY),
    max_size=14,
)


def frame(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def partition(rows: pl.DataFrame) -> set[frozenset[int]]:
    """The events as sets of row numbers."""
    groups: dict[int, set[int]] = {}
    for row, event in rows.select("row", "event").rows():
        groups.setdefault(event, set()).add(row)
    return {frozenset(each) for each in groups.values()}


def joined(rows: list[tuple[object, ...]]) -> set[frozenset[int]]:
    """The same by joining any two rows that share something, until nothing changes."""
    sets = [{number} for number in range(len(rows))]

    def alike(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
        return one[0] == other[0] and any(
            key is not None and key == beside for key, beside in zip(one[1:], other[1:], strict=True)
        )

    for a in range(len(rows)):
        for b in range(a):
            if alike(rows[a], rows[b]):
                first, second = (next(each for each in sets if number in each) for number in (a, b))
                if first is not second:
                    first |= second
                    sets.remove(second)
    return {frozenset(each) for each in sets}


@settings(deadline=None, max_examples=80)
@given(ROWS)
def test_rows_that_share_anything_directly_or_through_others_are_one_event(rows: list[tuple[object, ...]]) -> None:
    assert partition(collapsed(frame(rows).with_row_index("row"))) == joined(rows)


@settings(deadline=None, max_examples=80)
@given(ROWS)
def test_collapsing_again_changes_nothing(rows: list[tuple[object, ...]]) -> None:
    once = collapsed(frame(rows).with_row_index("row"))
    # Every row told with its event's time and one key for its event, as if that were the feed.
    told = once.with_columns(
        time=pl.col("time").min().over("event"),
        incident=pl.col("event").cast(pl.UInt64),
        booking=pl.lit(None, pl.UInt64),
    ).drop("event")
    assert partition(collapsed(told)) == partition(once)
    firsts = told.unique(["pid", "incident"])
    assert collapsed(firsts).get_column("event").n_unique() == firsts.height
