"""Wires live delivery: the writer's thread, and what streams are made of."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway.config import Config
from gateway.door import Door
from gateway.events import EventService
from gateway.feed import readings, store
from gateway.feed.bell import Bell
from gateway.feed.consent import ConsentFace
from gateway.feed.cursor import FeedCursors
from gateway.feed.desk import FeedDesk
from gateway.feed.followups import FollowUps
from gateway.feed.places import Places
from gateway.feed.subscription import Around
from gateway.feed.writer import FeedWriter, Sources
from services.shared.clock import Clock
from services.shared.db import Database
from services.shared.events.embedded import EmbeddedReader
from services.shared.ids import Ids
from services.shared.rpc.client import channel
from services.shared.sharing.session import Change, SessionState


class LiveDelivery:
    """The feed of one process: one start and one stop. Belongs to one event loop."""

    def __init__(self, config: Config, door: Door, db: Database, clock: Clock, ids: Ids) -> None:
        """Wire it inside the running loop; `config.log_folder` is set. Nothing is read before `start`."""
        settings, kept = config.feed, timedelta(days=config.feed.kept_days)
        self._bell, self._desk = Bell(), FeedDesk(db)
        self._writer = _writer(config, door.session, db, self._bell, clock)
        with db.write() as connection:
            feed_id = store.feed_id(connection, ids.new("fed"))
        around = Around(
            door=door,
            desk=self._desk,
            bell=self._bell,
            cursors=FeedCursors(config.cursor_key.read_bytes(), feed_id, kept, clock),
            look_again=self._writer.look_again,
            alive_every=settings.alive_seconds,
        )
        places = Places(settings.streams, settings.streams_per_agency)
        self.events = EventService(around, places, settings.most_seconds, lambda: not self._writer.poisoned())
        door.session.on_change(self._changed)

    def start(self) -> None:
        """Begin to write the feed."""
        self._writer.start()

    async def close_streams(self) -> None:
        """End every stream: before the faces stop, which wait for them."""
        await self.events.close()

    async def stop(self) -> None:
        """Stop writing the feed."""
        await asyncio.to_thread(self._writer.stop)
        self._desk.close()

    def _changed(self, change: Change) -> None:
        if change.everything:
            # Somebody may no longer be let in.
            self._bell.ring_all()


def _writer(config: Config, session: SessionState, db: Database, bell: Bell, clock: Clock) -> FeedWriter:
    if config.log_folder is None:
        raise ValueError("live delivery needs a log")
    return FeedWriter(
        Sources(
            db=db,
            reader=EmbeddedReader(config.log_folder, readings.topics()),
            consent=ConsentFace(channel(config.areas["consent"], config.tls, "consent")),
            session=session,
            followups=FollowUps(),
            ring=bell.ring,
            kept=timedelta(days=config.feed.kept_days),
            clock=clock,
        )
    )
