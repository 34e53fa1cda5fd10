"""Whether a person is old enough for a site."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.casework.age import old_enough
from services.casework.domain import Person
from services.shared.errors import LeadError
from services.shared.places import site_packs
from services.shared.sites import load_sites
from tests.unit.casework.builders import SITE

PACK = load_sites(site_packs())[SITE]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def born(birth_date: str) -> Person:
    return Person(given_name="Testa", family_name="Sample", birth_date=birth_date)


@pytest.mark.parametrize("birth_date", ["2008-03-03", "2008-04", "2009", "2026-03"])
def test_who_is_surely_too_young_is_refused_by_the_path(birth_date: str) -> None:
    with pytest.raises(LeadError) as refused:
        old_enough(born(birth_date), PACK, NOW)
    assert [each.path for each in refused.value.violations] == ["person.birthDate"]
    assert birth_date not in refused.value.violations[0].wish


@pytest.mark.parametrize("birth_date", ["2008-03-02", "2008-03", "2008", "1990", ""])
def test_who_may_be_old_enough_is_taken(birth_date: str) -> None:
    old_enough(born(birth_date), PACK, NOW)
    old_enough(None, PACK, NOW)


def test_a_juvenile_track_takes_everybody() -> None:
    old_enough(born("2015"), replace(PACK, juvenile_track=True), NOW)


def test_the_sites_own_age_counts_and_eighteen_where_there_is_no_pack() -> None:
    old_enough(born("2009"), replace(PACK, min_age=16), NOW)
    old_enough(born("2008"), None, NOW)
    with pytest.raises(LeadError):
        old_enough(born("2009"), None, NOW)


def test_the_day_is_the_sites() -> None:
    # Still the evening before at the site.
    just_after_midnight = datetime(2026, 3, 2, 1, tzinfo=UTC)
    with pytest.raises(LeadError):
        old_enough(born("2008-03-02"), PACK, just_after_midnight)


def test_who_was_born_on_a_leap_day_is_older_from_the_first_of_march_on() -> None:
    with pytest.raises(LeadError):
        old_enough(born("2008-02-29"), PACK, datetime(2026, 2, 28, 20, tzinfo=UTC))
    old_enough(born("2008-02-29"), PACK, datetime(2026, 3, 1, 20, tzinfo=UTC))
