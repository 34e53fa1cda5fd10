from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.audit.v1.audit_internal_service_pb2 import AppendEntriesRequest, EntryDraft
from lead.audit.v1.audit_pb2 import ENTRY_KIND_ACCESS, ENTRY_KIND_DISCLOSURE

from services.audit import validate
from services.audit.merkle import LedgerError
from services.audit.paging import position, token
from services.audit.refusals import as_lead_error
from services.shared.errors import Code, LeadError


def a_draft() -> EntryDraft:
    draft = EntryDraft(kind=ENTRY_KIND_DISCLOSURE, bases=[EntryDraft.Basis(row=1)])
    draft.time.seconds = 1
    draft.identifying.subject_id = "sub_1"
    return draft


def wrong(*drafts: EntryDraft) -> set[str]:
    try:
        validate.appended(AppendEntriesRequest(entries=drafts))
    except LeadError as error:
        return {each.path for each in error.violations}
    return set()


def test_a_whole_draft_is_accepted() -> None:
    assert wrong(a_draft()) == set()


@pytest.mark.parametrize(
    ("path", "spoil"),
    [
        ("kind", lambda draft: draft.ClearField("kind")),
        ("kind", lambda draft: draft.MergeFromString(b"\x08\x63")),
        ("time", lambda draft: draft.ClearField("time")),
        ("time", lambda draft: setattr(draft.time, "seconds", 1 << 60)),
        ("time", lambda draft: setattr(draft.time, "nanos", -1)),
        ("role", lambda draft: draft.MergeFromString(b"\x20\x63")),
        ("purpose", lambda draft: draft.MergeFromString(b"\x28\x63")),
        ("agencyId", lambda draft: setattr(draft, "agency_id", "a\0b")),
        ("method", lambda draft: setattr(draft, "method", "x" * 201)),
        ("identifying.accountId", lambda draft: setattr(draft.identifying, "account_id", "x" * 121)),
        ("identifying.subjectId", lambda draft: draft.identifying.ClearField("subject_id")),
        ("bases", lambda draft: draft.ClearField("bases")),
        ("bases[0].law", lambda draft: setattr(draft.bases[0], "law", "a\nb")),
        ("bases", lambda draft: setattr(draft, "kind", ENTRY_KIND_ACCESS)),
    ],
)
def test_each_wrong_field_is_named(path: str, spoil: Callable[[EntryDraft], object]) -> None:
    draft = a_draft()
    spoil(draft)
    assert wrong(a_draft(), draft) == {f"entries[1].{path}"}


def test_all_wrong_fields_are_named_at_once_and_no_value_is_repeated() -> None:
    draft = EntryDraft(method="Testa\nSample")
    with pytest.raises(LeadError) as refused:
        validate.appended(AppendEntriesRequest(entries=[draft, draft]))
    assert len(refused.value.violations) == 6
    assert "Testa" not in str(refused.value) + repr(refused.value.violations)


def test_more_entries_than_a_batch_may_hold_are_refused() -> None:
    assert wrong(*[a_draft()] * 5001) == {"entries"}


@given(place=st.integers(0, 10**17), line=st.integers(0, 10**5))
def test_a_page_token_leads_back_to_its_place(place: int, line: int) -> None:
    assert position(token(place, line)) == (place, line)


@given(st.text(max_size=30) | st.binary(max_size=20).map(lambda data: data.hex()))
def test_a_token_of_anybody_else_leads_nowhere(text: str) -> None:
    found = position(text)
    assert found is None or token(*found) == text


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("OVERLOADED", Code.RESOURCE_EXHAUSTED),
        ("RANGE", Code.INVALID_ARGUMENT),
        ("ENTRY_SIZE", Code.INVALID_ARGUMENT),
        *((reason, Code.UNAVAILABLE) for reason in ("NOT_DURABLE", "FOREIGN_WRITER", "CLOSED", "LATE", "STANDBY")),
    ],
)
def test_refusals_of_the_ledger_have_their_public_code(reason: str, code: Code) -> None:
    assert as_lead_error(LedgerError(reason, "inner text"), "entries").code is code
