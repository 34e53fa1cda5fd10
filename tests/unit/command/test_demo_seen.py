from __future__ import annotations

from lead.casework.v1.casework_service_pb2 import ListHandoffsResponse
from lead.referral.v1.referral_service_pb2 import GetReferralResponse

from services.command.demo.seen import UNKNOWN, UNLABELLED, seen

REFERRAL = "lead.referral.v1.Referral"
CONFIRMATION = "lead.referral.v1.Confirmation"
GOT = GetReferralResponse.DESCRIPTOR


def test_a_field_is_seen_by_its_label_and_the_record_it_stands_on() -> None:
    answer = {
        "referral": {
            "id": "ref_1",
            "person": {"givenName": "Testa", "localIds": [{"agencyId": "sample-police"}]},
            "confirmation": {"intakeConfirmedTime": "2026-01-01T00:00:00Z"},
        },
        "accompaniment": {"notice": "said"},
    }
    assert set(seen(answer, GOT)) == {
        (REFERRAL, "REFERRAL"),
        (REFERRAL, "IDENTITY"),
        (CONFIRMATION, "PROGRAM_STATUS"),
        ("", "SYSTEM"),
    }


def test_what_is_empty_is_not_seen() -> None:
    answer = {"referral": {"id": "", "person": {}, "charges": [], "contact": {"phones": [], "address": None}}}
    assert not set(seen(answer, GOT))


def test_no_is_an_answer() -> None:
    assert set(seen({"referral": {"victim": {"present": False}}}, GOT)) == {(REFERRAL, "VICTIM_OF_OFFENCE")}


def test_a_quoted_fact_is_seen_by_the_category_that_it_quotes() -> None:
    reason = {"quotes": "CATEGORY_CHARGE", "text": "more than the limit"}
    answer = {"referral": {"screening": {"reasons": [reason]}}}
    assert set(seen(answer, GOT)) == {(REFERRAL, "ELIGIBILITY"), (REFERRAL, "CHARGE")}


def test_a_quote_that_names_no_category_cannot_be_overlooked() -> None:
    answer = {"referral": {"screening": {"reasons": [{"text": "more than the limit"}]}}}
    assert set(seen(answer, GOT)) == {(REFERRAL, UNLABELLED)}


def test_what_the_contract_does_not_know_cannot_be_overlooked() -> None:
    assert set(seen({"referral": {"surprise": 1}}, GOT)) == {(REFERRAL, UNKNOWN)}


def test_a_reference_that_was_not_stripped_cannot_be_overlooked() -> None:
    assert (REFERRAL, UNLABELLED) in set(seen({"referral": {"reference": {"subjectId": "sub_1"}}}, GOT))


def test_a_record_inside_another_one_is_its_own() -> None:
    answer = {"handoffs": [{"id": "hof_1", "request": {"givenName": "Testa"}}]}
    assert set(seen(answer, ListHandoffsResponse.DESCRIPTOR)) == {
        ("lead.casework.v1.Handoff", "REFERRAL"),
        ("lead.casework.v1.HandoffRequest", "IDENTITY"),
    }
