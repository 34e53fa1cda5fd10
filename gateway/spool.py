"""The gateway's own small database: ledger entries that must not wait for the ledger, made durable in groups."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from queue import SimpleQueue

from lead.audit.v1.audit_internal_service_pb2 import EntryDraft

from gateway.models import LEDGER_SPOOL
from services.shared import ledger
from services.shared.db import Database

_Waiting = tuple[Sequence[EntryDraft], "Future[None]"]


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
