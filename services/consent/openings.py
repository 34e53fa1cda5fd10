"""For whom an area may open keys, and why: the duties of custody, each with the one decision. No IO but the log's.

One request asks about many keys of few records. Everything about it is read once and holds for one moment, so a
question that comes again has the answer that it had, and is one decision in the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from services.consent.custody import CUSTODY, By, Duty
from services.consent.decide import Asker, Decision, Record, Ruling, decide
from services.consent.decisions import DecisionLog
from services.consent.held import Held
from services.consent.keys import ROUTING, KeyPlace
from services.consent.policy.compile import Policy
from services.consent.registry import NO_AGENCY, Agency, Registry
from services.shared.sharing.need import BITS, need

_WORDS = {bit: word for word, bit in BITS.items()}


@dataclass(frozen=True)
class Opening:
    """Why custody may open a key for one agency."""

    agency: Agency
    rulings: tuple[Ruling, ...]
    until: datetime


@dataclass(frozen=True)
class Request:
    """Which area asks, when, and for which agencies only (empty: for all)."""

    area: str
    hosted: frozenset[str]
    now: datetime
    request_id: str


@dataclass(frozen=True)
class _Question:
    """One decision, whatever the category: the duty by its place in the area's custody, the agency and the record."""

    duty: int
    agency_id: str
    record: Record


class Openings:
    """The answers to one request. Used by one thread."""

    def __init__(self, policy: Policy, registry: Registry, log: DecisionLog, request: Request) -> None:
        """Answer from this registry, which is not older than what is held about the subjects."""
        self._policy, self._registry, self._log, self._request = policy, registry, log, request
        self._duties = CUSTODY.get(request.area, ())
        self._candidates: dict[tuple[int, str], list[Agency]] = {}
        self._decisions: dict[_Question, Decision] = {}
        self._noted: set[_Question] = set()

    def of(self, place: KeyPlace, held: Held) -> list[Opening]:
        """Return for whom the area may open this key now, and why; empty is a denial. What opens is noted.

        `held` is about the key's subject. An agency is there once, by the first of the duties that opens the key in its
        name.
        """
        found: dict[str, Opening] = {}
        if place.category == ROUTING:
            return []
        record = _record(place, held)
        for number, duty in enumerate(self._duties):
            if place.topic not in duty.topics:
                continue
            for agency in self._may_act(number, duty, held):
                if agency.agency_id in found:
                    continue
                opening = self._opening(_Question(number, agency.agency_id, record), duty, agency, place, held)
                if opening is not None:
                    found[agency.agency_id] = opening
        return list(found.values())

    def _may_act(self, number: int, duty: Duty, held: Held) -> list[Agency]:
        key = (number, held.subject_id)
        if key not in self._candidates:
            hosted, found = self._request.hosted, _candidates(self._registry, duty, held, self._request.now)
            self._candidates[key] = [one for one in found if not hosted or one.agency_id in hosted]
        return self._candidates[key]

    def _opening(self, question: _Question, duty: Duty, agency: Agency, place: KeyPlace, held: Held) -> Opening | None:
        decision = self._decision(question, duty, agency, held)
        wanted = _need(place, decision.source)
        rulings = tuple(_narrowed(decision.rulings, duty, wanted))
        if wanted & ~sum(ruling.categories for ruling in rulings):
            return None
        if question not in self._noted:
            self._noted.add(question)
            asked, asker = self._request, _asker(duty, agency)
            self._log.note(asker, question.record, held, decision, asked.request_id, asked.now)
        return Opening(agency, rulings, decision.until)

    def _decision(self, question: _Question, duty: Duty, agency: Agency, held: Held) -> Decision:
        known = self._decisions.get(question)
        if known is None:
            asker, now = _asker(duty, agency), self._request.now
            known = decide(self._policy, self._registry, asker, question.record, held, now)
            self._decisions[question] = known
        return known


def _candidates(registry: Registry, duty: Duty, held: Held, now: datetime) -> list[Agency]:
    if duty.by is By.NOBODY:
        return [NO_AGENCY]
    of_kind = [one for one in registry.agencies.values() if one.kind == duty.agency_kind]
    if duty.by is By.KIND:
        return of_kind
    sites = {fact.site_id for fact in held.true("SITE", "", now)}
    named = held.agencies()
    return [
        agency
        for agency in of_kind
        if agency.agency_id in named or (agency.kind == "program_office" and sites & set(agency.site_ids))
    ]


def _asker(duty: Duty, agency: Agency) -> Asker:
    return Asker(duty.matrix_role, agency.agency_id, duty.purpose, frozenset(agency.site_ids))


def _narrowed(rulings: Iterable[Ruling], duty: Duty, wanted: int) -> Iterator[Ruling]:
    """Yield what the duty's rows say of the wanted categories, and of no others."""
    for ruling in rulings:
        if ruling.row in duty.rows and ruling.categories & wanted:
            yield replace(ruling, categories=ruling.categories & wanted)


def _record(place: KeyPlace, held: Held) -> Record:
    """Return the record that scope facts hang on; a charge's own key stands on its referral's facts."""
    has_facts = any(fact.record_id == place.record_id for fact in held.facts)
    return Record(place.subject_id, place.source_agency_id, place.record_id if has_facts else "")


def _need(place: KeyPlace, source: Agency) -> int:
    word = _WORDS[1 << place.category]
    # A name stands on the referral that it came with (matrix row 40).
    return need(word, "REFERRAL" if word == "STAFF" else word, source.kind, source.part2)
