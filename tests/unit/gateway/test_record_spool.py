"""Entries that must not wait for the ledger: durable here in groups, whoever gives up meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import pytest
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft

from gateway.spool import Spool
from services.shared.db import Database
from services.shared.ledger import SpoolSender
from tests.unit.gateway.exchange import run


class FakeTable:
    """Obeys what a spool asks of a Database: keeps what was inserted, a transaction at a time."""

    def __init__(self) -> None:
        self.transactions: list[list[str]] = []
        self.fails = 0
        self.entered = threading.Event()
        self.may_commit = threading.Event()
        self.may_commit.set()
        self._rows: list[str] = []

    @contextmanager
    def write(self) -> Iterator[FakeTable]:
        self._rows = []
        self.entered.set()
        assert self.may_commit.wait(30)
        if self.fails:
            self.fails -= 1
            raise OSError("the disk is full")
        yield self
        self.transactions.append(self._rows)

    def execute(self, _: object, rows: Sequence[dict[str, Any]]) -> None:
        self._rows += [EntryDraft.FromString(row["entry"]).entry_key for row in rows]


class FakeSender:
    """Carries nothing anywhere."""

    def __init__(self) -> None:
        self.nudges = 0

    def start(self) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Nothing to end."""

    def nudge(self) -> None:
        self.nudges += 1


def spooled(table: FakeTable, scenario: Callable[[Spool], Awaitable[None]]) -> FakeSender:
    """Run a scenario in a loop with a spool that is started and stopped around it."""
    sender = FakeSender()
    spool = Spool(cast(Database, table), cast(SpoolSender, sender))

    async def whole() -> None:
        await scenario(spool)

    spool.start()
    try:
        run(whole())
    finally:
        table.may_commit.set()
        spool.stop()
    return sender


def an_entry(key: str) -> EntryDraft:
    return EntryDraft(entry_key=key)


async def blocked(table: FakeTable, spool: Spool) -> asyncio.Task[None]:
    """A first put whose transaction is under way."""
    table.entered.clear()
    table.may_commit.clear()
    first = asyncio.create_task(spool.put([an_entry("first")]))
    await asyncio.to_thread(table.entered.wait, 30)
    return first


def test_a_put_returns_when_its_entries_are_durable() -> None:
    table = FakeTable()

    async def scenario(spool: Spool) -> None:
        await spool.put([an_entry("a"), an_entry("b")])
        assert table.transactions == [["a", "b"]]

    assert spooled(table, scenario).nudges == 1


def test_calls_that_come_during_a_write_share_the_next_one() -> None:
    table = FakeTable()

    async def scenario(spool: Spool) -> None:
        first = await blocked(table, spool)
        others = [asyncio.create_task(spool.put([an_entry(str(number))])) for number in range(5)]
        await asyncio.sleep(0)
        assert not first.done()
        table.may_commit.set()
        await asyncio.gather(first, *others)

    spooled(table, scenario)
    assert table.transactions == [["first"], ["0", "1", "2", "3", "4"]]


def test_a_call_that_was_given_up_does_not_keep_the_others_from_their_entries() -> None:
    """A client that hangs up cancels its call; what it did is recorded all the same."""
    table = FakeTable()

    async def scenario(spool: Spool) -> None:
        first = await blocked(table, spool)
        given_up = asyncio.create_task(spool.put([an_entry("given up")]))
        stays = asyncio.create_task(spool.put([an_entry("stays")]))
        await asyncio.sleep(0)
        first.cancel()
        given_up.cancel()
        await asyncio.gather(first, given_up, return_exceptions=True)
        table.may_commit.set()
        await asyncio.wait_for(stays, 30)
        await asyncio.wait_for(spool.put([an_entry("later")]), 30)

    spooled(table, scenario)
    assert [key for keys in table.transactions for key in keys] == ["first", "given up", "stays", "later"]


def test_what_cannot_be_written_is_told_to_all_who_wait_and_the_next_is_tried() -> None:
    table = FakeTable()

    async def scenario(spool: Spool) -> None:
        first = await blocked(table, spool)
        second = asyncio.create_task(spool.put([an_entry("second")]))
        await asyncio.sleep(0)
        table.fails = 2
        table.may_commit.set()
        for one in (first, second):
            with pytest.raises(OSError, match="full"):
                await one
        await spool.put([an_entry("third")])

    spooled(table, scenario)
    assert table.transactions == [["third"]]


def test_stopping_writes_what_waits() -> None:
    table = FakeTable()

    async def scenario(spool: Spool) -> None:
        first = await blocked(table, spool)
        second = asyncio.create_task(spool.put([an_entry("second")]))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(asyncio.to_thread(spool.stop))
        await asyncio.sleep(0.05)
        table.may_commit.set()
        await asyncio.gather(first, second, stopping)

    spooled(table, scenario)
    assert [key for keys in table.transactions for key in keys] == ["first", "second"]
