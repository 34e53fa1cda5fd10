"""Clocks: wall time is aware UTC, monotonic time never goes back; the fake keeps both rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.shared.clock import Clock, SystemClock
from tests.support.clock import NOON, FakeClock

CLOCKS = [pytest.param(SystemClock(), id="system"), pytest.param(FakeClock(), id="fake")]


@pytest.mark.parametrize("clock", CLOCKS)
def test_now_is_aware_and_utc(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize("clock", CLOCKS)
def test_monotonic_never_goes_back(clock: Clock) -> None:
    seen = [clock.monotonic() for _ in range(100)]
    assert seen == sorted(seen)


def test_advance_moves_both_clocks() -> None:
    clock = FakeClock()
    before = clock.monotonic()
    clock.advance(1.5)
    assert clock.now() == NOON + timedelta(seconds=1.5)
    assert clock.monotonic() == before + 1.5


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="back"):
        FakeClock().advance(-1)


def test_a_wall_clock_that_jumps_back_leaves_monotonic_time_alone() -> None:
    clock = FakeClock()
    before = clock.monotonic()
    clock.set_wall(NOON - timedelta(hours=1))
    assert clock.now() == NOON - timedelta(hours=1)
    assert clock.monotonic() == before


def test_another_zone_is_turned_into_utc() -> None:
    clock = FakeClock(datetime(2026, 3, 2, 7, 0, tzinfo=timezone(timedelta(hours=-5))))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        FakeClock(NOON.replace(tzinfo=None))
