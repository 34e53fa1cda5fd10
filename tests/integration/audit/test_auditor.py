from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.audit.v1 import audit_service_pb2 as pb
from lead.audit.v1.audit_pb2 import ENTRY_KIND_ACCESS, ENTRY_KIND_DISCLOSURE

from services.audit import handlers
from services.audit.checkpoint import from_base64, parse_and_verify
from services.audit.handlers import Desk
from services.audit.merkle import verify_consistency, verify_inclusion
from services.audit.servicer import AuditServicer
from services.shared.errors import Code, LeadError
from tests.integration.audit.desk import ACCOUNT, KEY, SUBJECT, a_desk, a_disclosure, an_access
from tests.support.clock import NOON

NONE: Any = None
SIZE = 21


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A ledger that was signed after every entry."""
    with a_desk(tmp_path_factory.mktemp("desk")) as desk:
        for number in range(SIZE):
            draft = an_access(f"{number}", outcome="NOT_FOUND") if number % 2 else a_disclosure(f"{number}")
            handlers.append(desk, "gateway", [draft])
            ROOTS[number + 1] = root_of(desk)
        yield desk


ROOTS: dict[int, bytes] = {}


def root_of(desk: Desk) -> bytes:
    return from_base64(AuditServicer(desk).GetCheckpoint(pb.GetCheckpointRequest(), NONE).checkpoint.root)


def test_entries_are_listed_newest_first_as_metadata(desk: Desk) -> None:
    answer = AuditServicer(desk).ListEntries(pb.ListEntriesRequest(page_size=2), NONE)
    newest, before = answer.entries
    assert (newest.entry, newest.kind, newest.outcome) == (20, ENTRY_KIND_DISCLOSURE, "OK")
    assert (before.entry, before.kind, before.outcome) == (19, ENTRY_KIND_ACCESS, "NOT_FOUND")
    assert (newest.agency_id, newest.role, newest.purpose) == ("prosecutor-north", "prosecutor", "DIVERSION_COORD")
    assert newest.time.ToDatetime(tzinfo=NOON.tzinfo) == NOON


def test_an_auditor_learns_nothing_of_the_person_or_the_account(desk: Desk) -> None:
    answer = AuditServicer(desk).ListEntries(pb.ListEntriesRequest(), NONE).SerializeToString()
    assert b"prosecutor-north" in answer
    assert SUBJECT.encode() not in answer
    assert ACCOUNT.encode() not in answer


def test_pages_of_entries_hold_each_once(desk: Desk) -> None:
    found: list[int] = []
    token = ""
    while not found or token:
        answer = AuditServicer(desk).ListEntries(pb.ListEntriesRequest(page_size=4, page_token=token), NONE)
        found += [one.entry for one in answer.entries]
        token = answer.next_page_token
    assert found == list(range(SIZE))[::-1]


@given(data=st.data(), size=st.integers(1, SIZE))
def test_an_inclusion_proof_convinces_whoever_kept_a_checkpoint(desk: Desk, data: st.DataObject, size: int) -> None:
    entry = data.draw(st.integers(0, size - 1))
    answer = AuditServicer(desk).GetInclusionProof(pb.GetInclusionProofRequest(entry=entry, size=size), NONE)
    path = [from_base64(each) for each in answer.path]
    assert verify_inclusion(entry, size, from_base64(answer.leaf_hash), path, ROOTS[size])


@given(data=st.data(), second=st.integers(1, SIZE))
def test_a_consistency_proof_joins_any_two_checkpoints(desk: Desk, data: st.DataObject, second: int) -> None:
    first = data.draw(st.integers(1, second))
    answer = AuditServicer(desk).GetConsistencyProof(pb.GetConsistencyProofRequest(first=first, second=second), NONE)
    path = [from_base64(each) for each in answer.path]
    assert verify_consistency(first, second, ROOTS[first], ROOTS[second], path)


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({}, {"entry", "size"}),
        ({"entry": 0}, {"size"}),
        ({"entry": 0, "size": SIZE + 1}, {"size"}),
        ({"entry": 0, "size": 0}, {"size"}),
        ({"entry": 5, "size": 5}, {"entry"}),
        ({"entry": -1, "size": 5}, {"entry"}),
    ],
)
def test_no_proof_is_given_of_what_never_was(desk: Desk, values: dict[str, int], paths: set[str]) -> None:
    with pytest.raises(LeadError) as refused:
        AuditServicer(desk).GetInclusionProof(pb.GetInclusionProofRequest(**values), NONE)
    assert refused.value.code is Code.INVALID_ARGUMENT
    assert {each.path for each in refused.value.violations} == paths


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({}, {"first", "second"}),
        ({"first": 0, "second": 3}, {"first"}),
        ({"first": 4, "second": 3}, {"first"}),
        ({"first": 1, "second": SIZE + 1}, {"second"}),
    ],
)
def test_no_consistency_is_proved_of_sizes_that_never_were(desk: Desk, values: dict[str, int], paths: set[str]) -> None:
    with pytest.raises(LeadError) as refused:
        AuditServicer(desk).GetConsistencyProof(pb.GetConsistencyProofRequest(**values), NONE)
    assert {each.path for each in refused.value.violations} == paths


def test_the_checkpoint_is_signed_over_all_entries_and_says_so_twice(desk: Desk) -> None:
    answer = AuditServicer(desk).GetCheckpoint(pb.GetCheckpointRequest(), NONE).checkpoint
    signed = parse_and_verify(answer.note, KEY.public_key())
    assert (answer.size, from_base64(answer.root)) == (signed.size, signed.root) == (SIZE, ROOTS[SIZE])
    assert answer.time.ToDatetime(tzinfo=NOON.tzinfo) == signed.time


def test_an_empty_ledger_has_a_checkpoint_too(tmp_path: Path) -> None:
    with a_desk(tmp_path) as empty:
        assert AuditServicer(empty).GetCheckpoint(pb.GetCheckpointRequest(), NONE).checkpoint.size == 0
