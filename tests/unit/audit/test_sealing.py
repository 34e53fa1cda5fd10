from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft, Identifying, LedgerEntry
from lead.audit.v1.audit_pb2 import ENTRY_KIND_ACCESS, ENTRY_KIND_DISCLOSURE

from services.audit.merkle import LedgerError
from services.audit.sealing import Sealing

SEALING = Sealing(bytes(range(32)))
ids = st.text(st.characters(min_codepoint=48, max_codepoint=122), max_size=120)
persons = st.builds(Identifying, account_id=ids, subject_id=ids, record_id=ids)


def a_draft(kind: int = ENTRY_KIND_DISCLOSURE, **identifying: str) -> EntryDraft:
    draft = EntryDraft(agency_id="police-north", method="M", outcome="NOT_FOUND", request_id="req")
    draft.kind = kind  # type: ignore[assignment]
    draft.time.seconds = 1
    draft.identifying.CopyFrom(Identifying(**identifying))
    return draft


def a_basis(categories: int, row: int = 1, source: str = "police-north") -> EntryDraft.Basis:
    return EntryDraft.Basis(categories=categories, row=row, source_agency_id=source)


@given(person=persons)
def test_who_an_entry_is_about_can_be_read_with_the_key_and_not_without(person: Identifying) -> None:
    draft = a_draft()
    draft.identifying.CopyFrom(person)
    stored = SEALING.entry(draft)
    assert SEALING.identity(stored) == person
    with pytest.raises(LedgerError, match="SEAL"):
        Sealing(bytes(32)).identity(stored)
    for secret in (person.account_id, person.subject_id, person.record_id):
        assert len(secret) < 8 or secret.encode() not in stored


@given(place=st.integers(min_value=0), flip=st.integers(1, 255))
def test_no_byte_of_an_entry_changes_without_its_sealed_part_noticing(place: int, flip: int) -> None:
    stored = bytearray(SEALING.entry(a_draft(subject_id="sub_1")))
    stored[place % len(stored)] ^= flip
    with pytest.raises(LedgerError, match="SEAL"):
        SEALING.identity(bytes(stored))


@given(known=ids, asked=ids, account=ids)
def test_denied_and_absent_make_access_entries_of_equal_size_and_form(known: str, asked: str, account: str) -> None:
    denied = a_draft(ENTRY_KIND_ACCESS, account_id=account, subject_id=known, record_id=asked)
    absent = a_draft(ENTRY_KIND_ACCESS, account_id=account, record_id=asked)
    one, other = (SEALING.entry(draft) for draft in (denied, absent))
    assert len(one) == len(other)
    first, second = LedgerEntry.FromString(one), LedgerEntry.FromString(other)
    for entry in (first, second):
        assert not entry.subject_pseudonym
        for name in ("salt", "nonce", "sealed"):
            entry.ClearField(name)
    assert first == second


def test_no_two_entries_are_alike_so_that_no_hash_can_be_guessed() -> None:
    one, other = (LedgerEntry.FromString(SEALING.entry(a_draft(subject_id="sub_1"))) for _ in range(2))
    assert one.subject_pseudonym == other.subject_pseudonym == SEALING.pseudonym("sub_1")
    for name in ("salt", "nonce", "sealed"):
        assert getattr(one, name) != getattr(other, name)


def test_an_entry_about_no_person_has_no_pseudonym() -> None:
    assert LedgerEntry.FromString(SEALING.entry(a_draft(account_id="acc_1"))).subject_pseudonym == b""


def test_pseudonyms_and_marks_are_of_their_key_and_use_alone() -> None:
    other = Sealing(bytes(32))
    found = {SEALING.pseudonym("a"), other.pseudonym("a"), SEALING.mark("", "a"), SEALING.mark("gateway", "a")}
    assert len(found | {SEALING.mark("consent", "a")}) == 5
    assert all(len(value) == 32 for value in found)


def test_bases_of_one_source_and_reason_are_one_basis() -> None:
    draft = a_draft()
    draft.bases.extend([a_basis(2), a_basis(4), a_basis(2, row=2), a_basis(8, source="other"), a_basis(2)])
    stored = LedgerEntry.FromString(SEALING.entry(draft))
    assert list(stored.bases) == [a_basis(6), a_basis(2, row=2), a_basis(8, source="other")]


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(LedgerError, match="KEY"):
        Sealing(bytes(31))
