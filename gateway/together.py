"""Puts what concurrent calls have for the ledger into one append; each call goes on when its own is durable.

While one append is under way the next one gathers, as in the ledger itself: a lone call never waits for company.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence

from lead.audit.v1.audit_internal_service_pb2 import EntryDraft

from services.shared.errors import Code, LeadError, unavailable

Append = Callable[[Sequence[EntryDraft]], Awaitable[None]]
_Waiting = tuple[Sequence[EntryDraft], "asyncio.Future[None]"]

_MOST_ENTRIES = 1000
_UNDER_WAY = 2
# The ledger did not answer: trying entry by entry would only take longer to say so.
_ALL_ALIKE = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED})


class Together:
    """Belongs to one event loop."""

    def __init__(self, append: Append) -> None:
        """`append` returns when all entries are durable; each has an `entry_key`, so sending it twice appends once."""
        self._append = append
        self._waiting: list[_Waiting] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def append(self, entries: Sequence[EntryDraft]) -> None:
        """Return when these entries are durable on the ledger. Raises LeadError: then nothing may leave (AU-06)."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, done))
        if len(self._sending) < _UNDER_WAY:
            # In a context of its own: an append of several calls belongs to the trace of none.
            task = asyncio.create_task(self._send(), context=contextvars.Context())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        await done

    async def _send(self) -> None:
        while self._waiting:
            group = self._gathered()
            error = await self._tried([entry for entries, _ in group for entry in entries])
            if error is None or len(group) == 1 or error.code in _ALL_ALIKE:
                for _, done in group:
                    _settle(done, error)
                continue
            # Somebody's entry was refused: nobody else's call may fail for that.
            for entries, done in group:
                _settle(done, await self._tried(entries))

    def _gathered(self) -> list[_Waiting]:
        group, count = [self._waiting.pop(0)], 0
        count = len(group[0][0])
        while self._waiting and count + len(self._waiting[0][0]) <= _MOST_ENTRIES:
            group.append(self._waiting.pop(0))
            count += len(group[-1][0])
        return group

    async def _tried(self, entries: Sequence[EntryDraft]) -> LeadError | None:
        try:
            await self._append(entries)
        except LeadError as error:
            return error
        except Exception:  # noqa: BLE001 - whoever waits must be told, or would wait for ever
            return unavailable("The ledger does not answer; try again.")
        return None


def _settle(done: asyncio.Future[None], error: LeadError | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(None)
    else:
        # One each, since every waiter adds its own traceback.
        done.set_exception(LeadError(error.code, error.reason, error.text, error.violations))
