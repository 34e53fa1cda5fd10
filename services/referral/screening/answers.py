"""Rules that rest on what somebody answered: the officer's judgement, a history check, the victim's wish."""

from __future__ import annotations

from collections.abc import Iterator

from services.referral.screening.facts import ScreeningFacts, Victim
from services.referral.screening.moment import Moment
from services.referral.screening.result import Finding, failing, needs_info
from services.shared.sites.pack import Rule
from services.shared.sites.rules import Attested, Nothing, Observation

_NOT_GIVEN = "not given"


def attested(rule: Rule[Attested], facts: ScreeningFacts, _moment: Moment) -> Iterator[Finding]:
    """CLEAR or DISQUALIFYING; anything else is unchecked (contract.md, Attestation answer)."""
    answer = facts.attestations.get(rule.name)
    limit = f"no {rule.params.of}"
    if answer == "DISQUALIFYING":
        yield failing(rule.failing, answer, limit)
    elif answer != "CLEAR":
        yield needs_info(answer if answer == "NOT_CHECKED" else _NOT_GIVEN, limit)


def observed(rule: Rule[Observation], facts: ScreeningFacts, _moment: Moment) -> Iterator[Finding]:
    """What the officer did not say is not known: silence is not "no"."""
    seen = facts.observations.get(rule.params.fact)
    limit = _yes_or_no(rule.params.must_be)
    if seen is None:
        yield needs_info(_NOT_GIVEN, limit)
    elif seen is not rule.params.must_be:
        yield failing(rule.failing, _yes_or_no(seen), limit)


def victim_consents(rule: Rule[Nothing], facts: ScreeningFacts, _moment: Moment) -> Iterator[Finding]:
    """Whoever was wronged must be willing to forgo prosecution."""
    victim = facts.victim or Victim()
    limit = "no victim, or one who is willing to forgo prosecution"
    if victim.present is False:
        return
    if victim.present is None:
        yield needs_info("not known whether there is a victim", limit)
    elif victim.willing_to_forgo is None:
        yield needs_info("victim not asked", limit)
    elif not victim.willing_to_forgo:
        yield failing(rule.failing, "victim not willing", limit)


def _yes_or_no(is_so: bool) -> str:
    return "yes" if is_so else "no"
