"""What every area is wired from, so that one anatomy serves all: `open_parts`, then an `App` of them.

An area names its tables, its servicers, the topics it consumes and its chores; everything else is the same everywhere
and stands here once. Nothing connects before `App.start`.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Protocol, TypeVar, cast

from google.protobuf.message import Message
from lead.consent.v1 import consent_internal_service_pb2 as pb
from lead.consent.v1.consent_internal_service_pb2_grpc import ConsentInternalServiceStub
from sqlalchemy import Connection, MetaData, Table

from services.shared import identity
from services.shared.chores import Chore
from services.shared.clock import Clock, SystemClock
from services.shared.db import Database, make_engine, revisions
from services.shared.db.cipher import AreaCipher
from services.shared.events import outbox
from services.shared.events.delivery import AnyHandler
from services.shared.events.embedded import EmbeddedReader, EmbeddedWriter
from services.shared.events.loop import Consumer, ConsumerLoop
from services.shared.events.publisher import OutgoingEvent, Publisher
from services.shared.events.relay import Relay, to_metrics
from services.shared.events.tables import ConsumerTables
from services.shared.identity import TlsFiles
from services.shared.ids import Ids
from services.shared.rpc.client import channel
from services.shared.rpc.server import Registration, build_server
from services.shared.sharing.assertion import AssertionVerifier
from services.shared.sharing.client import ConsentClient
from services.shared.sharing.session import SessionState, SyncSession
from services.shared.sites import Site, load_sites
from services.shared.telemetry import log, trace

T = TypeVar("T")
Statement = pb.ScopeStatement | pb.LinkSubjectsRequest

# An answer follows its scope statements; when consent is away it goes out all the same, and the statements later.
_STATED_WITHIN_SECONDS = 2.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class AreaConfig:
    """What every area must be told."""

    # host:port that the area's gRPC server listens on.
    address: str
    # sqlite:///file or postgresql://…
    database_url: str
    # Certificate of this area, its key, and the authority that all services share.
    tls: TlsFiles
    # Public key (PEM) of the gateway, which signs caller assertions.
    assertion_key: Path
    # host:port of consent; empty for consent itself.
    consent_address: str = ""
    # Folder of the embedded log.
    log_folder: Path = Path("log")
    # File with the 32-byte key of this area's sealed columns.
    area_key: Path | None = None
    # Folder of the site packs.
    sites_folder: Path | None = None
    # `none`, `file:<path>` or `otlp:<endpoint>`.
    trace: str = "none"


class Runs(Protocol):
    """Something with a life of its own inside a process."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End, having finished what was under way."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to a record: what an event will say, of whom, and whose record it is."""

    message: Message
    record_id: str
    subject_id: str
    source_agency_id: str
    version: int
    # Number of the category of leaves that have their row's (`labels.enrolment_category`); 0 where there are none.
    row_category: int = 0


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What an area's use cases work with."""

    area: str
    config: AreaConfig
    clock: Clock
    ids: Ids
    db: Database
    metadata: MetaData
    sites: Mapping[str, Site] = field(default_factory=dict)
    consent: ConsentClient
    session: SessionState
    publisher: Publisher
    relay: Relay
    # Started in this order and stopped in the opposite one.
    runs: Sequence[Runs] = ()

    def commit(
        self, facts: Sequence[Fact], write: Callable[[Connection], T], statements: Sequence[Statement] = ()
    ) -> T:
        """Do `write` and put statements and events into the outbox, in one transaction; returns what `write` returned.

        Keys are leased and events sealed before the transaction, so consent must answer: raises LeadError UNAVAILABLE
        otherwise, and then nothing was written. On return the statements have arrived at consent, if it takes them
        within two seconds.
        """
        prepared = self.publisher.prepare(
            [
                OutgoingEvent(
                    message=one.message,
                    record_id=one.record_id,
                    subject_id=one.subject_id,
                    source_agency_id=one.source_agency_id,
                    version=one.version,
                    row_category=one.row_category,
                )
                for one in facts
            ]
        )
        stated = _stated(statements)
        table = self.metadata.tables["outbox"]
        with self.db.write() as connection:
            result = write(connection)
            outbox.put(connection, table, stated, self.clock.now())
            prepared.put(connection)
        self.relay.nudge()
        self._wait_stated({statement.subject_id for statement in stated})
        return result

    def _wait_stated(self, subject_ids: Collection[str]) -> None:
        if subject_ids:
            self.relay.flush(_STATED_WITHIN_SECONDS, *subject_ids)


def open_parts(
    area: str, config: AreaConfig, metadata: MetaData, clock: Clock | None = None, ids: Ids | None = None
) -> Parts:
    """Wire an area that publishes events. Raises SchemaNotCurrent while migrations are pending."""
    clock, ids = clock or SystemClock(), ids or Ids()
    db = open_database(area, config)
    link = channel(config.consent_address, config.tls, "consent")
    state = SessionState(clock)
    session = SyncSession(ConsentInternalServiceStub(link), state, ids.new("ses"))
    client = ConsentClient(link, state, clock)
    table = metadata.tables["outbox"]
    writer = EmbeddedWriter(config.log_folder, area, clock)
    relay = Relay(db, table, writer, client.deliver, clock, to_metrics(area, clock))
    return Parts(
        area=area,
        config=config,
        clock=clock,
        ids=ids,
        db=db,
        metadata=metadata,
        sites=load_sites(config.sites_folder) if config.sites_folder else {},
        consent=client,
        session=state,
        publisher=Publisher(area, table, client, clock, ids),
        relay=relay,
        runs=(session, relay),
    )


def open_database(area: str, config: AreaConfig) -> Database:
    """Open an area's database. Raises SchemaNotCurrent while migrations are pending."""
    engine = make_engine(config.database_url, schema=area)
    revisions.require_current(area, engine)
    return Database(engine)


def load_cipher(cipher: AreaCipher, config: AreaConfig) -> None:
    """Load the area's key into the cipher that its tables were declared with. Raises OSError, ValueError."""
    if config.area_key is None:
        raise ValueError("an area with sealed columns needs area_key")
    cipher.load(config.area_key.read_bytes())


class App:
    """A whole area: its server and what runs beside it."""

    def __init__(
        self,
        parts: Parts,
        services: Sequence[Registration],
        topics: Sequence[str] = (),
        handlers: Mapping[str, AnyHandler] | None = None,
        chores: Sequence[Chore] = (),
    ) -> None:
        """Serve `services`; apply events of `topics` by `handlers`; do `chores` from time to time."""
        loop = _loop(parts, topics, handlers) if topics and handlers else None

        def ready() -> bool:
            return parts.session.alive() and (loop is None or loop.ready())

        runs = (*parts.runs, *((loop,) if loop else ()), *chores)
        self.process = Process(parts.area, parts.config, parts.clock, services, runs, ready)
        self.start, self.stop, self.run = self.process.start, self.process.stop, self.process.run

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return self.process.port


class Process:
    """A server and what runs beside it, with one start and one stop. Health follows `ready`."""

    def __init__(
        self,
        area: str,
        config: AreaConfig,
        clock: Clock,
        services: Sequence[Registration],
        runs: Sequence[Runs],
        ready: Callable[[], bool],
    ) -> None:
        """Bind the port; nothing runs before `start`."""
        verifier = AssertionVerifier(identity.load_public_key(config.assertion_key), area, clock)
        self._server = build_server(services, config.tls, verifier, address=config.address)
        self._area, self._config, self._runs, self._ready = area, config, tuple(runs), ready
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._watch_ready, name="readiness", daemon=True)

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return self._server.port

    def start(self) -> None:
        """Begin to work, then to answer."""
        for one in self._runs:
            one.start()
        self._server.start(ready=False)
        self._watch.start()

    def stop(self) -> None:
        """Answer no more, then end what runs, last started first."""
        self._stopping.set()
        self._server.stop()
        for one in reversed(self._runs):
            one.stop()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT: the body of a production process."""
        log.configure(self._area)
        trace.configure(self._area, self._config.trace)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        self.start()
        self._stopping.wait()
        self.stop()
        trace.shutdown()

    def _watch_ready(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            self._server.set_ready(self._ready())


def _loop(parts: Parts, topics: Sequence[str], handlers: Mapping[str, AnyHandler]) -> ConsumerLoop:
    reader = EmbeddedReader(parts.config.log_folder, topics)
    return ConsumerLoop(
        Consumer(
            area=parts.area,
            topics=topics,
            reader=reader,
            db=parts.db,
            tables=_consumer_tables(parts.metadata.tables),
            keys=parts.consent,
            session=parts.session,
            handlers=handlers,
            clock=parts.clock,
        )
    )


def _consumer_tables(tables: Mapping[str, Table]) -> ConsumerTables:
    names = ("inbox", "consumer_offset", "shelf", "applied_version", "dead_letter")
    return ConsumerTables(*(tables[name] for name in names))


def _stated(statements: Sequence[Statement]) -> list[outbox.Statement]:
    """Return what consent is told, in order: facts that stand together about one subject go in one request."""
    found: list[outbox.Statement] = []
    for (kind, subject), together in groupby(statements, _kind_and_subject):
        if kind is pb.LinkSubjectsRequest:
            found += [outbox.link_subjects(subject, cast(pb.LinkSubjectsRequest, one)) for one in together]
        else:
            request = pb.StateScopeRequest(statements=cast(Iterable[pb.ScopeStatement], together))
            found.append(outbox.state_scope(subject, request))
    return found


def _kind_and_subject(statement: Statement) -> tuple[type, str]:
    if isinstance(statement, pb.LinkSubjectsRequest):
        return pb.LinkSubjectsRequest, statement.subject_ids[0]
    return pb.ScopeStatement, statement.subject_id
