"""Streams over a feed on disk: a door with its surroundings in memory, and clients that keep what arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

from lead.events.v1 import events_service_pb2 as pb

from gateway.events import EventService, Stream
from gateway.feed import store
from gateway.feed.bell import Bell
from gateway.feed.cursor import FeedCursors
from gateway.feed.desk import FeedDesk
from gateway.feed.places import Places
from gateway.feed.store import FeedEvent
from gateway.feed.subscription import Around
from gateway.models import METADATA
from services.shared.db import Database, make_engine
from services.shared.errors import LeadError
from tests.unit.gateway.exchange import Exchange, asked_as, rpc_of

SUBSCRIBE = rpc_of("Subscribe")
KEPT = timedelta(days=30)
MOST_STREAMS, MOST_OF_AGENCY = 3, 2


class FakeSink:
    """A client: keeps what arrives. While `is_full`, it takes nothing more."""

    def __init__(self) -> None:
        self.answers: list[pb.SubscribeResponse] = []
        self._arrived = asyncio.Condition()
        self._may_send = asyncio.Event()
        self._may_send.set()
        self.is_waited_for = asyncio.Event()

    @property
    def events(self) -> list[pb.SubscribeResponse]:
        return [one for one in self.answers if one.HasField("event")]

    @property
    def ids(self) -> list[str]:
        return [one.event.id for one in self.events]

    def fill(self) -> None:
        """Take nothing more."""
        self._may_send.clear()

    def drain(self) -> None:
        """Take what comes again."""
        self._may_send.set()

    def render(self, answer: pb.SubscribeResponse) -> bytes:
        return answer.SerializeToString()

    async def room(self) -> None:
        if not self._may_send.is_set():
            self.is_waited_for.set()
        await self._may_send.wait()

    async def put(self, data: bytes) -> None:
        self.answers.append(pb.SubscribeResponse.FromString(data))
        async with self._arrived:
            self._arrived.notify_all()

    async def until(self, count: int) -> None:
        """Wait until so many answers have arrived, signs of life among them."""
        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: len(self.answers) >= count), 20)


class World:
    """A feed with its streams; made inside the running loop. The writer's part is played by the test."""

    def __init__(self, folder: Path) -> None:
        self.exchange = Exchange(folder)
        self.consent, self.ledger, self.clock = self.exchange.consent, self.exchange.ledger, self.exchange.clock
        self.db = Database(make_engine(f"sqlite:///{folder / 'gateway.db'}"))
        METADATA.create_all(self.db.engine)
        with self.db.write() as connection:
            store.feed_id(connection, "fed_1")
        self.bell, self.desk = Bell(), FeedDesk(self.db)
        self.looked_again: list[str] = []
        self.cursors = FeedCursors(bytes(32), "fed_1", KEPT, self.clock)
        self.around = Around(
            door=self.exchange.door,
            desk=self.desk,
            bell=self.bell,
            cursors=self.cursors,
            look_again=self._look_again,
            alive_every=15.0,
        )
        self.is_well = True
        self.events = EventService(self.around, Places(MOST_STREAMS, MOST_OF_AGENCY), 20.0, lambda: self.is_well)

    def happens(self, event: FeedEvent, followers: Iterable[str] = ("prosecutor", "police", "case_management")) -> None:
        """Take an event in, as the writer does."""
        now = self.clock.now()
        with self.db.write() as connection:
            if event.name == "ReferralRecorded":
                store.note_referral(connection, event.subject_id, event.record_id, event.version, now)
                self.bell.ring(store.feed_again(connection, event.subject_id, now))
            store.add(connection, event, now)
            self.bell.ring(store.follow(connection, event.subject_id, followers, now - KEPT, now))

    def follow_up(self, *subjects: str) -> None:
        """Feed again what was withheld, as the writer does when consent told of a change."""
        with self.db.write() as connection:
            for subject in subjects:
                self.bell.ring(store.feed_again(connection, subject, self.clock.now()))

    async def open(
        self, role: str = "prosecutor", cursor: str = "begin", request_id: str = "req_1", **words: str
    ) -> Stream:
        request = pb.SubscribeRequest(cursor=cursor) if cursor else pb.SubscribeRequest()
        return await self.events.open(SUBSCRIBE, request, asked_as(role, request_id, **words))

    async def refused(self, **words: str) -> LeadError:
        try:
            await self.open(**words)
        except LeadError as error:
            return error
        raise AssertionError("nothing was refused")

    @asynccontextmanager
    async def following(self, **words: str) -> AsyncIterator[FakeSink]:
        """Yield a client with an open stream."""
        sink = FakeSink()
        running = asyncio.create_task((await self.open(**words)).run(sink))
        try:
            yield sink
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, LeadError):
                await running

    async def ended(self, sink: FakeSink, **words: str) -> LeadError | None:
        """Run a stream to its end; returns why it ended, None for no fault of its caller."""
        stream = await self.open(**words)
        try:
            await asyncio.wait_for(stream.run(sink), 20)
        except LeadError as error:
            return error
        return None

    async def passes_over(self, count: int) -> None:
        """Wait until so many events are noted as withheld."""
        for _ in range(2000):
            if self.left_behind() == count:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("nothing was passed over")

    def passes(self, seconds: int) -> None:
        """Let time pass in a session that is renewed, and wake the streams."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.consent.renew()
        self.bell.ring_all()

    def left_behind(self) -> int:
        """How many events are noted as withheld."""
        with self.db.read() as connection:
            return len(connection.execute(METADATA.tables["feed_withheld"].select()).all())

    def close(self) -> None:
        self.desk.close()
        self.db.engine.dispose()

    def _look_again(self, subject_ids: Iterable[str]) -> None:
        found = list(subject_ids)
        self.looked_again += found
        self.follow_up(*found)
