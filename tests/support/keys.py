"""Consent in memory: real keys, a rule list in place of the decision, and a session that tells of changes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace

from lead.consent.v1.consent_internal_service_pb2 import (
    DataKey,
    ReleasedKey,
    ReleaseKeysResponse,
    SealingLease,
    SealingNeed,
)
from lead.options.v1 import words_pb2

from services.shared import errors
from services.shared.events.keys import Change, SealedKeys


@dataclass(frozen=True)
class Place:
    """What a key is for; routing keys have category 0 and no source."""

    topic: str
    subject_id: str
    source_agency_id: str
    category: int
    record_id: str


@dataclass
class FakeSession:
    """Obeys `services.shared.events.keys.Session`."""

    is_alive: bool = True
    changes: list[Change] = field(default_factory=list)
    callbacks: list[Callable[[Change], None]] = field(default_factory=list)

    def alive(self) -> bool:
        return self.is_alive

    def epoch(self) -> int:
        return self.changes[-1].epoch if self.changes else 0

    def changed_keys(self, since_epoch: int) -> set[bytes]:
        return {key for change in self.changes if change.epoch > since_epoch for key in change.key_ids}

    def on_change(self, callback: Callable[[Change], None]) -> None:
        self.callbacks.append(callback)

    def tell(self, change: Change) -> None:
        """Pass a change on, as the real session does before it acknowledges."""
        self.changes.append(change)
        for callback in self.callbacks:
            callback(change)


class FakeConsent:
    """Obeys `ReleasingKeys`; `sealing(topic)` obeys `SealingKeys`. Nothing is released before `allow`."""

    def __init__(self, session: FakeSession | None = None) -> None:
        self.session = session or FakeSession()
        self.is_away = False
        self.until: datetime | None = None
        # Key ids of every request for release, in order.
        self.asked: list[bytes] = []
        # Called within a release, after it was decided: a test's chance to let something happen just then.
        self.meanwhile: Callable[[], None] = lambda: None
        self._keys: dict[Place, DataKey] = {}
        self._rules: dict[tuple[int, str], set[str]] = {}
        self._epoch = 0

    def sealing(self, topic: str) -> FakeSealing:
        """Return the sealing keys of the area that owns this topic."""
        return FakeSealing(self, topic)

    def key(self, place: Place) -> DataKey:
        """Return the key for a place, made when it is first asked for."""
        fresh = DataKey(key_id=secrets.token_bytes(16), key=secrets.token_bytes(32))
        return self._keys.setdefault(place, fresh)

    def allow(
        self, category: int, *agencies: str, subject_id: str = "", record_id: str = "", tell: bool = True
    ) -> None:
        """Release a category from now on, of one subject and one record or of all; `agencies` may act."""
        self._rules.setdefault((category, subject_id or record_id), set()).update(agencies or {""})
        self.change(subject_id, tell=tell)

    def deny(self, category: int, subject_id: str = "") -> None:
        """Release it no more."""
        self._rules.pop((category, subject_id), None)
        self.change(subject_id)

    def destroy(self, category: int) -> list[bytes]:
        """Destroy the keys of a category and return their ids."""
        doomed = [place for place in self._keys if place.category == category]
        return [self._keys.pop(place).key_id for place in doomed]

    def change(self, subject_id: str = "", *, tell: bool = True, everything: bool = False) -> None:
        """Make a new epoch about a subject, or about all subjects there are."""
        self._epoch += 1
        touched = [place for place in self._keys if subject_id in {"", place.subject_id}]
        change = SimpleNamespace(
            epoch=self._epoch,
            subject_ids=[] if everything else sorted({place.subject_id for place in touched}),
            key_ids=[] if everything else [self._keys[place].key_id for place in touched if place.category],
            everything=everything,
        )
        if tell:
            self.session.tell(change)

    def release(self, events: Sequence[SealedKeys]) -> ReleaseKeysResponse:
        if self.is_away:
            raise errors.unavailable("consent does not answer")
        answer = ReleaseKeysResponse(epoch=self._epoch)
        for event in events:
            self.asked += event.section_key_ids
            sections = [key for key_id in event.section_key_ids if (key := self._released(key_id)) is not None]
            released = ReleaseKeysResponse.ReleasedKeys(sections=sections)
            routing = self._place_of(event.routing_key_id)
            if sections and routing is not None:
                released.routing.CopyFrom(ReleasedKey(key_id=event.routing_key_id, key=self._keys[routing].key))
            answer.events.append(released)
        self.meanwhile()
        return answer

    def _released(self, key_id: bytes) -> ReleasedKey | None:
        place = self._place_of(key_id)
        if place is None:
            return None
        names = ("", place.subject_id, place.record_id)
        rules = [self._rules[place.category, name] for name in names if (place.category, name) in self._rules]
        if not rules:
            return None
        released = ReleasedKey(
            key_id=key_id,
            key=self._keys[place].key,
            category=words_pb2.Category.ValueType(place.category),
            source_agency_id=place.source_agency_id,
            record_id=place.record_id,
            on_behalf_of_agency_ids=sorted(set().union(*rules) - {""}),
            consent_id="con_sample",
            consent_version=1,
        )
        if self.until is not None:
            released.until_time.FromDatetime(self.until)
        return released

    def _place_of(self, key_id: bytes) -> Place | None:
        return next((place for place, key in self._keys.items() if key.key_id == key_id), None)


@dataclass
class FakeSealing:
    """Obeys `SealingKeys` for one topic."""

    consent: FakeConsent
    topic: str

    def lease(self, needs: Sequence[SealingNeed]) -> list[SealingLease]:
        if self.consent.is_away:
            raise errors.unavailable("consent does not answer")
        return [self._lease(need) for need in needs]

    def _lease(self, need: SealingNeed) -> SealingLease:
        sections = [
            self.consent.key(
                Place(self.topic, need.subject_id, need.source_agency_id, section.category, section.record_id)
            )
            for section in need.sections
        ]
        return SealingLease(
            pseudonym=hashlib.sha256(f"{self.topic}/{need.subject_id}".encode()).digest(),
            routing=self.consent.key(Place(self.topic, need.subject_id, "", 0, "")),
            sections=sections,
        )
