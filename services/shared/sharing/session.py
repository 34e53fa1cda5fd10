"""Holds a session with consent: one stream, renewed every second, acknowledged after every callback has run.

Two thin shells over `SessionState`: a thread for the areas, a task for the gateway. A stream that breaks is opened
again under the same session id; consent takes that for the same enforcement point.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from lead.consent.v1.consent_internal_service_pb2 import HoldSessionRequest
from lead.consent.v1.consent_internal_service_pb2_grpc import ConsentInternalServiceStub

from services.shared.errors import LeadError
from services.shared.ids import new_id
from services.shared.rpc import headers
from services.shared.sharing.session_state import PARTING, Change, SessionState
from services.shared.telemetry.log import described

if TYPE_CHECKING:
    from lead.consent.v1.consent_internal_service_pb2_grpc import ConsentInternalServiceAsyncStub

__all__ = ["AioSession", "Change", "SessionState", "SyncSession"]

EVERY_SECONDS = 1.0
_AGAIN_SECONDS = 0.2
# How long consent gets to see that a session has ended, before its stream is cut.
_PARTING_SECONDS = 0.3
_log = logging.getLogger(__name__)


class SyncSession:
    """The areas' shell: a thread that reads, while gRPC's own thread sends the renewals."""

    def __init__(
        self, stub: ConsentInternalServiceStub, state: SessionState, session_id: str, every: float = EVERY_SECONDS
    ) -> None:
        """Hold the session over this stub; `session_id` is unique for this process's life, `every` in seconds."""
        self._stub, self._state, self._session_id, self._every = stub, state, session_id, every
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._call: Any = None
        self._thread = threading.Thread(target=self._run, name="session", daemon=True)

    def start(self) -> None:
        """Open the session; it is alive once consent has answered the first renewal."""
        self._thread.start()

    def stop(self) -> None:
        """End the session: nothing is used from here on, and consent is told, so that no revocation waits for us."""
        self._state.close()
        self._stopping.set()
        self._wake.set()
        self._thread.join(_PARTING_SECONDS)
        if self._call is not None:
            self._call.cancel()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._hold()
            except LeadError as error:
                if not self._stopping.is_set():
                    _log.warning("session.broken", extra={"reason": error.reason})
            except Exception as error:  # noqa: BLE001 - a callback's fault; the change comes again
                _log.error("session.unforeseen", extra=described(error))
            self._stopping.wait(_AGAIN_SECONDS)

    def _hold(self) -> None:
        broken = threading.Event()
        self._call = self._stub.HoldSession(self._renewals(broken))
        try:
            for answer in self._call:
                if self._state.received(answer.epoch, answer.changes, answer.sequence):
                    self._wake.set()
        finally:
            self._call.cancel()
            broken.set()
            self._wake.set()

    def _renewals(self, broken: threading.Event) -> Iterator[HoldSessionRequest]:
        while not (self._stopping.is_set() or broken.is_set()):
            self._wake.clear()
            sequence, applied = self._state.renewal()
            yield HoldSessionRequest(session_id=self._session_id, applied_epoch=applied, sequence=sequence)
            self._wake.wait(self._every)
        if not broken.is_set():
            yield _goodbye(self._session_id, self._state)


class AioSession:
    """The gateway's shell: two tasks of its event loop. Callbacks run in that loop, between any two awaits."""

    def __init__(
        self,
        stub: ConsentInternalServiceAsyncStub,
        state: SessionState,
        session_id: str,
        every: float = EVERY_SECONDS,
    ) -> None:
        """Hold the session over this stub; `session_id` is unique for this process's life, `every` in seconds."""
        self._stub, self._state, self._session_id, self._every = stub, state, session_id, every
        self._wake = asyncio.Event()
        self._call: Any = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Open the session from inside the running loop; it is alive once consent has answered."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the session: nothing is used from here on, and consent is told, so that no revocation waits for us."""
        self._state.close()
        task, self._task = self._task, None
        if task is None:
            return
        self._wake.set()
        if self._call is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(task), _PARTING_SECONDS)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _run(self) -> None:
        while True:
            try:
                await self._hold()
            except grpc.aio.AioRpcError as error:
                _log.warning("session.broken", extra={"code": error.code().name})
            except Exception as error:  # noqa: BLE001 - a callback's fault; the change comes again
                _log.error("session.unforeseen", extra=described(error))
            if self._task is None:
                return
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _hold(self) -> None:
        self._call = self._stub.HoldSession(metadata=headers.outgoing(new_id("req")))
        renewing = asyncio.create_task(self._renew(self._call))
        try:
            async for answer in self._call:
                if self._state.received(answer.epoch, answer.changes, answer.sequence):
                    self._wake.set()
        finally:
            self._call.cancel()
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self, call: Any) -> None:
        while self._task is not None:
            self._wake.clear()
            sequence, applied = self._state.renewal()
            await call.write(HoldSessionRequest(session_id=self._session_id, applied_epoch=applied, sequence=sequence))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._every)
        await call.write(_goodbye(self._session_id, self._state))
        await call.done_writing()


def _goodbye(session_id: str, state: SessionState) -> HoldSessionRequest:
    return HoldSessionRequest(session_id=session_id, applied_epoch=state.epoch(), sequence=PARTING)
