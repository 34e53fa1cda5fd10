"""Rules on the referral itself: where, when, by whom, and what only the programme can tell."""

from __future__ import annotations

from collections.abc import Iterator

from services.referral.screening.facts import ScreeningFacts
from services.referral.screening.moment import Moment
from services.referral.screening.result import Finding, failing, needs_info
from services.shared.sites.pack import Rule
from services.shared.sites.rules import Geography, Hours, Nothing, ProgrammeOwned, Weekday

_NOT_GIVEN = "not given"
_WEEKDAYS: tuple[Weekday, ...] = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def geography(rule: Rule[Geography], facts: ScreeningFacts, _moment: Moment) -> Iterator[Finding]:
    """The incident must lie in one of the beats or zones."""
    limit = f"one of {', '.join(rule.params.beats)}"
    if facts.beat is None:
        yield needs_info(_NOT_GIVEN, limit)
    elif facts.beat not in rule.params.beats:
        yield failing(rule.failing, facts.beat, limit)


def hours_of_operation(rule: Rule[Hours], facts: ScreeningFacts, moment: Moment) -> Iterator[Finding]:
    """The door must be staffed at the time of the incident."""
    params = rule.params
    local = moment.of_incident(facts)
    weekday = _WEEKDAYS[local.weekday()]
    if weekday not in params.days or not params.opens <= local.time() < params.closes:
        hours = f"{' '.join(params.days)} from {params.opens:%H:%M} to {params.closes:%H:%M}"
        yield failing(rule.failing, f"{weekday} {local:%H:%M}", hours)


def referrer_type_allowed(rule: Rule[Nothing], facts: ScreeningFacts, moment: Moment) -> Iterator[Finding]:
    """The door must admit referrals by this role; a door that is closed admits none."""
    allowed = moment.site.referrers_for(facts.door)
    limit = f"one of {', '.join(allowed)}" if allowed else "nobody"
    if facts.referrer_role is None:
        yield needs_info(_NOT_GIVEN, limit)
    elif facts.referrer_role not in allowed:
        yield failing(rule.failing, facts.referrer_role, limit)


def programme_owned(rule: Rule[ProgrammeOwned], _facts: ScreeningFacts, _moment: Moment) -> Iterator[Finding]:
    """Always the same, whoever the person is: the answer must not tell whether he is known (contract.md)."""
    yield Finding(effect="PROGRAMME_REVIEW", input="known to the programme only", limit=rule.params.limit)
