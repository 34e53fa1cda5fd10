"""Wires the gateway: one process, one event loop, two faces over the same calls."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import grpc.aio
import uvicorn
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from lead.audit.v1 import audit_internal_service_pb2 as audit
from lead.audit.v1.audit_internal_service_pb2_grpc import AuditInternalServiceStub
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.consent.v1.consent_internal_service_pb2_grpc import ConsentInternalServiceStub
from starlette.types import ASGIApp

from gateway.authenticate import Authenticator
from gateway.config import Config
from gateway.decisions import Decisions
from gateway.door import Door
from gateway.feed.wiring import LiveDelivery
from gateway.forward import Forwarder
from gateway.grpc_face import Face
from gateway.http import application
from gateway.models import LEDGER_SPOOL
from gateway.pages import Cursors
from gateway.roll import Roll
from gateway.spool import Burying, Spool
from gateway.together import Together
from gateway.transcode.routes import Routes
from services.shared import identity, labels, ledger
from services.shared.clock import Clock, SystemClock
from services.shared.db import Database, make_engine, revisions
from services.shared.errors import LeadError
from services.shared.events.away import is_away
from services.shared.ids import Ids
from services.shared.rpc import headers, options
from services.shared.rpc.aio import decode_error
from services.shared.rpc.client import channel
from services.shared.rpc.status import internal
from services.shared.sharing.assertion import AssertionSigner
from services.shared.sharing.session import AioSession, Change, SessionState
from services.shared.telemetry import log, trace

if TYPE_CHECKING:
    from lead.consent.v1.consent_internal_service_pb2_grpc import ConsentInternalServiceAsyncStub

_log = logging.getLogger(__name__)
A = TypeVar("A")
_ASK_SECONDS = 5.0
_STOP_SECONDS = 5


class Gateway:
    """The gateway of one loop, with one start and one stop."""

    def __init__(self, config: Config, clock: Clock | None = None, ids: Ids | None = None) -> None:
        """Wire it; call inside the running loop. Raises SchemaNotCurrent while migrations are pending."""
        self._config, self._clock, self._ids = config, clock or SystemClock(), ids or Ids()
        signer = AssertionSigner(identity.load_signing_key(config.assertion_key), self._clock, self._ids)
        self._forwarder = Forwarder(config.areas, config.tls, signer, self._clock)
        self._state = SessionState(self._clock)
        self._consent = ConsentInternalStub(self._forwarder, self._ids)
        self._session = AioSession(self._consent.stub, self._state, self._ids.new("ses"))
        self._roll = Roll(self._consent.registry)
        self._decisions = Decisions(self._consent.decide, self._state, self._clock)
        self._state.on_change(self._changed)
        db = _database(config)
        self._spool = _spool(config, db)
        self.door = Door(
            authenticator=Authenticator(config.issuers, self._clock),
            roll=self._roll,
            forwarder=self._forwarder,
            decisions=self._decisions,
            session=self._state,
            cursors=Cursors(config.cursor_key.read_bytes()),
            append=Together(LedgerStub(self._forwarder, self._ids).append).append,
            spool=self._spool.put,
            clock=self._clock,
        )
        self._live = LiveDelivery(config, self.door, db, self._clock, self._ids) if config.log_folder else None
        events = self._live.events if self._live else None
        self._grpc = _grpc_server(config, Face(self.door, labels.public_methods(), self._ids, events))
        self._http = _http_server(
            config, application(self.door, Routes.from_services(_services()), self._state.alive, self._ids, events)
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the session with consent and both faces."""
        self._spool.start()
        self._session.start()
        if self._live is not None:
            self._live.start()
        await self._grpc.start()
        self._serving = asyncio.create_task(self._http.serve())

    async def stop(self) -> None:
        """Answer no more, then end the session, so that no revocation waits for this gateway."""
        if self._live is not None:
            await self._live.close_streams()
        self._http.should_exit = True
        await self._grpc.stop(5.0)
        if self._serving is not None:
            await self._serving
        if self._live is not None:
            await self._live.stop()
        await self._session.stop()
        await self._forwarder.close()
        self._spool.stop()

    def _changed(self, change: Change) -> None:
        if change.everything:
            self._decisions.forget_all()
            self._roll.forget()
        else:
            self._decisions.forget(change.subject_ids)


class ConsentInternalStub:
    """Questions of the gateway to consent."""

    def __init__(self, forwarder: Forwarder, ids: Ids) -> None:
        """Ask over the gateway's own channel."""
        self.stub: ConsentInternalServiceAsyncStub = ConsentInternalServiceStub(forwarder.channel("consent"))
        self._ids = ids

    async def decide(self, request: consent.DecideRequest) -> consent.DecideResponse:
        """Ask the decision. Raises LeadError."""
        return await _asked(self.stub.Decide, request, request.request_id)

    async def registry(self) -> consent.ReadRegistryResponse:
        """Read who takes part. Raises LeadError."""
        return await _asked(self.stub.ReadRegistry, consent.ReadRegistryRequest(), self._ids.new("req"))


class LedgerStub:
    """The gateway's way on to the ledger."""

    def __init__(self, forwarder: Forwarder, ids: Ids) -> None:
        """Append over the gateway's own channel."""
        self._stub, self._ids = AuditInternalServiceStub(forwarder.channel("audit")), ids

    async def append(self, entries: Sequence[audit.EntryDraft]) -> None:
        """Return when the entries are durable on the ledger. Raises LeadError: then nothing may leave (AU-06)."""
        request = audit.AppendEntriesRequest(entries=entries)
        try:
            await _asked(self._stub.AppendEntries, request, self._ids.new("req"))
        except LeadError as error:
            if is_away(error):
                raise
            # What the ledger has against an entry is the gateway's own fault, and no word about its caller's request.
            _log.error("ledger.refused", extra={"reason": error.reason})
            raise internal() from None


async def _asked(method: Callable[..., Awaitable[A]], request: Message, request_id: str) -> A:
    try:
        return await method(request, timeout=_ASK_SECONDS, metadata=headers.outgoing(request_id))
    except grpc.aio.AioRpcError as error:
        raise decode_error(error) from None


def _database(config: Config) -> Database:
    engine = make_engine(config.database_url, schema="gateway")
    revisions.require_current("gateway", engine)
    return Database(engine)


def _spool(config: Config, db: Database) -> Spool:
    stub = AuditInternalServiceStub(channel(config.areas["audit"], config.tls, "audit"))

    def append(entries: Sequence[audit.EntryDraft]) -> None:
        stub.AppendEntries(audit.AppendEntriesRequest(entries=entries))

    return Spool(db, ledger.SpoolSender(db, LEDGER_SPOOL, Burying(db, append).append))


def _grpc_server(config: Config, face: Face) -> grpc.aio.Server:
    server = grpc.aio.server(options=options.SERVER)
    server.add_generic_rpc_handlers((face,))
    pair = (config.public_key.read_bytes(), config.public_cert.read_bytes())
    server.add_secure_port(f"{config.host}:{config.grpc_port}", grpc.ssl_server_credentials([pair]))
    return server


class _Http(uvicorn.Server):
    """uvicorn without its own signal handlers: the process has one way to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def _http_server(config: Config, app: ASGIApp) -> _Http:
    return _Http(
        uvicorn.Config(
            app,
            host=config.host,
            port=config.http_port,
            ssl_certfile=str(config.public_cert),
            ssl_keyfile=str(config.public_key),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_keep_alive=65,
            # A client that keeps its connection and reads no goodbye does not hold up the end.
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )


def _services() -> list[ServiceDescriptor]:
    found = {method.containing_service.full_name: method.containing_service for method in labels.public_methods()}
    return list(found.values())


def run(config: Config) -> None:
    """Serve until SIGTERM or SIGINT: the body of a production process."""
    log.configure("gateway")
    trace.configure("gateway", config.trace)
    asyncio.run(_serve(config))
    trace.shutdown()


async def _serve(config: Config) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    gateway = Gateway(config)
    await gateway.start()
    await stopping.wait()
    await gateway.stop()
