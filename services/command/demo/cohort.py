"""A cohort of made-up people thirty months back, and every arrest that followed: the truth that reports must find.

What each person did after the index arrest goes by his number, so that anybody can count it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from services.command.demo import drafts
from services.command.demo.drafts import Draft
from services.command.demo.story import Person

POLICE = "sample-police"
SYSTEM = "sample-arrests"
REFERRED, APPROACHED = 48, 6
HALF_YEAR, TWO_YEARS = 182, 730
# The feed is complete from well before the first index arrest.
_LOOK_BACK = timedelta(days=800)


@dataclass(frozen=True)
class Event:
    """What happened so many days after t0; `warrant` is the only basis, NONE is probable cause."""

    days: int
    kind: str = "ARREST"
    warrant: str = "NONE"
    # Days after t0 of the conduct itself.
    conduct: int | None = None


@dataclass(frozen=True)
class Member:
    """One of the cohort: who, when the index arrest was, and what followed."""

    number: int
    arm: str
    person: Person
    t0: datetime
    events: tuple[Event, ...]

    @property
    def local_id(self) -> str:
        """The number that the police know the person by."""
        return f"MNI-{self.arm[0]}{self.number:04d}"

    @property
    def incident(self) -> str:
        """The number of the index incident."""
        return f"SAMPLE-{self.arm[0]}-{self.number:04d}"

    def had(self, definition: str, days: int) -> bool:
        """Tell whether the person has an event of this definition within so many days of t0."""
        return any(each.days <= days and counts(each, definition) for each in self.events)


@dataclass(frozen=True)
class Cohort:
    """Everybody."""

    now: datetime

    @cached_property
    def referred(self) -> tuple[Member, ...]:
        """Those who came through the door of arrests."""
        return tuple(self._member("LEAD", number, _after(number)) for number in range(REFERRED))

    @cached_property
    def approached(self) -> tuple[Member, ...]:
        """A few through the door of social contacts: too few to be shown."""
        return tuple(self._member("SOCIAL", number, ()) for number in range(APPROACHED))

    @property
    def complete_from(self) -> datetime:
        """Since when the feed is complete."""
        return min(each.t0 for each in self.referred) - _LOOK_BACK

    def _member(self, arm: str, number: int, events: tuple[Event, ...]) -> Member:
        given, family = f"Cohorta{number:02d}", f"{arm.title()}sample"
        person = Person(given, family, f"{1965 + number % 35}-{number % 12 + 1:02d}-15", "sample-outreach")
        t0 = (self.now - timedelta(days=915 - number)).replace(hour=12, minute=0, second=0, microsecond=0)
        return Member(number, arm, person, t0, events)


def counts(event: Event, definition: str) -> bool:
    """Tell whether a definition counts an event (evaluation.md, Events), said as plainly as possible."""
    if definition == "ARR_OR_DIVERTED":
        return event.kind in ("ARREST", "DIVERTED_CONTACT")
    if definition == "ARR_NEWCONDUCT":
        return event.kind == "ARREST" and event.warrant == "NONE"
    raise ValueError("a definition that the story does not count by")


def referral(member: Member, door: str = "ARREST_DIVERSION") -> Draft:
    """Return the referral that police send of a member."""
    draft = drafts.referral(member.person, door, None, member.t0 + timedelta(minutes=30))
    draft["incidentTime"] = drafts.rfc3339(member.t0)
    if door == "ARREST_DIVERSION":
        draft["incidentNumber"] = member.incident
    draft["person"]["localIds"] = [{"agencyId": POLICE, "id": member.local_id}]
    draft["source"] = {"system": "sample-rms-archive", "recordId": f"OLD-{member.local_id}", "version": "1"}
    return draft


def reported(member: Member) -> Iterator[Draft]:
    """Yield what the police's feed says of a member: the index arrest, and everything after it."""
    yield _reported(member, 0, Event(0), member.incident)
    for place, event in enumerate(member.events, 1):
        yield _reported(member, place, event, f"{member.incident}-{place}")


def _reported(member: Member, place: int, event: Event, incident: str) -> Draft:
    at = member.t0 + timedelta(days=event.days)
    conduct = at if event.conduct is None else member.t0 + timedelta(days=event.conduct)
    told: dict[str, Any] = {
        "source": {"system": SYSTEM, "recordId": f"{member.local_id}/{place}", "version": "1"},
        "kind": f"JUSTICE_EVENT_KIND_{event.kind}",
        "time": drafts.rfc3339(at),
        "offenceTime": drafts.rfc3339(conduct),
        "incidentNumber": incident,
        "person": {**drafts.person_facts(member.person), "localId": member.local_id},
    }
    if event.kind == "ARREST":
        told["warrantKind"] = f"WARRANT_KIND_{event.warrant}"
        if event.warrant != "NONE":
            told["warrantTime"] = drafts.rfc3339(at - timedelta(days=5))
    return told


def _after(number: int) -> tuple[Event, ...]:
    if number % 3 == 0:
        return (Event(100),)
    if number % 6 == 1:
        return (Event(400),)
    by_twelve = {
        # So that a diversion cannot hide an event, it is one of the headline.
        2: Event(90, "DIVERTED_CONTACT"),
        5: Event(120, warrant="PRIOR_OFFENCE", conduct=-200),
        8: Event(300, warrant="FTA", conduct=-30),
    }
    found = by_twelve.get(number % 12)
    return () if found is None else (found,)


def beginning(moment: datetime | None = None) -> Cohort:
    """Return the cohort as it is today."""
    return Cohort(moment or datetime.now(UTC))
