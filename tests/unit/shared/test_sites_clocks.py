"""Deadlines count calendar days where the site is, and routing goes charge by charge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.places import site_packs
from services.shared.sites import due_time, handoff_window_end, load_sites, offices

SITES = load_sites(site_packs())
SEATTLE, SANTA_FE = SITES["seattle"], SITES["santa-fe"]


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("referred", "due"),
    [
        # Both in standard time.
        ("2026-01-05T18:00:00", "2026-02-05T07:59:59"),
        # The clocks go forward on 8 March: the last day ends an hour earlier in UTC.
        ("2026-02-20T18:00:00", "2026-03-23T06:59:59"),
        # They go back on 1 November.
        ("2026-10-20T18:00:00", "2026-11-20T07:59:59"),
        # The due day is the very day on which they go forward.
        ("2026-02-06T18:00:00", "2026-03-09T06:59:59"),
        # Over the end of February, and of a leap year's.
        ("2026-01-30T18:00:00", "2026-03-02T07:59:59"),
        ("2028-01-30T18:00:00", "2028-03-01T07:59:59"),
        # Late in the evening it is the next day in UTC, not in Seattle.
        ("2026-01-06T07:30:00", "2026-02-05T07:59:59"),
        ("2026-01-06T08:00:00", "2026-02-06T07:59:59"),
        # Over the end of a year.
        ("2025-12-31T20:00:00", "2026-01-31T07:59:59"),
    ],
)
def test_the_intake_is_due_at_the_end_of_a_local_day(referred: str, due: str) -> None:
    assert due_time(SEATTLE, "ARREST_DIVERSION", _utc(referred)) == _utc(due)


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_due_day_is_thirty_local_days_on_and_ends_with_it(referred: datetime) -> None:
    due = due_time(SEATTLE, "ARREST_DIVERSION", referred)
    assert due is not None
    assert due.utcoffset() == timedelta(0)
    local = due.astimezone(SEATTLE.zone)
    assert (local.date() - referred.astimezone(SEATTLE.zone).date()).days == 30
    assert (due + timedelta(seconds=1)).astimezone(SEATTLE.zone).date() > local.date()


def test_a_day_that_ends_twice_ends_the_second_time() -> None:
    # Scoresbysund's clocks went back from midnight to eleven in the evening of 26 October 2024.
    site = replace(SEATTLE, time_zone="America/Scoresbysund")
    due = due_time(site, "ARREST_DIVERSION", datetime(2024, 9, 26, 12, tzinfo=UTC))
    assert due == _utc("2024-10-27T01:59:59")


def test_a_door_without_a_deadline_has_no_due_time() -> None:
    now = _utc("2026-01-05T18:00:00")
    assert due_time(SEATTLE, "SOCIAL_CONTACT", now) is None
    assert due_time(SEATTLE, "COMMUNITY", now) is None
    assert due_time(SANTA_FE, "SOCIAL_CONTACT", now) is not None


def test_the_handoff_window_is_72_hours_after_an_arrest_and_the_outreach_limit_otherwise() -> None:
    requested = _utc("2026-03-07T18:00:00")
    assert handoff_window_end(SEATTLE, "ARREST_DIVERSION", requested) == requested + timedelta(hours=72)
    for door in ("SOCIAL_CONTACT", "COMMUNITY"):
        assert handoff_window_end(SEATTLE, door, requested) == requested + timedelta(days=90)


@dataclass(frozen=True)
class _Charge:
    id: str
    statute: str | None = None
    level: str | None = None


def test_each_charge_goes_to_its_own_office() -> None:
    charges = [
        _Charge("felony", level="FELONY"),
        _Charge("class_c", level="felony c"),
        _Charge("gross", level="GROSS_MISDEMEANOR"),
        _Charge("petty", level="M", statute="RCW 9A.56.050"),
        _Charge("city", statute="SMC 12A.08.060"),
        _Charge("city_felony", statute="SMC 12A.08.060", level="FELONY"),
        _Charge("unknown", statute="RCW 9A.56.050"),
        _Charge("odd", level="something"),
    ]
    attorney, prosecutor = "sample-city-attorney", "sample-county-prosecutor"
    assert offices(SEATTLE, charges) == {
        "felony": prosecutor,
        "class_c": prosecutor,
        "gross": attorney,
        "petty": attorney,
        "city": attorney,
        "city_felony": prosecutor,
        "unknown": prosecutor,
        "odd": prosecutor,
    }
    assert set(offices(SANTA_FE, charges).values()) == {"sample-santa-fe-prosecutor"}
    assert offices(SEATTLE, []) == {}
