from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, String, Table, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from services.shared.db import Database, make_engine, new_metadata
from services.shared.db.engine import asks_to_try_again
from services.shared.db.types import UtcDateTime

METADATA = new_metadata()
THINGS = Table(
    "thing", METADATA, Column("id", Integer, primary_key=True), Column("word", String), Column("made_at", UtcDateTime)
)


@pytest.fixture
def db(tmp_path: Path) -> Database:
    engine = make_engine(f"sqlite:///{tmp_path}/things.db")
    METADATA.create_all(engine)
    return Database(engine)


def words(db: Database) -> list[str]:
    with db.read() as conn:
        return list(conn.scalars(select(THINGS.c.word).order_by(THINGS.c.id)))


def write_and_fail(conn: Connection, word: str) -> None:
    conn.execute(insert(THINGS).values(word=word))
    raise KeyError


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1)]
)
def test_sqlite_is_durable_and_overwrites_what_is_deleted(db: Database, pragma: str, value: object) -> None:
    with db.read() as conn:
        assert conn.execute(text(f"PRAGMA {pragma}")).scalar() == value


def test_a_unit_of_work_is_kept_whole_or_not_at_all(db: Database) -> None:
    with db.write() as conn:
        conn.execute(insert(THINGS).values(word="kept"))
    with pytest.raises(KeyError), db.write() as conn:
        write_and_fail(conn, "lost")
    assert words(db) == ["kept"]


def test_a_savepoint_takes_back_only_its_own_part(db: Database) -> None:
    with db.write() as conn:
        conn.execute(insert(THINGS).values(word="before"))
        with pytest.raises(KeyError), conn.begin_nested():
            write_and_fail(conn, "inside")
        conn.execute(insert(THINGS).values(word="after"))
    assert words(db) == ["before", "after"]


def test_a_reading_unit_cannot_write(db: Database) -> None:
    with pytest.raises(OperationalError), db.read() as conn:
        conn.execute(insert(THINGS).values(word="no"))
    with db.write() as conn:
        conn.execute(insert(THINGS).values(word="yes"))
    assert words(db) == ["yes"]


def test_a_reading_unit_sees_one_state(db: Database) -> None:
    with db.read() as conn:
        assert conn.execute(select(THINGS)).all() == []
        with db.write() as other:
            other.execute(insert(THINGS).values(word="meanwhile"))
        assert conn.execute(select(THINGS)).all() == []


def test_writers_wait_for_each_other_instead_of_failing(db: Database) -> None:
    def count_up() -> None:
        for _ in range(10):
            with db.write() as conn:
                seen = conn.scalar(select(THINGS.c.id).order_by(THINGS.c.id.desc()).limit(1)) or 0
                conn.execute(insert(THINGS).values(id=seen + 1, word=""))

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(words(db)) == 40


def test_work_is_run_again_while_the_database_asks_for_it(db: Database) -> None:
    attempts: list[int] = []
    busy = _busy(db)
    assert asks_to_try_again(busy)

    def work(_conn: object) -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise busy
        return "done"

    assert db.in_transaction(work) == "done"
    assert len(attempts) == 3


def test_work_is_not_run_again_for_a_fault_of_its_own(db: Database) -> None:
    attempts: list[int] = []

    def work(_conn: object) -> None:
        attempts.append(1)
        raise IntegrityError("insert", {}, Exception())

    with pytest.raises(IntegrityError):
        db.in_transaction(work)
    assert len(attempts) == 1


def _busy(db: Database) -> OperationalError:
    impatient = sqlite3.connect(str(db.engine.url.database), timeout=0)
    with db.write(), pytest.raises(sqlite3.OperationalError) as caught:
        impatient.execute("BEGIN IMMEDIATE")
    impatient.close()
    return OperationalError("BEGIN IMMEDIATE", {}, caught.value)


def test_errors_do_not_show_parameters(db: Database) -> None:
    with pytest.raises(IntegrityError) as caught, db.write() as conn:
        conn.execute(insert(THINGS), [{"id": 1, "word": "Testa Sample"}] * 2)
    assert "Testa" not in str(caught.value)


def test_times_come_back_aware_and_in_utc(db: Database) -> None:
    noon_in_denver = datetime(2026, 3, 2, 12, 0, tzinfo=timezone(timedelta(hours=-7)))
    with db.write() as conn:
        conn.execute(insert(THINGS).values(made_at=noon_in_denver))
        conn.execute(insert(THINGS).values(made_at=None))
    with db.read() as conn:
        stored, nothing = conn.scalars(select(THINGS.c.made_at).order_by(THINGS.c.id))
    assert stored == noon_in_denver
    assert stored.tzinfo is UTC
    assert nothing is None


def test_a_naive_time_is_refused(db: Database) -> None:
    with pytest.raises(StatementError), db.write() as conn:
        conn.execute(insert(THINGS).values(made_at=datetime(2026, 3, 2)))  # noqa: DTZ001


def test_postgresql_gets_psycopg_and_the_area_as_search_path() -> None:
    engine = make_engine("postgresql://localhost/lead", schema="review")
    assert engine.dialect.driver == "psycopg"
    _, parameters = engine.dialect.create_connect_args(engine.url)
    assert parameters["host"] == "localhost"
