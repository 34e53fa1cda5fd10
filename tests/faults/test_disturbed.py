"""What keeps something in step outlives what disturbs it: a database that hangs, a caller who hangs up."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft

from gateway.models import LEDGER_SPOOL, METADATA
from gateway.spool import Spool
from services.command.demo import journey
from services.command.demo.story import Story
from services.command.exchange import Exchange
from services.command.layout import PROCESSES, Layout
from services.shared.db import Database, make_engine
from services.shared.ledger import SpoolSender
from tests.faults.books import Books
from tests.faults.rms import Rms, records
from tests.faults.test_dependency_down import referred
from tests.faults.test_kill import check_each_once
from tests.faults.waiting import until

# Longer than any process waits for a lock.
HUNG_SECONDS = 11.0
# Shorter than TLS waits for the other side's goodbye.
STOP_SECONDS = 20.0


@contextmanager
def hung(layout: Layout) -> Iterator[None]:
    """Let nobody write into any database."""
    with ExitStack() as held:
        for process in PROCESSES:
            file = held.enter_context(closing(sqlite3.connect(layout.database(process), isolation_level=None)))
            file.execute("PRAGMA busy_timeout = 10000")
            file.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.slow
def test_all_goes_on_after_every_database_hung(exchange: Exchange, story: Story, books: Books, tmp_path: Path) -> None:
    person, officer = referred(story, "Hung-Databases"), journey.officer(story)
    rms, sent = Rms(exchange), records("hung", 40)
    rms.push(sent[:20])
    path = f"/v1/referrals/{person.referral_id}"
    with ThreadPoolExecutor(2) as aside:
        with hung(exchange.layout):
            pushing = aside.submit(rms.push_through, sent)
            reading = aside.submit(officer.get, path)
            time.sleep(HUNG_SECONDS)
        pushing.result(60)
        assert reading.result(60).status in (200, 503)
    exchange.wait()
    check_each_once(story, books, rms, tmp_path)
    decided = books.count("consent", "decisions")
    # About somebody new, so that no decision is remembered.
    referred(story, "After-Hung-Databases")
    until(lambda: books.count("consent", "decisions") > decided, "decisions are written down again")


@pytest.mark.slow
def test_a_process_that_ends_in_order_leaves_no_session_to_wait_for(exchange: Exchange, books: Books) -> None:
    for process in ("review", "gateway"):
        until(lambda process=process: held(books, process), f"{process} holds a session")  # type: ignore[misc]
        exchange.kill(process, signal.SIGTERM, stay_down=True)
        # Nothing is revoked meanwhile, so that none is found dead.
        until(lambda process=process: not held(books, process), f"{process} said goodbye")  # type: ignore[misc]
        exchange.restart(process)


@pytest.mark.slow
def test_a_gateway_ends_in_order_though_a_client_keeps_its_connection(exchange: Exchange, story: Story) -> None:
    # Open, idle, and with nobody who would read a goodbye from it.
    assert journey.officer(story).get("/v1/me").status == 200
    exchange.kill("gateway", signal.SIGTERM, stay_down=True)
    try:
        until(lambda: not exchange.pid("gateway"), "the gateway has stopped", STOP_SECONDS)
    finally:
        exchange.restart("gateway")


def held(books: Books, process: str) -> int:
    """Count the sessions of a process, as consent has last stored them."""
    return books.count("consent", "sessions", f"service = '{process}'")


class Ledger:
    """Takes entries, after what is wrong with it at first."""

    def __init__(self, *failures: Exception) -> None:
        self.taken: list[str] = []
        self._failures = list(failures)

    def append(self, entries: list[EntryDraft]) -> None:
        if self._failures:
            raise self._failures.pop()
        self.taken += [entry.entry_key for entry in entries]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    engine = make_engine(f"sqlite:///{tmp_path / 'gateway.db'}")
    METADATA.create_all(engine)
    yield Database(engine)
    engine.dispose()


def test_a_call_given_up_in_the_middle_stops_no_other_and_is_recorded(database: Database) -> None:
    ledger = Ledger()
    spool = Spool(database, SpoolSender(database, LEDGER_SPOOL, ledger.append))  # type: ignore[arg-type]

    async def calls() -> None:
        with database.write():
            given_up = asyncio.create_task(spool.put([EntryDraft(entry_key="given up")]))
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.sleep(0)
        await asyncio.wait_for(spool.put([EntryDraft(entry_key="goes on")]), 30)

    spool.start()
    asyncio.run(calls())
    until(lambda: len(ledger.taken) == 2, "both are on the ledger")
    spool.stop()
    assert ledger.taken == ["given up", "goes on"]


def test_a_spool_goes_on_after_a_failure_of_any_kind(database: Database) -> None:
    ledger = Ledger(RuntimeError(), sqlite3.OperationalError())
    spool = Spool(database, SpoolSender(database, LEDGER_SPOOL, ledger.append))  # type: ignore[arg-type]
    spool.start()
    asyncio.run(spool.put([EntryDraft(entry_key="kept")]))
    until(lambda: ledger.taken == ["kept"], "the entry is on the ledger")
    spool.stop()
