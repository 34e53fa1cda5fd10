"""SQLite or PostgreSQL behind one pair of context managers, `Database.write()` and `Database.read()`.

A unit of work says beforehand whether it writes. SQLite needs that: a read that turns into a write fails with "database
is locked" at once, whatever the busy timeout; so every writing unit begins IMMEDIATE and a reading one cannot write.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

T = TypeVar("T")

_BUSY_SECONDS = 10
_READS_ONLY = "lead_reads_only"
# serialization_failure and deadlock_detected: the work itself was right, only its moment was not.
_TRY_AGAIN = {"40001", "40P01"}
_ATTEMPTS = 5


def make_engine(url: str, schema: str = "", pool_size: int = 20) -> Engine:
    """Return an engine for `sqlite:///file` or `postgresql://…`; nothing connects before its first use.

    `schema` becomes the search path on PostgreSQL. Keep `pool_size` at least as large as the threads that use it.
    Parameters never show in errors or logs.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, hide_parameters=True, **_sqlite_pool(parsed.database, pool_size))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    options = {"options": f"-csearch_path={schema}"} if schema else {}
    return create_engine(parsed, hide_parameters=True, pool_size=pool_size, pool_pre_ping=True, connect_args=options)


def _sqlite_pool(database: str | None, pool_size: int) -> dict[str, Any]:
    # An in-memory database lives in one connection, so it keeps the pool that SQLAlchemy has for it.
    on_disk = bool(database) and database != ":memory:"
    return {"pool_size": pool_size, "connect_args": {"timeout": _BUSY_SECONDS}} if on_disk else {}


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by itself, and only before some statements; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {_BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        # Deleted means overwritten: expunged rows do not linger in free pages (architecture section 6).
        "secure_delete = ON",
        "foreign_keys = ON",
        # Sorting spills rows; they hold personal data and belong in no temporary file.
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    reads_only = bool(connection.get_execution_options().get(_READS_ONLY))
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads_only else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


class Database:
    """Units of work on one engine. Safe to share between threads; a Connection is not."""

    def __init__(self, engine: Engine) -> None:
        """Keep the engine; closing it (`engine.dispose()`) is its maker's business."""
        self.engine = engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a Connection in a transaction that may write; commits on leaving, rolls back on any exception."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a Connection in a transaction that sees one state and cannot write."""
        with self.engine.connect() as connection:
            reading = connection.execution_options(**_reading(connection))
            with reading.begin():
                yield reading

    def in_transaction(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a writing transaction, up to five times while the database asks to try again.

        `work` must have no effect outside the transaction. Raises what it raised last.
        """
        for attempt in range(_ATTEMPTS - 1):
            try:
                with self.write() as connection:
                    return work(connection)
            except DBAPIError as error:
                if not asks_to_try_again(error):
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - spreads retries, guards nothing
        with self.write() as connection:
            return work(connection)


def _reading(connection: Connection) -> dict[str, Any]:
    if connection.dialect.name == "postgresql":
        return {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
    # A read transaction of SQLite is a snapshot by nature.
    return {_READS_ONLY: True}


def asks_to_try_again(error: DBAPIError) -> bool:
    """Tell whether the same transaction, run again, may succeed: a lock, a deadlock, a serialization conflict."""
    if isinstance(error.orig, sqlite3.OperationalError):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) in _TRY_AGAIN
