"""What goes on the ledger before an answer leaves: what was disclosed, of whom, on which basis."""

from __future__ import annotations

from datetime import UTC
from functools import reduce
from operator import or_

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.audit.v1 import audit_pb2
from lead.audit.v1.audit_internal_service_pb2 import AppendEntriesRequest, EntryDraft
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.options.v1 import words_pb2

from gateway.decisions import Held
from gateway.record import access, disclosures, entries
from gateway.redact import NO_RECORD, Key, Seen, View
from services.audit import validate
from services.shared.sharing.assertion import Caller
from services.shared.sharing.need import BITS, need, words
from tests.support.clock import NOON
from tests.unit.gateway.exchange import bits

CALLER = Caller("acc_1", "prosecutor", "prosecutor", "prosecutor", "DIVERSION_COORD", ("north",))
PERSON = Caller("acc_p", "", "", "participant", "PATRQT", participant_id="par_1")
METHOD = "/lead.review.v1.ReviewService/GetReview"
POLICE: Key = ("sub_1", "police", "ref_1")
CARE: Key = ("sub_1", "outreach", "par_1")
OWN: Key = ("sub_1", "prosecutor", "ref_1")
OTHER: Key = ("sub_2", "police", "ref_2")


def a_ruling(categories: int, row: int = 4, consent_id: str = "") -> consent.Ruling:
    rule = "consent" if consent_id else "allow"
    return consent.Ruling(
        categories=categories,
        row=row,
        rule=rule,
        law="42 CFR 2.31",
        consent_id=consent_id,
        consent_version=2 if consent_id else 0,
    )


def a_held(*rulings: consent.Ruling, kind: str = "police", part2: str = "NO") -> Held:
    visible = reduce(or_, (one.categories for one in rulings), 0)
    return Held(consent.Decision(visible=visible, rulings=rulings), View(visible, kind, part2), "p1", 7, 0.0)


HELD = {
    NO_RECORD: a_held(a_ruling(bits("SYSTEM", "DIRECTORY"), 39), kind="none"),
    POLICE: a_held(a_ruling(bits("IDENTITY", "REFERRAL", "CHARGE")), a_ruling(bits("SYSTEM", "STAFF"), 39)),
    CARE: a_held(
        a_ruling(bits("PROGRAM_STATUS"), 15, "con_1"),
        a_ruling(bits("SUD_PRESENCE"), 20, "con_2"),
        a_ruling(bits("SYSTEM"), 39),
        kind="case_management",
        part2="YES",
    ),
    OWN: a_held(a_ruling(sum(BITS.values()), 1), kind="prosecutor"),
    OTHER: a_held(a_ruling(bits("REFERRAL"))),
}


def recorded(seen: dict[Key, int], caller: Caller = CALLER) -> list[EntryDraft]:
    found = disclosures(caller, Seen(seen), HELD)
    return entries(caller, METHOD, "req_1", found, HELD, NOON)


def lines(entry: EntryDraft) -> set[tuple[int, tuple[str, ...], str, str]]:
    return {(one.row, words(one.categories), one.source_agency_id, one.consent_id) for one in entry.bases}


def test_a_disclosure_says_what_left_on_which_row_of_which_source() -> None:
    [entry] = recorded({POLICE: bits("REFERRAL", "CHARGE")})
    assert (entry.kind, entry.outcome) == (audit_pb2.ENTRY_KIND_DISCLOSURE, "OK")
    assert (entry.agency_id, entry.role, entry.purpose) == (
        "prosecutor",
        words_pb2.ROLE_PROSECUTOR,
        words_pb2.PURPOSE_DIVERSION_COORD,
    )
    assert (entry.method, entry.request_id, entry.policy_version) == (METHOD, "req_1", "p1")
    assert entry.time.ToDatetime(UTC) == NOON
    assert (entry.identifying.subject_id, entry.identifying.account_id) == ("sub_1", "acc_1")
    assert lines(entry) == {(4, ("REFERRAL", "CHARGE"), "police", "")}


def test_only_what_left_is_recorded_though_more_may_be_seen() -> None:
    [entry] = recorded({POLICE: bits("REFERRAL")})
    assert lines(entry) == {(4, ("REFERRAL",), "police", "")}


def test_what_the_source_adds_is_disclosed_with_it() -> None:
    """The need set: a fact from a Part 2 program says that the person is known there, on a release of its own."""
    [entry] = recorded({CARE: bits("PROGRAM_STATUS")})
    assert lines(entry) == {
        (15, ("PROGRAM_STATUS",), "outreach", "con_1"),
        (20, ("SUD_PRESENCE",), "outreach", "con_2"),
    }


def test_one_entry_a_subject_with_the_bases_of_each_source() -> None:
    one, other = recorded({CARE: bits("PROGRAM_STATUS"), POLICE: bits("CHARGE"), OTHER: bits("REFERRAL")})
    assert (one.identifying.subject_id, other.identifying.subject_id) == ("sub_1", "sub_2")
    assert {source for _, _, source, _ in lines(one)} == {"outreach", "police"}
    assert lines(other) == {(4, ("REFERRAL",), "police", "")}
    assert one.entry_key != other.entry_key


def test_facts_about_the_exchange_are_no_disclosure() -> None:
    [entry] = recorded({NO_RECORD: bits("SYSTEM", "DIRECTORY"), POLICE: bits("SYSTEM")})
    assert entry.kind == audit_pb2.ENTRY_KIND_ACCESS


def test_own_records_are_no_disclosure() -> None:
    [entry] = recorded({OWN: bits("DECISION", "PROSECUTOR_WORK_PRODUCT")})
    assert (entry.kind, list(entry.bases)) == (audit_pb2.ENTRY_KIND_ACCESS, [])


def test_own_records_beside_others_are_left_out_of_the_disclosure() -> None:
    [entry] = recorded({OWN: bits("DECISION"), POLICE: bits("CHARGE")})
    assert lines(entry) == {(4, ("CHARGE",), "police", "")}


def test_a_persons_own_file_is_no_disclosure_to_another() -> None:
    [entry] = recorded({POLICE: bits("CHARGE"), CARE: bits("PROGRAM_STATUS")}, PERSON)
    assert (entry.kind, entry.agency_id, entry.role) == (
        audit_pb2.ENTRY_KIND_ACCESS,
        "",
        words_pb2.ROLE_PARTICIPANT,
    )


def test_an_answer_with_nothing_in_it_is_an_access() -> None:
    assert recorded({}) == [access(CALLER, METHOD, "req_1", "OK", NOON)]


@pytest.mark.parametrize("outcome", ["OK", "NOT_FOUND", "FAILED_PRECONDITION", "INVALID_ARGUMENT"])
def test_success_and_denial_are_of_one_shape(outcome: str) -> None:
    """P2-02: they differ in the outcome, and in nothing that its length would tell."""
    entry, denied = access(CALLER, METHOD, "req_1", outcome, NOON), access(CALLER, METHOD, "req_1", "NOT_FOUND", NOON)
    fields = [field.name for field, _ in entry.ListFields()]
    assert fields == [field.name for field, _ in denied.ListFields()]
    assert not entry.bases
    assert entry.identifying.subject_id == entry.identifying.record_id == ""
    assert entry.entry_key == f"req_1/{outcome}"


def test_the_same_disclosure_twice_is_one_entry_and_another_is_another() -> None:
    """A call may go round after a change: audit keeps one entry a key."""
    one, same = recorded({POLICE: bits("REFERRAL")}), recorded({POLICE: bits("REFERRAL")})
    more = recorded({POLICE: bits("REFERRAL", "CHARGE")})
    assert one[0].entry_key == same[0].entry_key != more[0].entry_key


def test_a_caller_of_whom_nothing_is_known_yet_is_recorded_all_the_same() -> None:
    entry = access(Caller("acc_1", "", "", "unspecified", ""), METHOD, "req_1", "PURPOSE_REFUSED", NOON)
    assert (entry.role, entry.purpose) == (0, 0)


some_bits = st.integers(0, sum(BITS.values())).map(lambda number: number & sum(BITS.values()))


@given(st.dictionaries(st.sampled_from([NO_RECORD, POLICE, CARE, OWN, OTHER]), some_bits))
def test_bases_are_what_left_with_its_need_and_within_what_was_decided(seen: dict[Key, int]) -> None:
    by_source: dict[tuple[str, str], int] = {}
    for entry in recorded(seen):
        for basis in entry.bases:
            place = (entry.identifying.subject_id, basis.source_agency_id)
            assert not by_source.get(place, 0) & basis.categories
            by_source[place] = by_source.get(place, 0) | basis.categories
    for key, categories in seen.items():
        if key in (NO_RECORD, OWN):
            continue
        view = HELD[key].view
        used = 0
        for word in set(words(categories)) - {"SYSTEM", "DIRECTORY"}:
            used |= need(word, word, view.source_kind, view.part2)
        assert by_source.get(key[:2], 0) == used & view.visible


@given(st.dictionaries(st.sampled_from(list(HELD)), some_bits), st.sampled_from([CALLER, PERSON]))
def test_audit_takes_every_entry_that_is_made_here(seen: dict[Key, int], caller: Caller) -> None:
    validate.appended(AppendEntriesRequest(entries=recorded(seen, caller)))
