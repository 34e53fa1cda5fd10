"""Quarters, and which of them is frozen when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.domain import Figure, Quarter, frozen_next
from services.outcomes.snapshots import complete_through, figures

_MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone beside
_QUARTERS = st.builds(Quarter, st.integers(1990, 2090), st.integers(1, 4))


@given(_QUARTERS)
def test_a_quarter_reads_as_it_is_written(quarter: Quarter) -> None:
    assert Quarter.parse(str(quarter)) == quarter


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-Q5", "2026-Q0", "2026-q1", "0000-Q1", "2026-Q1 ", "٢٠٢٦-Q1", "latest"]
)
def test_no_other_text_is_a_quarter(text: str) -> None:
    assert Quarter.parse(text) is None


@given(_QUARTERS)
def test_quarters_follow_each_other_without_a_gap(quarter: Quarter) -> None:
    assert quarter.following.preceding == quarter
    assert Quarter.of(quarter.end) == quarter
    assert Quarter.of(quarter.end + timedelta(seconds=1)) == quarter.following


def test_a_quarter_ends_with_its_last_second() -> None:
    assert Quarter(2026, 4).end == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert Quarter(2024, 1).end == datetime(2024, 3, 31, 23, 59, 59, tzinfo=UTC)


@given(_MOMENTS)
def test_the_first_snapshot_is_of_the_newest_complete_quarter(through: datetime) -> None:
    first = frozen_next(None, through)
    assert first is not None
    assert first.end <= through < first.following.end


@given(_QUARTERS, _MOMENTS)
def test_after_the_first_one_quarter_follows_the_other_and_none_before_it_is_complete(
    last: Quarter, through: datetime
) -> None:
    found = frozen_next(last, through)
    if last.following.end <= through:
        assert found == last.following
    else:
        assert found is None


def test_nothing_is_frozen_while_nothing_is_declared() -> None:
    assert frozen_next(None, None) is None
    assert frozen_next(Quarter(2026, 1), None) is None


def test_the_earliest_feed_holds_the_others_back() -> None:
    day = datetime(2026, 7, 1, tzinfo=UTC)
    assert complete_through([day, day - timedelta(days=80)]) == day - timedelta(days=80)


def test_a_feed_that_has_left_holds_nobody_back() -> None:
    day = datetime(2026, 7, 1, tzinfo=UTC)
    assert complete_through([day, day - timedelta(days=400)]) == day


def test_a_feed_that_has_declared_nothing_holds_everybody_back() -> None:
    assert complete_through([datetime(2026, 7, 1, tzinfo=UTC), None]) is None
    assert complete_through([]) is None


def test_a_snapshot_holds_every_definition_of_every_population_over_every_window_and_the_funnel() -> None:
    found = [each.name for each in figures("seattle")]
    assert len(found) == len(set(found)) == 6 * 3 * 3 + 1
    assert "funnel" in found
    assert "rearrest/ARR_NEWCONDUCT/COMPLETERS/24m" in found


def test_the_clock_is_no_part_of_a_snapshot_name() -> None:
    bare = Figure(kind="rearrest", site_id="seattle", definition="ARR_ALL", population="ITT", window="6m")
    assert bare.name == "rearrest/ARR_ALL/ITT/6m"
