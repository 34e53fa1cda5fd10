"""What an area has stored, read and written by SQLAlchemy Core alone: the least that storing the same rows costs."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, Table, create_engine, event, insert, select

_BATCH = 64
_BUSY_SECONDS = 10
Rows = Sequence[Mapping[str, Any]]


class Stored:
    """Referrals in an area's file, which the area may go on writing."""

    def __init__(self, file: Path) -> None:
        """Read the file's own tables, as they are."""
        self.engine = _engine(file)
        self.tables = MetaData()
        self.tables.reflect(self.engine, only=["referrals", "referral_offices"])
        self.referrals: Table = self.tables.tables["referrals"]
        self.offices: Table = self.tables.tables["referral_offices"]

    def of_system(self, system: str) -> tuple[Rows, Rows]:
        """Return the referrals of a source system, and the offices that they are routed to."""
        here = self.referrals.c.system == system
        routed = select(self.offices).join(self.referrals, self.referrals.c.id == self.offices.c.referral_id)
        with self.engine.connect() as connection:
            return tuple(  # type: ignore[return-value]
                [dict(row) for row in connection.execute(query).mappings()]
                for query in (select(self.referrals).where(here), routed.where(here))
            )

    def close(self) -> None:
        """Close the file."""
        self.engine.dispose()


def inserted_per_second(file: Path, stored: Stored, system: str) -> float:
    """Insert a system's rows into the same tables of a new file, 64 referrals at a time; return referrals a second."""
    referrals, offices = stored.of_system(system)
    engine = _engine(file)
    try:
        stored.tables.create_all(engine)
        batches = [_batch(referrals[start : start + _BATCH], offices) for start in range(0, len(referrals), _BATCH)]
        begun = time.perf_counter()
        for some, routed in batches:
            with engine.begin() as connection:
                connection.execute(insert(stored.referrals), some)
                if routed:
                    connection.execute(insert(stored.offices), routed)
        return len(referrals) / (time.perf_counter() - begun)
    finally:
        engine.dispose()


def _batch(referrals: Rows, offices: Rows) -> tuple[Rows, Rows]:
    ids = {row["id"] for row in referrals}
    return referrals, [row for row in offices if row["referral_id"] in ids]


def _engine(file: Path) -> Engine:
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _durable)
    return engine


def _durable(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").close()
