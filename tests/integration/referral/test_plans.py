"""What lists and streams look up is found by an index, so that it costs the same however many rows there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from lead.referral.v1 import referral_service_pb2 as service
from sqlalchemy import Connection, event

from services.referral import store
from services.shared.sharing.assertion import Caller
from tests.integration.referral.exchange import Exchange
from tests.unit.referral.builders import a_caller, a_draft

Look = Callable[[Connection], object]


def page_of(caller: Caller) -> Look:
    return lambda connection: store.page(connection, caller, (), "ref_0", None, 51)


LOOKS: dict[str, Look] = {
    "own agency": page_of(a_caller("police_officer")),
    "routed": page_of(a_caller("prosecutor", "sample-city-attorney")),
    "own site": page_of(a_caller("program_manager", "sample-office", site_ids=("seattle",))),
    "natural keys": lambda connection: store.by_natural_keys(
        connection, "sample-police", {("rms", "1"), ("rms", "2"), ("cad", "1")}
    ),
}


@pytest.mark.parametrize("name", LOOKS)
def test_nothing_is_scanned_or_sorted(exchange: Exchange, name: str) -> None:
    exchange.submit(a_draft())
    for plan in plans_of(exchange, LOOKS[name]):
        assert plan
        for step in plan:
            assert step.startswith(("SEARCH", "MULTI-INDEX OR", "INDEX"))
            assert "(agency_id=?)" not in step


def plans_of(exchange: Exchange, look: Look) -> list[list[str]]:
    asked: list[tuple[str, object]] = []

    def note(_connection: Connection, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(exchange.engine, "before_cursor_execute", note)
    with exchange.db.read() as connection:
        look(connection)
        event.remove(exchange.engine, "before_cursor_execute", note)
        return [
            [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]  # type: ignore[arg-type]
            for statement, parameters in asked
        ]


@contextmanager
def counted(exchange: Exchange) -> Iterator[list[str]]:
    begun: list[str] = []

    def note(_connection: Connection) -> None:
        begun.append("begin")

    event.listen(exchange.engine, "begin", note)
    try:
        yield begun
    finally:
        event.remove(exchange.engine, "begin", note)


def test_a_referral_is_read_in_one_transaction(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    with counted(exchange) as begun:
        exchange.call("GetReferral", service.GetReferralRequest(id=made.id))
    assert begun == ["begin"]
