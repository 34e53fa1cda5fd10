"""What the demo's RMS streams: 40 referrals through all doors, and what else a records system sends about them.

Every message has the outcome that is foretold for it. Everybody in it is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from services.command.demo import drafts
from services.command.demo.drafts import Draft
from services.command.demo.story import Person

POLICE = "sample-sheriff"
SYSTEM = "sample-rms"
REFERRALS = 40
DOORS = ("ARREST_DIVERSION", "SOCIAL_CONTACT", "ARREST_DIVERSION", "COMMUNITY")
_GIVEN = ("Testa", "Probanda", "Exempla", "Mustera", "Ficta", "Imagina", "Pretenda", "Dummia")


@dataclass(frozen=True)
class Message:
    """One message of the stream: its name there, the record as JSON, and what is foretold of it."""

    key: str
    draft: Draft
    outcome: str
    action: str = "UPSERT"
    # Paths that a refusal must name.
    paths: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Standing:
    """How a referral must stand in the end."""

    state: str
    screening: str


@dataclass(frozen=True)
class Sample:
    """The whole stream, and how each record of the RMS must stand in the end, by record id."""

    messages: tuple[Message, ...]
    stands: dict[str, Standing]
    people: tuple[Person, ...] = field(repr=False)


# Result of the screening of a draft that nothing is wrong with: an order that protects a participant is never looked
# up for police, so the programme office has the last word.
_FINE = Standing("SUBMITTED", "PROGRAMME_REVIEW")
_INELIGIBLE = Standing("SUBMITTED", "PRESUMPTIVELY_INELIGIBLE")
_OPEN = Standing("NEEDS_INFO", "NEEDS_INFO")


def _assault(draft: Draft) -> Standing:
    draft["charges"] = [drafts.possession(), drafts.assault()]
    return _INELIGIBLE


def _too_much(draft: Draft) -> Standing:
    draft["charges"] = [drafts.possession("4")]
    return _INELIGIBLE


def _not_weighed(draft: Draft) -> Standing:
    draft["charges"] = [drafts.possession(None)]
    return _OPEN


def _not_asked(draft: Draft) -> Standing:
    draft["observations"] = []
    return _OPEN


def _exploits(draft: Draft) -> Standing:
    draft["observations"][1]["answer"] = "OBSERVATION_ANSWER_YES"
    return _INELIGIBLE


def _ageless(draft: Draft) -> Standing:
    del draft["person"]["birthDate"]
    return _OPEN


# What is particular about some of the 40, by number. The doors go round by four: even numbers are arrests.
_PARTICULAR: dict[int, Callable[[Draft], Standing]] = {
    2: _assault,
    4: _too_much,
    6: _not_weighed,
    7: _ageless,
    8: _not_weighed,
    9: _exploits,
    14: _not_asked,
    20: _assault,
    22: _too_much,
    23: _ageless,
}


def sample() -> Sample:
    """Return the stream: 40 new records, and behind them what else is sent about them."""
    people = tuple(_person(number) for number in range(1, REFERRALS + 1))
    told = {number: _draft(person, number) for number, person in enumerate(people, 1)}
    created = [Message(f"new-{number}", draft, "CREATED") for number, (draft, _) in told.items()]
    stands = {_record_id(draft): standing for draft, standing in told.values()}
    later = tuple(_later({number: draft for number, (draft, _) in told.items()}, stands))
    return Sample((*created, *later), stands, people)


def _person(number: int) -> Person:
    given, born = _GIVEN[number % len(_GIVEN)], f"{1960 + number}-{number % 12 + 1:02d}-{number % 27 + 1:02d}"
    return Person(given, f"Sample-{number:02d}", born, "sample-outreach")


def _draft(person: Person, number: int) -> tuple[Draft, Standing]:
    draft = drafts.referral(person, DOORS[number % len(DOORS)], None, None)
    draft["source"] = {"system": SYSTEM, "recordId": f"SHF-26-{number:04d}", "version": "1"}
    particular = _PARTICULAR.get(number)
    return draft, _FINE if particular is None else particular(draft)


def _later(sent: dict[int, Draft], stands: dict[str, Standing]) -> Iterator[Message]:
    """Yield what comes after the new records, and note in `stands` how the records stand afterwards."""
    yield from (Message(f"again-{number}", sent[number], "UNCHANGED") for number in (2, 12, 22, 32))
    # Weighed at last, and asked at last: both were NEEDS_INFO.
    weighed = {**_version(sent[6], 2), "charges": [drafts.possession("1.1")]}
    asked = {**_version(sent[14], 2), **drafts.answers()}
    worse = {**_version(sent[18], 5), "charges": [drafts.assault()]}
    yield from (Message(f"corrected-{_record_id(one)}", one, "REPLACED") for one in (weighed, asked, worse))
    stands |= {_record_id(weighed): _FINE, _record_id(asked): _FINE, _record_id(worse): _INELIGIBLE}
    yield Message("late", _version(sent[18], 4), "STALE")
    yield Message("late-too", sent[6], "STALE")
    reused = {**sent[26], "narrative": "Another text under the same version."}
    yield Message("reused", reused, "REJECTED", paths=frozenset({"source.version"}))
    for number in (28, 29, 30):
        record_id = _record_id(sent[number])
        yield Message(f"gone-{number}", {"source": sent[number]["source"]}, "WITHDRAWN", "DELETE")
        stands[record_id] = Standing("WITHDRAWN", stands[record_id].screening)
    yield from _wrong(sent[16])


def _wrong(fine: Draft) -> Iterator[Message]:
    """Yield records that cannot be taken, each with all the paths that are wrong with it."""
    source = {"system": SYSTEM, "recordId": "SHF-26-9001", "version": "1"}
    negative: dict[str, Any] = {"drug": "heroin", "quantity": "-1", "unit": "QUANTITY_UNIT_GRAM"}
    several = {
        **fine,
        "source": source,
        "siteId": "nowhere",
        "person": {"givenName": "Nobody", "birthDate": "1990-13-01"},
        "charges": [{**drafts.possession(), "substances": [negative]}],
    }
    paths = frozenset({"siteId", "person.birthDate", "charges[0].substances[0].quantity"})
    yield Message("wrong", several, "REJECTED", paths=paths)
    young = {**fine, "source": {**source, "recordId": "SHF-26-9002"}}
    young["person"] = {**fine["person"], "birthDate": "2015-06-01"}
    yield Message("young", young, "REJECTED", paths=frozenset({"person.birthDate"}))
    unknown = {"source": {**source, "recordId": "SHF-26-9003"}}
    yield Message("unknown", unknown, "REJECTED", "DELETE", paths=frozenset({"source.recordId"}))


def _version(draft: Draft, version: int) -> Draft:
    return {**draft, "source": {**draft["source"], "version": str(version)}}


def _record_id(draft: Draft) -> str:
    return str(draft["source"]["recordId"])
