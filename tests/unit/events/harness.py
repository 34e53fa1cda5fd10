"""A producing and a consuming area around one log and one consent, for tests that need the whole way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Integer, String, Table, func, insert, select

from services.shared.db import Database, make_engine, new_metadata
from services.shared.events.delivery import AnyHandler, Delivery, Handler
from services.shared.events.log import LogReader, LogWriter
from services.shared.events.loop import Consumer, ConsumerLoop
from services.shared.events.outbox import Statement, outbox_table
from services.shared.events.publisher import OutgoingEvent, Publisher
from services.shared.events.relay import Relay
from services.shared.events.tables import consumer_tables
from services.shared.ids import Ids
from tests.support.clock import FakeClock
from tests.support.keys import FakeConsent
from tests.support.log import FakeLog
from tests.unit.events.sample import TOPIC, SampleChanged

PRODUCER = new_metadata()
OUTBOX = outbox_table(PRODUCER)

CONSUMER = new_metadata()
TABLES = consumer_tables(CONSUMER)
# What a handler does here: it writes down what it was given.
EFFECTS = Table(
    "effect",
    CONSUMER,
    Column("id", Integer, primary_key=True),
    Column("record_id", String),
    Column("version", Integer),
    Column("agency_id", String),
    Column("name", String),
    Column("charges", String),
    Column("late", Integer),
)


class Killed(BaseException):
    """Stands for a process that dies: no handler of failures sees it."""


def a_database(path: Path, metadata: Any) -> Database:
    db = Database(make_engine(f"sqlite:///{path}"))
    metadata.create_all(db.engine)
    return db


class Producer:
    """The area `sample`, publishing."""

    def __init__(self, folder: Path, consent: FakeConsent, clock: FakeClock, writer: LogWriter) -> None:
        self.db = a_database(folder / "producer.db", PRODUCER)
        self.clock = clock
        self.publisher = Publisher(TOPIC, OUTBOX, consent.sealing(TOPIC), clock, Ids())
        self.delivered: list[tuple[str, bytes]] = []
        self.refuse: Callable[[bytes], Exception | None] = lambda _body: None
        self.relay = Relay(self.db, OUTBOX, writer, self.deliver, clock)

    def deliver(self, kind: str, body: bytes) -> None:
        error = self.refuse(body)
        if error is not None:
            raise error
        self.delivered.append((kind, body))

    def put(self, event: OutgoingEvent) -> None:
        prepared = self.publisher.prepare([event])
        with self.db.write() as connection:
            prepared.put(connection)

    def publish(self, event: OutgoingEvent) -> None:
        self.put(event)
        self.relay.run_once()

    def unsent(self) -> int:
        with self.db.read() as connection:
            query = select(func.count()).select_from(OUTBOX).where(OUTBOX.c.sent_at.is_(None))
            return connection.execute(query).scalar_one()


def an_event(
    message: Any,
    record_id: str = "rec_1",
    subject_id: str = "sub_1",
    version: int = 1,
    statements: tuple[Statement, ...] = (),
) -> OutgoingEvent:
    return OutgoingEvent(message, record_id, subject_id, "springfield-pd", version, statements)


def write_down(connection: Connection, delivery: Delivery[Any]) -> None:
    for agency_id in delivery.agencies:
        message = delivery.message_for(agency_id)
        connection.execute(
            insert(EFFECTS).values(
                record_id=delivery.record_id,
                version=delivery.version,
                agency_id=agency_id,
                name=message.name,
                charges=",".join(charge.id for charge in message.charges),
                late=int(delivery.late),
            )
        )


class Receiver:
    """An area that consumes `sample`."""

    def __init__(
        self,
        folder: Path,
        consent: FakeConsent,
        clock: FakeClock,
        reader: LogReader,
        handlers: dict[str, AnyHandler] | None = None,
    ) -> None:
        self.db = a_database(folder / "consumer.db", CONSUMER)
        self.handlers = handlers or {"SampleChanged": Handler(SampleChanged, write_down)}
        self.loop = ConsumerLoop(
            Consumer(
                area="review",
                topics=[TOPIC],
                reader=reader,
                db=self.db,
                tables=TABLES,
                keys=consent,
                session=consent.session,
                handlers=self.handlers,
                clock=clock,
            )
        )

    def consume(self) -> None:
        while self.loop.run_once() and not self.loop.poisoned():
            pass

    def rows(self, table: Table, *columns: str) -> list[tuple[Any, ...]]:
        chosen = [table.c[name] for name in columns] if columns else list(table.c)
        with self.db.read() as connection:
            return [tuple(row) for row in connection.execute(select(*chosen).order_by(*table.primary_key))]

    def effects(self) -> list[tuple[Any, ...]]:
        """Return (record, version, name) of every effect, in order."""
        return self.rows(EFFECTS, "record_id", "version", "name")

    def shelved(self) -> int:
        return len(self.rows(TABLES.shelf, "place"))


class World:
    """All of it, in memory but for two SQLite files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.consent = FakeConsent()
        self.log = FakeLog()
        self.producer = Producer(folder, self.consent, self.clock, self.log)

    def receiver(self, handlers: dict[str, AnyHandler] | None = None) -> Receiver:
        """Return a consumer; a second one is the same area after a restart."""
        self.consent.session.callbacks.clear()
        return Receiver(self.folder, self.consent, self.clock, self.log.reader(), handlers)
