"""Whose programme office answers for a record."""

from __future__ import annotations

import pytest

from services.casework.index.offices import Office
from tests.unit.casework.builders import POLICE, SITE
from tests.unit.casework.people import OFFICES
from tests.unit.casework.registry import FAR_OFFICE, FAR_POLICE, FAR_SITE, JAIL, LONELY_POLICE, OFFICE, PRISON

HERE, FAR = Office(SITE, OFFICE), Office(FAR_SITE, FAR_OFFICE)


@pytest.mark.parametrize(
    ("agency_id", "office"),
    [(POLICE, HERE), (FAR_POLICE, FAR), (PRISON, HERE), (LONELY_POLICE, None), ("unheard-of", None)],
)
def test_an_agency_belongs_to_the_first_of_its_sites_that_has_an_office(agency_id: str, office: Office | None) -> None:
    assert OFFICES.of(agency_id) == office


@pytest.mark.parametrize(
    ("one", "other", "office"),
    [
        (POLICE, JAIL, HERE),
        (PRISON, POLICE, HERE),
        (PRISON, FAR_POLICE, FAR),
        (POLICE, FAR_POLICE, None),
        (LONELY_POLICE, PRISON, None),
        (POLICE, "unheard-of", None),
    ],
)
def test_two_agencies_meet_at_the_first_common_site_that_has_an_office(
    one: str, other: str, office: Office | None
) -> None:
    assert OFFICES.shared(one, other) == office
