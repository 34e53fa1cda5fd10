"""Asks the decision for callers and for custody: gathers what is known, decides, notes it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from services.consent import epochs, roll, store
from services.consent.decide import Asker, Decision, Record, decide
from services.consent.decisions import DecisionLog
from services.consent.held import NOTHING, Held
from services.consent.openings import Openings, Request
from services.consent.policy.compile import Policy
from services.consent.registry import Registry
from services.shared.clock import Clock
from services.shared.db import Database


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

    def openings(self, request: Request) -> Openings:
        """Return what says for whom keys may be opened; call it after what is held was gathered."""
        return Openings(self.policy, self.registry, self._log, request)

    def note_routing(self, count: int, request_id: str, now: datetime) -> None:
        """Note that so many routing keys were released, which is no decision about anybody."""
        if count:
            self._log.note_routing(count, request_id, now)

    def gather(self, connection: Connection, subject_ids: Iterable[str]) -> Mapping[str, Held]:
        """Return what is known about some subjects."""
        return store.held(connection, subject_ids)
