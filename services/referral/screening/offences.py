"""Rules on what somebody is charged with. Charges and the incident's other offences are both looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.referral.screening.facts import Charge, ScreeningFacts
from services.referral.screening.moment import Moment
from services.referral.screening.result import Finding, failing, needs_info
from services.shared.sites.pack import Rule
from services.shared.sites.rules import Offences
from services.shared.sites.words import level_covers, level_word, statute_covers

_NOTHING_GIVEN = "neither statute nor offence code given"


def offence_not_in(rule: Rule[Offences], facts: ScreeningFacts, _moment: Moment) -> Iterator[Finding]:
    """No charge and no other offence of the incident may belong to the set."""
    params = rule.params
    yield from _judged(rule, facts, outcome_of_member=False, limit=f"no {params.called}")


def no_other_crime(rule: Rule[Offences], facts: ScreeningFacts, _moment: Moment) -> Iterator[Finding]:
    """Every charge and every other offence of the incident must belong to the set."""
    params = rule.params
    yield from _judged(rule, facts, outcome_of_member=True, limit=f"only {params.called}")


def covers_code(codes: Iterable[str], given: str | None) -> bool:
    """Tell whether the offence code is one of these, whatever its case."""
    return given is not None and given.strip().upper() in codes


def covers_statute(statutes: Iterable[str], given: str | None) -> bool:
    """Tell whether the citation is one of these statutes or a part of one."""
    return given is not None and any(statute_covers(statute, given) for statute in statutes)


def _judged(rule: Rule[Offences], facts: ScreeningFacts, *, outcome_of_member: bool, limit: str) -> Iterator[Finding]:
    if facts.door == "ARREST_DIVERSION" and not facts.charges and not facts.incident_codes:
        yield needs_info("no charge given", limit)
    offences = [*facts.charges, *(Charge(offense_code=code) for code in facts.incident_codes)]
    # One finding for each way of writing an offence, however many charges it was written for.
    for charge in dict.fromkeys(_as_written(charge) for charge in offences):
        is_member = _is_member(rule.params, charge)
        if is_member is None:
            yield needs_info(_input(charge), limit)
        elif is_member is not outcome_of_member:
            yield failing(rule.failing, _input(charge), limit)


def _as_written(charge: Charge) -> Charge:
    return Charge(
        statute=charge.statute, offense_code=charge.offense_code, level=charge.level, activities=charge.activities
    )


def _is_member(params: Offences, charge: Charge) -> bool | None:
    """Whether the set holds the charge; None when the charge does not say what the set goes by."""
    level = level_word(charge.level or "")
    if (
        covers_code(params.codes, charge.offense_code)
        or covers_statute(params.statutes, charge.statute)
        or (level is not None and any(level_covers(wanted, level) for wanted in params.levels))
        or _does(params, charge)
    ):
        return True
    is_named = bool(charge.offense_code or charge.statute) or not (params.codes or params.statutes or params.activities)
    is_graded = level is not None or not params.levels
    return False if is_named and is_graded else None


def _does(params: Offences, charge: Charge) -> bool:
    activities = params.activities.get((charge.offense_code or "").strip().upper(), ())
    return any(activity in activities for activity in charge.activities)


def _input(charge: Charge) -> str:
    parts = (charge.statute, charge.offense_code, charge.level, *charge.activities)
    return ", ".join(part for part in parts if part) or _NOTHING_GIVEN
