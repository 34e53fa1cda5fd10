"""Puts what concurrent calls have for the ledger into one append; each call goes on when its own is durable.

While one append is under way the next one gathers, as in the ledger itself: a lone call never waits for company.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from lead.audit.v1.audit_internal_service_pb2 import EntryDraft

from services.shared.errors import Code, LeadError
from services.shared.rpc.status import internal
from services.shared.telemetry.log import described

_log = logging.getLogger(__name__)
Append = Callable[[Sequence[EntryDraft]], Awaitable[None]]
_Waiting = tuple[Sequence[EntryDraft], "asyncio.Future[None]"]

_MOST_ENTRIES = 1000
# The ledger did not take anybody's: going one by one would only take longer to say so.
_ALL_ALIKE = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED})


class Together:
    """Belongs to one event loop."""

    def __init__(self, append: Append) -> None:
        """`append` returns when all entries are durable; each has an `entry_key`, so sending it twice appends once."""
        self._append = append
        self._waiting: deque[_Waiting] = deque()
        self._sending: asyncio.Task[None] | None = None

    async def append(self, entries: Sequence[EntryDraft]) -> None:
        """Return when these entries are durable on the ledger. Raises LeadError: then nothing may leave (AU-06)."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, done))
        if self._sending is None:
            # In a context of its own: what several calls append together belongs to the trace of none.
            self._sending = asyncio.create_task(self._send(), context=contextvars.Context())
        await done

    async def _send(self) -> None:
        try:
            while self._waiting:
                await self._send_group(self._gathered())
        finally:
            # At once, not when the task is done: what comes in between would wait for nobody.
            self._sending = None

    def _gathered(self) -> list[_Waiting]:
        group = [self._waiting.popleft()]
        room = _MOST_ENTRIES - len(group[0][0])
        while self._waiting and len(self._waiting[0][0]) <= room:
            group.append(self._waiting.popleft())
            room -= len(group[-1][0])
        return group

    async def _send_group(self, group: Sequence[_Waiting]) -> None:
        error = await self._tried([entry for entries, _ in group for entry in entries])
        if error is None or len(group) == 1 or error.code in _ALL_ALIKE:
            for _, done in group:
                _settle(done, error)
            return
        # Somebody's entries were refused, and nobody else's call may fail for that.
        for entries, done in group:
            _settle(done, await self._tried(entries))

    async def _tried(self, entries: Sequence[EntryDraft]) -> LeadError | None:
        try:
            await self._append(entries)
        except LeadError as error:
            return error
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            _log.error("together.unforeseen", extra=described(error))
            return internal()
        return None


def _settle(done: asyncio.Future[None], error: LeadError | None) -> None:
    if done.done():
        # The call was given up meanwhile.
        return
    if error is None:
        done.set_result(None)
    else:
        # One each, since every waiter adds its own traceback.
        done.set_exception(LeadError(error.code, error.reason, error.text, error.violations))
