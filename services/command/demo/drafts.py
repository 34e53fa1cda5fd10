"""What people write in the demo: referrals and releases, as JSON of the contract. Everybody in it is made up."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.command.demo.story import Person

SITE = "seattle"
OFFICE = "sample-city-attorney"
OFFICES = (OFFICE, "sample-county-prosecutor")
POLICE = "sample-police"
# The one case-management agency of the story that is a Part 2 program (deploy/sites/agencies.toml).
PART2_AGENCIES = frozenset({"sample-recovery-outreach"})
# What Seattle's pack asks of an officer for an arrest or a social contact.
_CLEAR = ("conviction_ever", "conviction_10_years", "specialty_court", "protective_order")
_OBSERVED = {"amenable": "YES", "exploits_minors": "NO", "promotes_prostitution": "NO"}

Draft = dict[str, Any]


def rfc3339(moment: datetime) -> str:
    """Return a time as the contract writes it: RFC 3339, UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ago(**how_long: float) -> str:
    """Return the time so long ago, as `timedelta` counts it (`minutes=12`)."""
    return rfc3339(datetime.now(UTC) - timedelta(**how_long))


def phone(person: Person) -> str:
    """Return the person's telephone number: always the same one, out of a range that is kept for fiction."""
    digest = hashlib.sha256(f"{person.given_name} {person.family_name}".encode()).digest()
    return f"+1 206 555 01{digest[0] % 100:02d} x{int.from_bytes(digest[1:3], 'big'):05d}"


def address(person: Person) -> str:
    """Return where the person lives: a street that bears the name."""
    return f"1 {person.given_name} {person.family_name} Street, Sampletown"


def known_facts(person: Person) -> set[str]:
    """Return what must not show where the operator looks: names, birth date, phone, address."""
    return {person.given_name, person.family_name, person.birth_date, phone(person), address(person)}


def person_facts(person: Person) -> Draft:
    """Return who the person is."""
    return {"givenName": person.given_name, "familyName": person.family_name, "birthDate": person.birth_date}


def contact_facts(person: Person) -> Draft:
    """Return where the person can be reached."""
    return {"phones": [phone(person)], "address": address(person), "whereFound": "the bench by the sample library"}


def possession(quantity: str | None = "0.8") -> Draft:
    """Return a charge that the programme diverts; None leaves out how much it was: not known."""
    amount = {} if quantity is None else {"quantity": quantity, "unit": "QUANTITY_UNIT_GRAM"}
    return {
        "statute": "RCW 69.50.4013",
        "offenseCode": "35A",
        "description": "Possession of a controlled substance",
        "level": "CHARGE_LEVEL_GROSS_MISDEMEANOR",
        "substances": [{"drug": "heroin", **amount}],
    }


def theft() -> Draft:
    """Return a second charge that the programme diverts, of the city's own code."""
    return {
        "statute": "SMC 12A.08.060",
        "offenseCode": "23C",
        "description": "Theft of goods of small worth",
        "level": "CHARGE_LEVEL_MISDEMEANOR",
    }


def assault() -> Draft:
    """Return a charge that no site diverts: aggravated assault, NIBRS 13A."""
    return {
        "statute": "RCW 9A.36.021",
        "offenseCode": "13A",
        "description": "Aggravated assault",
        "level": "CHARGE_LEVEL_FELONY",
    }


def answers() -> Draft:
    """Return what an officer saw and what a history check said, all of it in the person's favour."""
    observed = [{"name": name, "answer": f"OBSERVATION_ANSWER_{said}"} for name, said in _OBSERVED.items()]
    attested = [{"rule": rule, "answer": "ATTESTATION_ANSWER_CLEAR", "checkedTime": ago(minutes=20)} for rule in _CLEAR]
    return {"observations": observed, "attestations": attested}


def referral(person: Person, door: str, charges: Sequence[Draft] | None, referral_time: datetime | None) -> Draft:
    """Return a whole referral through one of the doors; without charges of its own it is for a possession."""
    at = referral_time or datetime.now(UTC) - timedelta(minutes=15)
    draft: Draft = {
        "siteId": SITE,
        "door": f"DOOR_{door}",
        "incidentTime": rfc3339(at - timedelta(minutes=30)),
        "referralTime": rfc3339(at),
        "person": person_facts(person),
        "contact": contact_facts(person),
        "officer": {"name": "Officer Pretend Example", "serial": "S-1001", "unit": "Sample Street Unit"},
        "narrative": f"{person.given_name} was met at the sample library and asked for help.",
    }
    if door == "ARREST_DIVERSION":
        draft |= {
            "incidentNumber": f"SAMPLE-{person.family_name}",
            "charges": [possession()] if charges is None else list(charges),
            "victim": {"present": False},
        }
    elif charges is not None:
        draft["charges"] = list(charges)
    if door == "SOCIAL_CONTACT":
        draft["evidenceBasis"] = "EVIDENCE_BASIS_DIRECT_OBSERVATION"
    return draft if door == "COMMUNITY" else draft | answers()


def _release(person: Person, scope: Mapping[str, Any]) -> Draft:
    return {
        "type": "CONSENT_TYPE_NAMED",
        **scope,
        "signedTime": ago(),
        "expireTime": ago(days=-365),
        "statements": {"redisclosure": True, "revocation": True, "refusal": True},
        "signature": {"signerName": f"{person.given_name} {person.family_name}", "relation": "SELF"},
    }


def narrow_release(person: Person) -> Draft:
    """Return the release of the hand-off: the prosecutor may learn that the intake was confirmed, nothing else."""
    scope = {
        "sourceAgencyIds": [person.case_agency],
        "recipientAgencyIds": [OFFICE],
        "categories": _categories(person, "PROGRAM_STATUS"),
        "purposes": ["PURPOSE_DIVERSION_COORD"],
    }
    return _release(person, scope)


# One provider of each kind that takes people in.
PROVIDERS = ("sample-treatment", "sample-counselling", "sample-clinic", "sample-housing", "sample-job-training")
_EVERYBODY = (
    POLICE,
    *OFFICES,
    "sample-defender",
    "sample-outreach",
    "sample-recovery-outreach",
    "sample-second-outreach",
    *PROVIDERS,
    "sample-office",
)
# All that a release can open; the matrix says to whom (its `consent` rows).
_EVERYTHING = (
    "IDENTITY",
    "CONTACT_LOCATION",
    "REFERRAL",
    "OFFICER_NARRATIVE",
    "CHARGE",
    "DECISION",
    "ELIGIBILITY",
    "PROGRAM_STATUS",
    "NEEDS",
    "CASE_NOTES",
    "MENTAL_HEALTH",
    "PHYSICAL_HEALTH",
    "HOUSING",
    "EMPLOYMENT",
)
_PURPOSES = ("DIVERSION_COORD", "CAREMGT", "TREAT", "HOUSING_PLACE")


def full_release(person: Person) -> Draft:
    """Return the widest release of the story: every agency, every category and purpose that a release can open."""
    scope = {
        "sourceAgencyIds": [person.case_agency, POLICE, *OFFICES, *PROVIDERS],
        "recipientAgencyIds": list(_EVERYBODY),
        "categories": _categories(person, *_EVERYTHING),
        "purposes": [f"PURPOSE_{word}" for word in _PURPOSES],
    }
    return _release(person, scope)


def _categories(person: Person, *words: str) -> list[str]:
    # Whatever comes from a Part 2 program says that the person is known there: the wizard adds it (matrix row 19).
    is_full = "CASE_NOTES" in words
    present = is_full or person.case_agency in PART2_AGENCIES
    added = (*(("SUD_PRESENCE",) if present else ()), *(("SUD_TREATMENT",) if is_full else ()))
    return [f"CATEGORY_{word}" for word in (*words, *added)]
