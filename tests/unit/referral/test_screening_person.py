"""Age and residency: partial birth dates and ranges leave open what they leave open."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.screening.person import birth_span
from services.shared.sites.rules import Residency
from tests.unit.referral.screening_builders import NOW, SANTA_FE, a_site_with, reason_for, screened

# NOW is 2 March 2026.


@pytest.mark.parametrize(
    ("birth_date", "result"),
    [
        ("2008-03-02", "ELIGIBLE"),
        ("2008-03-03", "PRESUMPTIVELY_INELIGIBLE"),
        ("2008-03", "NEEDS_INFO"),
        ("2008-02", "ELIGIBLE"),
        ("2008-04", "PRESUMPTIVELY_INELIGIBLE"),
        ("2008", "NEEDS_INFO"),
        ("2007", "ELIGIBLE"),
        ("2009", "PRESUMPTIVELY_INELIGIBLE"),
        ("2008-13", "NEEDS_INFO"),
        ("soon", "NEEDS_INFO"),
        ("1-2-3-4", "NEEDS_INFO"),
        (None, "NEEDS_INFO"),
    ],
)
def test_a_birth_date_decides_only_as_far_as_it_is_known(birth_date: str | None, result: str) -> None:
    assert screened(SANTA_FE, birth_date=birth_date).result == result


def test_age_is_taken_at_the_incident() -> None:
    day_before = datetime(2026, 3, 1, 20, tzinfo=UTC)
    assert screened(SANTA_FE, birth_date="2008-03-02").result == "ELIGIBLE"
    younger = screened(SANTA_FE, birth_date="2008-03-02", incident_time=day_before)
    assert younger.result == "PRESUMPTIVELY_INELIGIBLE"


def test_the_day_of_the_incident_is_the_sites_own() -> None:
    # In Santa Fe it is still 1 March.
    after_midnight_utc = datetime(2026, 3, 2, 3, tzinfo=UTC)
    reason = reason_for(screened(SANTA_FE, birth_date="2008-03-02", incident_time=after_midnight_utc), "min_age")
    assert (reason.input, reason.limit, reason.quotes) == ("born 2008-03-02", "at least 18 years", "IDENTITY")


@pytest.mark.parametrize(
    ("ages", "result", "shown"),
    [
        ((18, 25), "ELIGIBLE", ""),
        ((99, None), "ELIGIBLE", ""),
        ((16, 19), "NEEDS_INFO", "16 to 19 years"),
        ((10, None), "NEEDS_INFO", "10 years or older"),
        ((17, 17), "PRESUMPTIVELY_INELIGIBLE", "17 years"),
    ],
)
def test_an_age_range_is_kept_and_never_becomes_a_birth_date(
    ages: tuple[int, int | None], result: str, shown: str
) -> None:
    screening = screened(SANTA_FE, birth_date=None, age_range=ages)
    assert screening.result == result
    assert [reason.input for reason in screening.reasons] == ([shown] if shown else [])


def test_who_was_born_on_29_february_comes_of_age_on_1_march() -> None:
    before, after = datetime(2026, 2, 28, 20, tzinfo=UTC), datetime(2026, 3, 1, 20, tzinfo=UTC)
    results = [screened(SANTA_FE, birth_date="2008-02-29", incident_time=time).result for time in (before, after)]
    assert results == ["PRESUMPTIVELY_INELIGIBLE", "ELIGIBLE"]


@given(st.dates(min_value=date(1900, 1, 1), max_value=NOW.date()))
def test_knowing_more_of_a_birth_date_never_contradicts_knowing_less(born: date) -> None:
    exact, month, year = born.isoformat(), born.isoformat()[:7], born.isoformat()[:4]
    full = screened(SANTA_FE, birth_date=exact).result
    assert full != "NEEDS_INFO"
    assert screened(SANTA_FE, birth_date=month).result in (full, "NEEDS_INFO")
    assert screened(SANTA_FE, birth_date=year).result in (full, "NEEDS_INFO")


@given(st.text(max_size=12))
def test_no_text_breaks_the_reading_of_a_birth_date(text: str) -> None:
    span = birth_span(text)
    assert span is None or span[0] <= span[1]


@pytest.mark.parametrize(
    ("months", "result"), [(24, "ELIGIBLE"), (23, "PRESUMPTIVELY_INELIGIBLE"), (None, "NEEDS_INFO")]
)
def test_residency_counts_months(months: int | None, result: str) -> None:
    assert screened(a_site_with("residency_months", Residency(months=24)), residency_months=months).result == result
