"""On to the ledger through an outbox: for what must be on it and must not wait for it.

Revocations, key releases and writes that disclose nothing are spooled in the transaction that causes them and sent to
audit in order. Disclosures never come this way: their answer waits for the ledger (AU-06).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from lead.audit.v1.audit_internal_service_pb2 import EntryDraft
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    delete,
    func,
    insert,
    select,
)

from services.shared.db import Database
from services.shared.errors import LeadError

_log = logging.getLogger(__name__)
_BATCH = 200
_RETRY_SECONDS = 0.5


def ledger_spool_table(metadata: MetaData) -> Table:
    """Add the table `ledger_spool` to a process's metadata."""
    return Table(
        "ledger_spool",
        metadata,
        Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("entry", LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )


def put(connection: Connection, table: Table, entries: Sequence[EntryDraft]) -> None:
    """Spool entries in the caller's transaction; each needs an `entry_key`, so that sending twice appends once."""
    if entries:
        connection.execute(insert(table), [{"entry": entry.SerializeToString()} for entry in entries])


class SpoolSender:
    """A thread that sends what is spooled, in order, and deletes what is durable on the ledger."""

    def __init__(self, db: Database, table: Table, append: Callable[[Sequence[EntryDraft]], object]) -> None:
        """`append` returns when all entries are durable and raises LeadError when they are not."""
        self._db, self._table, self._append = db, table, append
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger-spool", daemon=True)

    def start(self) -> None:
        """Begin sending."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; what is unsent stays spooled for the next process."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def nudge(self) -> None:
        """Send soon."""
        self._wake.set()

    def waiting(self) -> int:
        """How many entries are spooled."""
        with self._db.read() as connection:
            return int(connection.execute(select(func.count()).select_from(self._table)).scalar_one())

    def send_batch(self) -> int:
        """Send the oldest entries; returns how many. Raises LeadError when audit does not take them."""
        query = select(self._table).order_by(self._table.c.place).limit(_BATCH)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        if rows:
            self._append([EntryDraft.FromString(row.entry) for row in rows])
            with self._db.write() as connection:
                connection.execute(delete(self._table).where(self._table.c.place <= rows[-1].place))
        return len(rows)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._try_batch():
                self._wake.wait(_RETRY_SECONDS)
                self._wake.clear()

    def _try_batch(self) -> bool:
        try:
            return self.send_batch() == _BATCH
        except LeadError as error:
            _log.warning("ledger spool waits", extra={"reason": error.reason})
        except Exception as error:  # noqa: BLE001 - the thread outlives every failure; entries stay spooled
            _log.error("ledger spool waits", extra={"reason": type(error).__name__})
        return False
