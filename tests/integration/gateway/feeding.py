"""The writer with a log, consent and a session in memory, and the feed on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from lead.consent.v1.consent_internal_service_pb2 import ReleasedKey, ReleaseKeysResponse, SealingNeed
from lead.envelope.v1.envelope_pb2 import Routing

from gateway.feed import store
from gateway.feed.consent import Followers
from gateway.feed.followups import FollowUps
from gateway.feed.writer import FeedWriter, Sources
from gateway.models import METADATA
from services.shared.db import Database, make_engine
from services.shared.errors import unavailable
from services.shared.events import cloudevents
from services.shared.events.keys import SealedKeys
from services.shared.events.log import Entry
from services.shared.events.seal import seal
from services.shared.ids import Ids
from tests.support.clock import FakeClock
from tests.support.keys import FakeConsent as FakeKeys
from tests.support.keys import FakeSession
from tests.support.log import FakeLog

TOPICS = ("casework", "provider", "referral", "review")
LANE = "prosecutor/DIVERSION_COORD/"


class FakeConsent(FakeKeys):
    """Obeys the writer's `Consent`: every routing key but those destroyed, and who follows whom."""

    def __init__(self, session: FakeSession) -> None:
        super().__init__(session)
        self.followed: dict[str, set[str]] = {}
        self.asked_about: list[str] = []

    def release(self, events: Sequence[SealedKeys]) -> ReleaseKeysResponse:
        if self.is_away:
            raise unavailable("told to be away")
        answer = ReleaseKeysResponse(epoch=self._epoch)
        for event in events:
            released = answer.events.add()
            place = self._place_of(event.routing_key_id)
            if place is not None:
                key = ReleasedKey(key_id=event.routing_key_id, key=self._keys[place].key)
                released.routing.CopyFrom(key)
        return answer

    def followers(self, subject_ids: Sequence[str]) -> Followers:
        if self.is_away:
            raise unavailable("told to be away")
        self.asked_about += subject_ids
        return {subject: frozenset(self.followed.get(subject, ())) for subject in subject_ids}


class Feeding:
    """A writer whose rounds a test runs itself."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.ids, self.log = FakeClock(), Ids(), FakeLog()
        self.session = FakeSession()
        self.consent = FakeConsent(self.session)
        self.db = Database(make_engine(f"sqlite:///{folder / 'gateway.db'}"))
        METADATA.create_all(self.db.engine)
        with self.db.write() as connection:
            store.feed_id(connection, "fed_1")
        self.rung: list[str] = []
        self.writer = self.another()

    def another(self) -> FeedWriter:
        """Return the writer of a process that has just begun."""
        self.reader = self.log.reader()
        return FeedWriter(
            Sources(
                db=self.db,
                reader=self.reader,
                consent=self.consent,
                session=self.session,
                followups=FollowUps(),
                ring=self._ring,
                kept=timedelta(days=30),
                clock=self.clock,
                topics=TOPICS,
            )
        )

    def happens(
        self,
        name: str = "ReferralRecorded",
        subject: str = "sub_1",
        topic: str = "referral",
        record: str = "ref_1",
        at: datetime | None = None,
        version: int = 1,
    ) -> Entry:
        """Publish an event; returns what lies on the log."""
        entry = self.entry(name, subject, topic, record, at, version)
        self.log.append([entry])
        return entry

    def entry(
        self, name: str, subject: str, topic: str, record: str, at: datetime | None = None, version: int = 1
    ) -> Entry:
        """Seal an event."""
        [lease] = self.consent.sealing(topic).lease([SealingNeed(subject_id=subject, source_agency_id="source")])
        envelope = cloudevents.envelope(self.ids.new("evt"), topic, at or self.clock.now(), lease.pseudonym)
        routing = Routing(
            event_name=name, record_id=record, subject_id=subject, source_agency_id="source", version=version
        )
        value = seal(envelope, routing, [], lease)
        return Entry(topic, envelope.pseudonym.encode(), value, cloudevents.headers(envelope))

    def broken(self) -> None:
        """Publish an event whose bytes were changed."""
        entry = self.entry("ReferralRecorded", "sub_1", "referral", "ref_1")
        self.log.append([replace(entry, headers={**entry.headers, "ce_time": b"2026-03-02T12:00:01.000000Z"})])

    def rounds(self, writer: FeedWriter | None = None) -> None:
        """Run rounds until there is nothing to do."""
        for _ in range(100):
            if not (writer or self.writer).run_once():
                return
        raise AssertionError("the writer never rests")

    def told(self, agency: str, lane: str = LANE) -> list[str]:
        """Return the names of the events in an agency's feed."""
        with self.db.read() as connection:
            return [one.event.name for one in store.page(connection, agency, lane, 0, 1000)]

    def pass_over(self, agency: str, places: dict[int, int]) -> None:
        """Note events as withheld, by place."""
        with self.db.write() as connection:
            store.withhold(connection, agency, LANE, places)

    def close(self) -> None:
        self.db.engine.dispose()

    def _ring(self, agency_ids: Iterable[str]) -> None:
        self.rung += agency_ids
