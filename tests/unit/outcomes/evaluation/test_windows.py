from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.outcomes.evaluation.cohort import before, end_of
from services.outcomes.evaluation.windows import SIX_MONTHS, TWO_YEARS, WINDOWS, Window, calendar

TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def months_later(time: datetime, months: int) -> datetime:
    """The same day and time so many months on, or the last day there is."""
    year, month = divmod(time.year * 12 + time.month - 1 + months, 12)
    return time.replace(year=year, month=month + 1, day=min(time.day, monthrange(year, month + 1)[1]))


def frame(times: list[datetime]) -> pl.DataFrame:
    column = pl.Series("origin", times, dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame([column, column.alias("t0")])


@settings(deadline=None)
@given(st.lists(TIMES, min_size=1, max_size=50), st.integers(1, 60))
def test_windows_end_on_the_same_day_of_the_month_or_its_last(times: list[datetime], months: int) -> None:
    window = Window(id="any", months=months)
    ends = frame(times).select(end_of(window)).to_series().to_list()
    assert ends == [months_later(time, months) for time in times]


@settings(deadline=None)
@given(TIMES, TIMES)
def test_who_starts_later_never_ends_earlier(one: datetime, other: datetime) -> None:
    first, last = sorted((one, other))
    ends = frame([first, last]).select(end_of(SIX_MONTHS)).to_series().to_list()
    assert ends[0] <= ends[1]
    assert timedelta(days=181) <= ends[0] - first <= timedelta(days=184)


@settings(deadline=None)
@given(st.lists(TIMES, min_size=1, max_size=50))
def test_the_window_before_is_as_long_and_ends_just_before_t0(times: list[datetime]) -> None:
    people = before(frame(times).with_columns(anchor="t0"), TWO_YEARS)
    assert people.get_column("origin").to_list() == [months_later(time, -24) for time in times]
    assert people.get_column("anchor").equals(people.get_column("origin"))
    assert people.get_column("end").to_list() == [time - timedelta(microseconds=1) for time in times]


def test_a_window_is_either_months_or_a_stretch_of_the_calendar() -> None:
    early, late = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)
    assert WINDOWS == {"6m": SIX_MONTHS, "24m": TWO_YEARS}
    assert calendar(early, late).text == "calendar window 2024-01-01 to 2024-07-01, by exposure time"
    for wrong in ({}, {"months": 0}, {"months": 6, "start": early}, {"start": early}, {"start": late, "end": early}):
        with pytest.raises(ValueError, match=r"a window of months|a calendar window"):
            Window(id="wrong", **wrong)
