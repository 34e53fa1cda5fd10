"""Incident candidates: people of imported reports who could be referred. No IO.

The natural key is (ORI, report category, number as written, place of the person); the version is the arrival order of
distinct content. A report that was seen before, in whatever version, changes nothing: a whole file may be sent twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from services.referral.domain import etag_of
from services.referral.rms import codes
from services.referral.rms.candidate import Candidate, NaturalKey, Offence
from services.referral.rms.candidate import Substance as ReportedSubstance
from services.referral.screening import Charge, Screening, ScreeningFacts, Substance, Victim
from services.shared.errors import Violation

KEPT = timedelta(days=30)
"""Nobody was named, so nothing is kept longer than an officer needs to decide (issue 2, Real input)."""
_DRUG_OFFENCES = ("35A", "35B")
# A candidate is screened by the door that asks most.
_DOOR = "ARREST_DIVERSION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One person of one report. `version` counts distinct contents, `revision` every change."""

    id: str
    subject_id: str
    agency_id: str
    site_id: str
    ori: str
    report_category: str
    number: str
    sequence: str
    charges: tuple[Charge, ...]
    screening: Screening
    incident_time: datetime | None = None
    age_min: int | None = None
    age_max: int | None = None
    version: int = 1
    revision: int = 1
    purge_at: datetime
    referral_id: str = ""
    updated_at: datetime | None = None

    @property
    def key(self) -> NaturalKey:
        """The natural key."""
        return NaturalKey(self.ori, self.report_category, self.number, self.sequence)

    @property
    def etag(self) -> str:
        """The token of this revision."""
        return etag_of(self.id, self.revision)


@dataclass(frozen=True, slots=True)
class Report:
    """What one candidate says, made ready: charges, screening, digest of the content."""

    candidate: Candidate
    charges: tuple[Charge, ...]
    screening: Screening
    digest: str
    incident_time: datetime | None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one person of one report; outcomes are those of `ImportIncidents`."""

    record_key: str
    outcome: str
    incident_id: str = ""
    violations: tuple[Violation, ...] = ()


def key_text(key: NaturalKey) -> str:
    """Return the natural key as one text, in the report's own words."""
    return "/".join(part for part in (key.ori, key.report_category, key.number, key.sequence) if part)


def charges_of(candidate: Candidate) -> tuple[Charge, ...]:
    """Return a charge for each offence, and for each arrest code that none of them has: both are screened.

    The report says of drugs only that they were there: they go to the drug offence, or to the first charge.
    """
    codes_of_offences = {offence.code for offence in candidate.offences}
    bare = [Offence(code, codes.OFFENCES[code]) for code in candidate.arrest_codes if code not in codes_of_offences]
    charges = [_charge(offence) for offence in (*candidate.offences, *bare)]
    place = next((n for n, each in enumerate(charges) if each.offense_code in _DRUG_OFFENCES), 0)
    if charges and candidate.substances:
        charges[place] = replace(charges[place], substances=tuple(_substance(each) for each in candidate.substances))
    return tuple(charges)


def facts_of(
    candidate: Candidate, charges: tuple[Charge, ...], at: datetime | None, referrer_role: str
) -> ScreeningFacts:
    """Return what the screening looks at. Nobody is known by name, and nobody was asked anything yet."""
    age, victims = candidate.age, candidate.victims
    return ScreeningFacts(
        door=_DOOR,
        charges=charges,
        age_range=None if age is None else (age.minimum, age.maximum),
        incident_time=at,
        victim=None if victims is None else Victim(present=victims.any_person),
        referrer_role=referrer_role,
    )


def time_of(candidate: Candidate, zone: tzinfo) -> datetime | None:
    """Return the earliest moment that the report may mean."""
    return None if candidate.incident_time is None else candidate.incident_time.begins(zone)


def _charge(offence: Offence) -> Charge:
    description = ": ".join(part for part in (offence.description, ", ".join(offence.activities)) if part)
    return Charge(offense_code=offence.code, description=description, activities=offence.activities)


def _substance(reported: ReportedSubstance) -> Substance:
    return Substance(drug=reported.drug, quantity=reported.quantity, unit=reported.unit_code or codes.NOT_REPORTED)
