"""A ledger entry that audit will never take holds nobody else's up, and is kept for whoever looks into it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft
from sqlalchemy import select

from gateway.app import LedgerStub
from gateway.forward import Forwarder
from gateway.models import LEDGER_BURIED, LEDGER_SPOOL, METADATA
from gateway.spool import Burying
from services.shared import ledger
from services.shared.db import Database, make_engine
from services.shared.errors import Code, LeadError, Violation, invalid, unavailable
from services.shared.ids import Ids
from services.shared.rpc.status import grpc_code, internal, to_status, trailing


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    made = Database(make_engine(f"sqlite:///{tmp_path / 'gateway.db'}"))
    METADATA.create_all(made.engine)
    yield made
    made.engine.dispose()


class FakeAudit:
    """Takes all entries or none; never one whose key is `bad`."""

    def __init__(self, error: LeadError | None = None) -> None:
        self.error = error
        self.taken: list[str] = []

    def append(self, entries: Sequence[EntryDraft]) -> None:
        keys = [one.entry_key for one in entries]
        if self.error is not None:
            raise self.error
        if "bad" in keys:
            raise invalid([Violation("entries[0].time", "a time")])
        self.taken += [key for key in keys if key not in self.taken]


def put(db: Database, *keys: str) -> None:
    with db.write() as connection:
        ledger.put(connection, LEDGER_SPOOL, [EntryDraft(entry_key=key) for key in keys])


def buried(db: Database) -> list[tuple[str, str]]:
    with db.read() as connection:
        rows = connection.execute(select(LEDGER_BURIED)).all()
    return [(row.reason, EntryDraft.FromString(row.entry).entry_key) for row in rows]


def test_what_stands_behind_a_bad_entry_goes_on(db: Database) -> None:
    audit = FakeAudit()
    sender = ledger.SpoolSender(db, LEDGER_SPOOL, Burying(db, audit.append).append)
    put(db, "a", "bad", "b")
    assert sender.send_batch() == 3
    put(db, "c")
    sender.send_batch()
    assert audit.taken == ["a", "b", "c"]
    assert sender.waiting() == 0
    assert buried(db) == [("INVALID_FIELDS", "bad")]


@pytest.mark.parametrize("error", [unavailable("away"), internal()], ids=["away", "its own fault"])
def test_while_it_is_not_the_entrys_fault_everything_waits(db: Database, error: LeadError) -> None:
    audit = FakeAudit(error)
    sender = ledger.SpoolSender(db, LEDGER_SPOOL, Burying(db, audit.append).append)
    put(db, "a", "bad")
    with pytest.raises(LeadError):
        sender.send_batch()
    assert sender.waiting() == 2
    assert buried(db) == []


class FakeChannel:
    """A channel whose one method fails."""

    def __init__(self, error: LeadError) -> None:
        self._error = error

    def channel(self, _: str) -> Any:
        return self

    def unary_unary(self, *_: object, **__: object) -> Any:
        async def method(_: Message, **__: object) -> None:
            code, status = grpc_code(self._error.code), to_status(self._error)
            beside = grpc.aio.Metadata(*trailing(status))
            raise grpc.aio.AioRpcError(code, grpc.aio.Metadata(), beside)

        return method


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (invalid([Violation("entries[0].time", "a time")]), Code.INTERNAL),
        (internal(), Code.INTERNAL),
        (unavailable("away"), Code.UNAVAILABLE),
    ],
    ids=["refused", "broken", "away"],
)
def test_what_the_ledger_refuses_is_no_word_about_the_callers_request(refusal: LeadError, told: Code) -> None:
    stub = LedgerStub(cast(Forwarder, FakeChannel(refusal)), Ids())
    with pytest.raises(LeadError) as caught:
        asyncio.run(stub.append([EntryDraft(entry_key="a")]))
    assert caught.value.code is told
    assert not caught.value.violations
