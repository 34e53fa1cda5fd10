"""Which function judges which kind of rule, and of which category the fact is that it quotes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.referral.screening.answers import attested, observed, victim_consents
from services.referral.screening.circumstances import (
    geography,
    hours_of_operation,
    programme_owned,
    referrer_type_allowed,
)
from services.referral.screening.facts import ScreeningFacts
from services.referral.screening.moment import Moment
from services.referral.screening.offences import no_other_crime, offence_not_in
from services.referral.screening.person import min_age, residency_months
from services.referral.screening.quantity import max_quantity
from services.referral.screening.result import Finding, Quotes
from services.shared.sites.pack import Rule


@dataclass(frozen=True, slots=True)
class Check:
    """Yields nothing when the rule is met, else each way in which it is not."""

    judge: Callable[[Rule[Any], ScreeningFacts, Moment], Iterable[Finding]]
    quotes: Quotes


_ATTESTED = Check(attested, "OFFICER_NARRATIVE")
_PROGRAMME = Check(programme_owned, "ELIGIBILITY")

CHECKS: Mapping[str, Check] = {
    "max_quantity": Check(max_quantity, "CHARGE"),
    "offence_not_in": Check(offence_not_in, "CHARGE"),
    "no_other_crime": Check(no_other_crime, "CHARGE"),
    "min_age": Check(min_age, "IDENTITY"),
    "geography": Check(geography, "REFERRAL"),
    "residency_months": Check(residency_months, "CONTACT_LOCATION"),
    "conviction_lookback": _ATTESTED,
    "supervision_status": _ATTESTED,
    "protective_order": _ATTESTED,
    "specialty_court": _ATTESTED,
    "victim_consent_required": Check(victim_consents, "VICTIM_OF_OFFENCE"),
    "officer_judgement": Check(observed, "OFFICER_NARRATIVE"),
    "hours_of_operation": Check(hours_of_operation, "REFERRAL"),
    "referrer_type_allowed": Check(referrer_type_allowed, "REFERRAL"),
    "retry_lockout": _PROGRAMME,
    "order_protecting_participant": _PROGRAMME,
    "max_diversions": _PROGRAMME,
    "prior_program_failure": _PROGRAMME,
}
