"""The gateway's own small database: ledger entries that must not wait for the ledger, made durable in groups."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue

from lead.audit.v1.audit_internal_service_pb2 import EntryDraft
from sqlalchemy import insert

from gateway.models import LEDGER_BURIED, LEDGER_SPOOL
from services.shared import ledger
from services.shared.db import Database
from services.shared.errors import Code, LeadError
from services.shared.telemetry.metrics import DEAD_LETTERS

_log = logging.getLogger(__name__)

_Waiting = tuple[Sequence[EntryDraft], "Future[None]"]


class Burying:
    """Sends entries to audit, and buries those that it will never take, so that they hold nobody else's up."""

    def __init__(self, db: Database, append: Callable[[Sequence[EntryDraft]], object]) -> None:
        """`append` returns when all entries are durable on the ledger, and raises LeadError when they are not."""
        self._db, self._append = db, append

    def append(self, entries: Sequence[EntryDraft]) -> None:
        """Return when each entry is on the ledger, or buried. Raises LeadError while audit does not take them."""
        try:
            self._append(entries)
        except LeadError as error:
            if error.code is not Code.INVALID_ARGUMENT:
                raise
            if len(entries) == 1:
                self._bury(entries[0], error.reason)
                return
            # One of them: each has a key, so those that are on the ledger already stay there once.
            for one in entries:
                self.append([one])

    def _bury(self, entry: EntryDraft, reason: str) -> None:
        with self._db.write() as connection:
            connection.execute(insert(LEDGER_BURIED).values(reason=reason[:80], entry=entry.SerializeToString()))
        DEAD_LETTERS.labels("gateway", "ledger", reason).inc()
        _log.error("ledger entry buried", extra={"reason": reason})


class Spool:
    """Writes entries of concurrent calls in one transaction; each call goes on when its own are durable."""

    def __init__(self, db: Database, sender: ledger.SpoolSender) -> None:
        """`sender` carries to audit what is spooled here."""
        self._db, self._sender = db, sender
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)

    def start(self) -> None:
        """Begin to write and to send."""
        self._thread.start()
        self._sender.start()

    def stop(self) -> None:
        """Write what waits, then end; what is unsent stays for the next process."""
        self._waiting.put(None)
        self._thread.join()
        self._sender.stop()

    async def put(self, entries: Sequence[EntryDraft]) -> None:
        """Return when the entries are durable here."""
        done: Future[None] = Future()
        self._waiting.put((entries, done))
        await asyncio.wrap_future(done)

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            while not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    self._waiting.put(None)
                    break
                group.append(following)
            self._write(group)

    def _write(self, group: Sequence[_Waiting]) -> None:
        # A call that was given up waits no more; what it had to say is written all the same.
        waiting = [done for _, done in group if done.set_running_or_notify_cancel()]
        try:
            with self._db.write() as connection:
                ledger.put(connection, LEDGER_SPOOL, [entry for entries, _ in group for entry in entries])
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody's answer may leave on it
            for done in waiting:
                done.set_exception(error)
            return
        for done in waiting:
            done.set_result(None)
        self._sender.nudge()
