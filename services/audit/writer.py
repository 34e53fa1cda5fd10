"""Who may append: one process at a time, the others stand by (architecture section 8)."""

from __future__ import annotations

import zlib

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

_KEY = zlib.crc32(b"lead.audit.v1/sequencer")


class WriterLock:
    """An advisory lock of the database, held by a connection of its own until `release` or the process's end.

    It keeps replicas from failing each other's batches. It is not what keeps the ledger whole: every batch checks that
    the ledger is as long as its writer thinks. SQLite has no such lock; there each batch's check is all there is.
    """

    def __init__(self, engine: Engine) -> None:
        """Lock in this database; nothing connects before `take`."""
        self._engine = engine
        self._held: Connection | None = None

    def take(self) -> bool:
        """Tell whether this process holds the lock now; never waits."""
        if self._engine.dialect.name != "postgresql":
            return True
        if self._held is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY}).scalar_one():
                connection.close()
                return False
            self._held = connection
        return True

    def release(self) -> None:
        """Let another process have it. Safe to repeat."""
        held, self._held = self._held, None
        if held is None:
            return
        try:
            held.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _KEY})
        except DBAPIError:
            # The connection is gone, and the lock with it.
            held.invalidate()
        finally:
            held.close()
