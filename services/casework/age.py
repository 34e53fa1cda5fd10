"""Whether a person is old enough for a site, by a birth date that may be partial (contract, Rules). No IO."""

from __future__ import annotations

from datetime import UTC, date, datetime

from services.casework.domain import Person
from services.shared.errors import Violation, invalid
from services.shared.sites import Site

# Where no site pack says otherwise.
_LEAST_AGE = 18


def old_enough(person: Person | None, site: Site | None, now: datetime) -> None:
    """Raise INVALID_ARGUMENT for a birth date of somebody who is surely too young, unless the juvenile track is open.

    A partial date that leaves it open is for the case manager to find out.
    """
    if person is None or not person.birth_date or (site is not None and site.juvenile_track):
        return
    least = _LEAST_AGE if site is None else site.min_age
    today = now.astimezone(UTC if site is None else site.zone).date()
    if _years(_earliest(person.birth_date), today) < least:
        wish = f"of somebody who is at least {least}, the least age at this site"
        raise invalid([Violation("person.birthDate", wish)])


def _earliest(birth_date: str) -> date:
    year, month, day = (*map(int, birth_date.split("-")), 1, 1)[:3]
    return date(year, month, day)


def _years(born: date, on: date) -> int:
    # Who was born on 29 February is a year older from 1 March on.
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
