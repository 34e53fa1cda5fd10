from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lead.audit.v1.audit_internal_service_pb2 import AppendEntriesRequest, LedgerEntry
from sqlalchemy import event

from services.audit import handlers, store
from services.audit.handlers import Desk
from services.audit.internal import AuditInternalServicer
from services.audit.merkle import Frontier, leaf_hash, root
from services.audit.models import ENTRIES
from services.shared.errors import Code, LeadError
from services.shared.rpc.caller import RequestInfo, acting
from tests.integration.audit.desk import ACCOUNT, SUBJECT, a_desk, a_disclosure, an_access


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with a_desk(tmp_path) as desk:
        yield desk


def test_an_append_answers_with_the_place_of_each_entry(desk: Desk) -> None:
    assert handlers.append(desk, "gateway", [an_access("a"), a_disclosure("b")]) == [0, 1]
    assert handlers.append(desk, "gateway", [an_access("c")]) == [2]
    with desk.db.read() as connection:
        stored = list(store.whole(connection, 3))
        assert store.head(connection).root() == root(leaf_hash(each.entry) for each in stored)


def test_an_entry_that_is_appended_again_is_one_entry(desk: Desk) -> None:
    first = handlers.append(desk, "gateway", [an_access("a"), an_access("b")])
    assert handlers.append(desk, "gateway", [an_access("b"), an_access("c"), an_access("a")]) == [first[1], 2, first[0]]
    assert handlers.size(desk) == 3


def test_an_entry_that_is_twice_in_one_append_is_one_entry(desk: Desk) -> None:
    assert handlers.append(desk, "gateway", [an_access("a"), an_access("b"), an_access("a")]) == [0, 1, 0]


def test_entries_of_two_services_are_two_even_under_one_key(desk: Desk) -> None:
    assert handlers.append(desk, "gateway", [an_access("a")]) == [0]
    assert handlers.append(desk, "consent", [an_access("a")]) == [1]


def test_entries_without_a_key_are_never_taken_for_one_another(desk: Desk) -> None:
    assert handlers.append(desk, "gateway", [an_access(), an_access()]) == [0, 1]


def test_entries_without_a_key_are_not_looked_for(desk: Desk) -> None:
    handlers.append(desk, "gateway", [an_access()])
    begun: list[str] = []
    event.listen(desk.db.engine, "begin", lambda _: begun.append("begin"))
    handlers.append(desk, "gateway", [an_access()])
    assert begun == ["begin"]


def test_an_entry_that_many_append_at_once_is_one_entry(desk: Desk) -> None:
    start = threading.Barrier(8)

    def append(number: int) -> list[int]:
        start.wait(30)
        return [
            handlers.append(desk, "gateway", [an_access(f"{turn}"), an_access(f"{number}/{turn}")])[0]
            for turn in range(10)
        ]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(append, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert handlers.size(desk) == 10 + 80


def test_nothing_stored_names_the_person_or_the_account(desk: Desk, tmp_path: Path) -> None:
    handlers.append(desk, "gateway", [a_disclosure(f"{SUBJECT}/1"), an_access(f"{SUBJECT}/2")])
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"prosecutor-north" in files
    for secret in (SUBJECT, ACCOUNT):
        assert secret.encode() not in files
        assert secret.removeprefix("sub_").removeprefix("acc_").encode() not in files


def test_the_index_repeats_what_the_entry_says(desk: Desk) -> None:
    handlers.append(desk, "gateway", [a_disclosure("a"), an_access("b")])
    with desk.db.read() as connection:
        rows = connection.execute(ENTRIES.select()).mappings().all()
    for row in rows:
        parsed = LedgerEntry.FromString(row["entry"])
        assert row["leaf_hash"] == leaf_hash(row["entry"])
        assert (row["kind"], row["agency_id"], row["method"]) == (parsed.kind, parsed.agency_id, parsed.method)
        assert (row["subject_pseudonym"] or b"") == parsed.subject_pseudonym


def test_what_cannot_be_stored_is_refused_whole_with_every_place(desk: Desk) -> None:
    request = AppendEntriesRequest(entries=[an_access("a"), a_disclosure("b", bases=0, method="x\ny")])
    with acting(None, RequestInfo("req", "gateway")), pytest.raises(LeadError) as refused:
        AuditInternalServicer(desk).AppendEntries(request, None)  # type: ignore[arg-type]
    assert refused.value.code is Code.INVALID_ARGUMENT
    assert {each.path for each in refused.value.violations} == {"entries[1].method", "entries[1].bases"}
    assert handlers.size(desk) == 0


def test_the_internal_face_keeps_the_services_apart(desk: Desk) -> None:
    face = AuditInternalServicer(desk)
    request = AppendEntriesRequest(entries=[an_access("a")])
    for service, places in (("gateway", [0]), ("consent", [1]), ("gateway", [0])):
        with acting(None, RequestInfo("req", service)):
            assert face.AppendEntries(request, None).indices == places  # type: ignore[arg-type]


def test_an_empty_append_changes_nothing(desk: Desk) -> None:
    assert handlers.append(desk, "gateway", []) == []
    with desk.db.read() as connection:
        assert store.head(connection) == Frontier()
