"""Asks the decision for callers and for custody: gathers what is known, decides, notes it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from services.consent import epochs, roll, store
from services.consent.custody import CUSTODY, By, Duty
from services.consent.decide import Asker, Decision, Record, Ruling, decide
from services.consent.decisions import DecisionLog
from services.consent.held import NOTHING, Held
from services.consent.keys import ROUTING, DataKey
from services.consent.policy.compile import Policy
from services.consent.registry import NO_AGENCY, Agency, Registry
from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.sharing.need import BITS, need


@dataclass(frozen=True)
class Opening:
    """Why custody may open a key for one agency."""

    agency: Agency
    rulings: tuple[Ruling, ...]
    until: datetime


class Decider:
    """The decision, with the registry and the policy it rests on. Thread-safe: a registry is replaced as a whole."""

    def __init__(self, db: Database, policy: Policy, clock: Clock, log: DecisionLog) -> None:
        """Read the registry once; `reload` after it changed."""
        self._db, self._clock, self._log = db, clock, log
        self.policy = policy
        self.registry = Registry()
        # What was read later must not be replaced by what was read before.
        self._reloading = threading.Lock()
        self.reload()

    def reload(self) -> None:
        """Read agencies, accounts and agreements again."""
        with self._reloading, self._db.read() as connection:
            self.registry = roll.registry(connection)

    def decide(self, asker: Asker, records: Sequence[Record], request_id: str) -> tuple[int, list[Decision]]:
        """Decide about records of one call; returns the epoch that all of it was read at, and the decisions."""
        with self._db.read() as connection:
            epoch = epochs.current(connection)
            held = store.held(connection, (record.subject_id for record in records))
        now = self._clock.now()
        decisions = []
        for record in records:
            about = held.get(record.subject_id, NOTHING)
            decision = decide(self.policy, self.registry, asker, record, about, now)
            self._log.note(asker, record, about, decision, request_id, now)
            decisions.append(decision)
        return epoch, decisions

    def openings(
        self, area: str, key: DataKey, held: Held, hosted: frozenset[str], now: datetime, request_id: str
    ) -> list[Opening]:
        """Return for whom the area may open this key now, and why; empty is a denial. What opens is noted.

        An agency is there once, by the first of the duties that opens the key in its name.
        """
        found: dict[str, Opening] = {}
        for duty in CUSTODY.get(area, ()):
            if key.place.topic not in duty.topics:
                continue
            for agency in self._candidates(duty, held, now):
                if agency.agency_id in found or (hosted and agency.agency_id not in hosted):
                    continue
                opening = self._opening(duty, agency, key, held, now, request_id)
                if opening is not None:
                    found[agency.agency_id] = opening
        return list(found.values())

    def note_routing(self, count: int, request_id: str, now: datetime) -> None:
        """Note that so many routing keys were released, which is no decision about anybody."""
        if count:
            self._log.note_routing(count, request_id, now)

    def gather(self, connection: Connection, keys: Sequence[DataKey]) -> dict[str, Held]:
        """Return what is known about the subjects of some keys."""
        return dict(store.held(connection, {key.place.subject_id for key in keys}))

    def _candidates(self, duty: Duty, held: Held, now: datetime) -> list[Agency]:
        if duty.by is By.NOBODY:
            return [NO_AGENCY]
        if duty.by is By.KIND:
            return [one for one in self.registry.agencies.values() if one.kind == duty.agency_kind]
        sites = {fact.site_id for fact in held.true("SITE", "", now)}
        named = held.agencies()
        return [
            agency
            for agency in self.registry.agencies.values()
            if agency.kind == duty.agency_kind
            and (agency.agency_id in named or (agency.kind == "program_office" and sites & set(agency.site_ids)))
        ]

    def _opening(
        self, duty: Duty, agency: Agency, key: DataKey, held: Held, now: datetime, request_id: str
    ) -> Opening | None:
        if key.place.category == ROUTING:
            return None
        asker = Asker(duty.matrix_role, agency.agency_id, duty.purpose, frozenset(agency.site_ids))
        record = _record(key, held)
        decision = decide(self.policy, self.registry, asker, record, held, now)
        wanted = _need(key, decision.source)
        rulings = tuple(_narrowed(decision.rulings, duty, wanted))
        if wanted & ~sum(ruling.categories for ruling in rulings):
            return None
        self._log.note(asker, record, held, decision, request_id, now)
        return Opening(agency, rulings, decision.until)


def _narrowed(rulings: Iterable[Ruling], duty: Duty, wanted: int) -> Iterator[Ruling]:
    """Yield what the duty's rows say of the wanted categories, and of no others."""
    for ruling in rulings:
        if ruling.row in duty.rows and ruling.categories & wanted:
            yield replace(ruling, categories=ruling.categories & wanted)


def _record(key: DataKey, held: Held) -> Record:
    """Return the record that scope facts hang on; a charge's own key stands on its referral's facts."""
    place = key.place
    has_facts = any(fact.record_id == place.record_id for fact in held.facts)
    return Record(place.subject_id, place.source_agency_id, place.record_id if has_facts else "")


def _need(key: DataKey, source: Agency) -> int:
    word = next(word for word, bit in BITS.items() if bit == 1 << key.place.category)
    # A name stands on the referral that it came with (matrix row 40).
    return need(word, "REFERRAL" if word == "STAFF" else word, source.kind, source.part2)
