"""A second consumer of `review`: its certificate, an empty database, a group of its own, the log from its first record.

Runs as a process of its own, `python -m services.command.demo.replay CONFIG DATABASE`, and prints as JSON what it could
open: `[[event id, event name, record id, category], ...]`. What it may open is decided now, not when the event was
written: that is what the demo shows with it (architecture section 6).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lead.consent.v1.consent_internal_service_pb2_grpc import ConsentInternalServiceStub
from lead.options.v1 import words_pb2
from sqlalchemy import Connection

from services.command.install import database_url
from services.command.migrate import upgrade
from services.review import consumers
from services.review.config import Config
from services.review.models import CIPHER, METADATA
from services.shared.area import load_cipher, open_database
from services.shared.clock import SystemClock
from services.shared.config import load
from services.shared.events.delivery import AnyHandler, Delivery
from services.shared.events.embedded import EmbeddedReader
from services.shared.events.loop import Consumer, ConsumerLoop
from services.shared.events.tables import ConsumerTables
from services.shared.ids import Ids
from services.shared.rpc.client import channel
from services.shared.sharing.client import ConsentClient
from services.shared.sharing.session import SessionState, SyncSession

AREA = "review"
TOPICS = ("referral", "casework")
_PATIENCE_SECONDS = 10.0
_TABLES = ("inbox", "consumer_offset", "shelf", "applied_version", "dead_letter")

Opened = tuple[str, str, str, str]
"""(event id, event name, record id, category word)."""


class NotReached(Exception):  # noqa: N818 - it is a state, reported as it reads
    """Consent holds no session with this process, or the log was not read to its end."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a consumer of `review` has of consent: a client, and the session that it is used within."""

    consent: ConsentClient
    session: SessionState
    clock: SystemClock


@contextmanager
def linked(config: Config) -> Iterator[Link]:
    """Hold a session with consent under the service certificate. Raises NotReached when consent does not answer."""
    clock = SystemClock()
    state = SessionState(clock)
    with channel(config.consent_address, config.tls, "consent") as link:
        session = SyncSession(ConsentInternalServiceStub(link), state, Ids().new("ses"))
        client = ConsentClient(link, state, clock)
        session.start()
        try:
            _wait_alive(state)
            yield Link(client, state, clock)
        finally:
            session.stop()


@dataclass
class _Heard:
    """What the handlers were given; it counts once its batch is committed."""

    new: list[Opened] = field(default_factory=list)
    kept: set[Opened] = field(default_factory=set)

    def listening(self, handler: AnyHandler) -> AnyHandler:
        """Return a handler that does the same and is heard."""

        def apply(connection: Connection, delivery: Delivery[Any]) -> None:
            for part in delivery.parts:
                word = words_pb2.Category.Name(words_pb2.Category.ValueType(part.category)).removeprefix("CATEGORY_")
                self.new.append((delivery.event_id, delivery.event_name, delivery.record_id, word))
            handler.apply(connection, delivery)

        return replace(handler, apply=apply)

    def settle(self) -> None:
        self.kept.update(self.new)
        self.new.clear()


def replay(config: Config, database: Path) -> set[Opened]:
    """Read the whole log into an empty database and return what could be opened. Raises NotReached, LeadError."""
    config = replace(config, database_url=database_url(database))
    upgrade(AREA, config.database_url)
    load_cipher(CIPHER, config)
    heard = _Heard()
    with linked(config) as link:
        handlers = consumers.handlers(link.clock, Ids())
        loop = _loop(config, link, {name: heard.listening(one) for name, one in handlers.items()})
        try:
            while loop.run_once():
                heard.settle()
        finally:
            loop.stop()
    if loop.poisoned():
        raise NotReached("events could not be applied")
    return heard.kept


def _loop(config: Config, link: Link, handlers: Mapping[str, AnyHandler]) -> ConsumerLoop:
    return ConsumerLoop(
        Consumer(
            area=AREA,
            topics=TOPICS,
            reader=EmbeddedReader(config.log_folder, TOPICS),
            db=open_database(AREA, config),
            tables=ConsumerTables(*(METADATA.tables[name] for name in _TABLES)),
            keys=link.consent,
            session=link.session,
            handlers=handlers,
            clock=link.clock,
        )
    )


def _wait_alive(state: SessionState) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not state.alive():
        if time.monotonic() > end:
            raise NotReached("no session with consent")
        time.sleep(0.01)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(sorted(replay(load(Config, Path(sys.argv[1])), Path(sys.argv[2])))))
