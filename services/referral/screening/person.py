"""Rules on who the person is: age, and how long he has lived here."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from services.referral.screening.facts import ScreeningFacts
from services.referral.screening.moment import Moment
from services.referral.screening.result import Finding, failing, needs_info
from services.shared.sites.pack import Rule
from services.shared.sites.rules import Nothing, Residency

_NOT_GIVEN = "not given"


def min_age(rule: Rule[Nothing], facts: ScreeningFacts, moment: Moment) -> Iterator[Finding]:
    """A birth date or age range that leaves the answer open is NEEDS_INFO, never a guess (contract.md, Rules)."""
    least_allowed = moment.site.min_age
    given, ages = _ages(facts, moment.of_incident(facts).date())
    limit = f"at least {least_allowed} years"
    if ages is None:
        yield needs_info(given, limit)
        return
    least, greatest = ages
    if greatest is not None and greatest < least_allowed:
        yield failing(rule.failing, given, limit)
    elif least < least_allowed:
        yield needs_info(given, limit)


def residency_months(rule: Rule[Residency], facts: ScreeningFacts, _moment: Moment) -> Iterator[Finding]:
    """The person must have lived here for so many months."""
    limit = f"at least {rule.params.months} months"
    if facts.residency_months is None:
        yield needs_info(_NOT_GIVEN, limit)
    elif facts.residency_months < rule.params.months:
        yield failing(rule.failing, f"{facts.residency_months} months", limit)


def birth_span(birth_date: str) -> tuple[date, date] | None:
    """Return the first and last day that a partial birth date may mean, or None when it is no date."""
    try:
        match [int(part) for part in birth_date.split("-")]:
            case [year]:
                return date(year, 1, 1), date(year, 12, 31)
            case [year, month]:
                return date(year, month, 1), date(year, month, monthrange(year, month)[1])
            case [year, month, day]:
                return date(year, month, day), date(year, month, day)
    except ValueError:
        return None
    return None


def _ages(facts: ScreeningFacts, on: date) -> tuple[str, tuple[int, int | None] | None]:
    """Return what was given of the age, and the least and greatest age that it means on that day."""
    span = birth_span(facts.birth_date) if facts.birth_date else None
    if span is not None:
        return f"born {facts.birth_date}", (_age(span[1], on), _age(span[0], on))
    if facts.age_range is not None:
        least, greatest = facts.age_range
        if greatest is None:
            return f"{least} years or older", facts.age_range
        return f"{least} years" if least == greatest else f"{least} to {greatest} years", facts.age_range
    return _NOT_GIVEN, None


def _age(born: date, on: date) -> int:
    # Who was born on 29 February is a year older from 1 March on.
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
