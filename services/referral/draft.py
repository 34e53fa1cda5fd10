"""A referral as its sender wrote it. No IO. Empty text and None mean: not said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.referral.screening import Charge, ScreeningFacts, Victim

EXCHANGE = "exchange"
"""Source system of a referral that was typed into the exchange itself."""
NIBRS = "nibrs"
"""Source system of a referral that was made of an imported incident."""

_OBSERVED = {"YES": True, "NO": False}
_WILLING = {"AGREES": True, "OBJECTS": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The record's place in its own system: with the agency, system and record id are the natural key."""

    system: str = ""
    record_id: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalId:
    """A number that an agency's own system knows the person by."""

    agency_id: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is referred; the birth date is `YYYY`, `YYYY-MM` or `YYYY-MM-DD`."""

    given_name: str = ""
    family_name: str = ""
    birth_date: str = ""
    local_ids: tuple[LocalId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where the person can be reached."""

    phones: tuple[str, ...] = ()
    address: str = ""
    where_found: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Who refers."""

    name: str = ""
    serial: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VictimOfOffence:
    """Whether somebody was wronged, and what he says to a diversion: AGREES, OBJECTS, NOT_ASKED."""

    present: bool | None = None
    position: str = ""
    restitution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """An officer's judgement by name; the answer is YES, NO or NOT_KNOWN."""

    name: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """The outcome of a history check by rule: CLEAR, DISQUALIFYING or NOT_CHECKED, and nothing else of it (CJ-01)."""

    rule: str
    answer: str
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerNarrative:
    """All of the category OFFICER_NARRATIVE; lies sealed on disk."""

    text: str = ""
    observations: tuple[Observation, ...] = ()
    attestations: tuple[Attestation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was sent, with its defaults filled in."""

    site_id: str
    door: str
    # All clocks count from here.
    referral_time: datetime
    source: Source = Source()
    agency_ori: str = ""
    incident_number: str = ""
    incident_time: datetime | None = None
    person: Person = Person()
    contact: Contact = Contact()
    charges: tuple[Charge, ...] = ()
    officer: Officer = Officer()
    victim: VictimOfOffence = VictimOfOffence()
    evidence_basis: str = ""
    narrative: OfficerNarrative = OfficerNarrative()


def facts_of(draft: Draft, referrer_role: str) -> ScreeningFacts:
    """Return what the screening looks at; nothing that only the programme knows is among it."""
    narrative = draft.narrative
    return ScreeningFacts(
        door=draft.door,
        charges=draft.charges,
        birth_date=draft.person.birth_date or None,
        incident_time=draft.incident_time,
        observations={each.name: _OBSERVED.get(each.answer) for each in narrative.observations},
        attestations={each.rule: each.answer for each in narrative.attestations},
        victim=Victim(present=draft.victim.present, willing_to_forgo=_WILLING.get(draft.victim.position)),
        referrer_role=referrer_role,
    )


def with_ids(charges: Iterable[Charge], before: Iterable[Charge], mint: Callable[[], str]) -> tuple[Charge, ...]:
    """Return the charges with ids: that of the first unused earlier charge of the same statute and code, or a new one.

    A charge that was decided keeps its id over a correction, however often the same offence is charged.
    """
    known: dict[tuple[str, str], list[str]] = {}
    for charge in before:
        known.setdefault(_offence(charge), []).append(charge.id)
    return tuple(replace(charge, id=_next(known.get(_offence(charge), []), mint)) for charge in charges)


def _offence(charge: Charge) -> tuple[str, str]:
    return charge.statute or "", charge.offense_code or ""


def _next(unused: list[str], mint: Callable[[], str]) -> str:
    return unused.pop(0) if unused else mint()
