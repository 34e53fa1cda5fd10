"""What protobuf lets pass in a request and the contract does not."""

from __future__ import annotations

import pytest
from lead.consent.v1 import consent_service_pb2 as consent
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from gateway.wire_check import strangers

UNKNOWN_FIELD = b"\xf8\x07\x01"


def told(message: service.SubmitReferralRequest | consent.CreateConsentRequest) -> dict[str, str]:
    return {one.path: one.wish for one in strangers(message)}


def test_a_request_of_the_contract_has_no_strangers() -> None:
    draft = pb.ReferralDraft(door=pb.DOOR_COMMUNITY, narrative="One line.\nAnother\tone.")
    draft.incident_time.FromJsonString("2026-01-31T09:30:00.5Z")
    assert told(service.SubmitReferralRequest(referral=draft)) == {}


def test_unknown_fields_are_named_by_the_message_that_holds_them() -> None:
    request = service.SubmitReferralRequest(referral=pb.ReferralDraft(charges=[pb.ChargeDraft(statute="RCW 1")]))
    request.MergeFromString(UNKNOWN_FIELD)
    request.referral.charges[0].MergeFromString(UNKNOWN_FIELD)
    assert set(told(request)) == {"", "referral.charges[0]"}


def test_an_unknown_enum_number_is_answered_by_the_words_that_may_be_sent() -> None:
    request = service.SubmitReferralRequest()
    request.referral.door = 77  # type: ignore[assignment]
    wish = told(request)["referral.door"]
    assert "DOOR_COMMUNITY" in wish
    assert "UNSPECIFIED" not in wish


@pytest.mark.parametrize(("seconds", "nanos"), [(10**15, 0), (-(10**15), 0), (0, -1), (0, 10**9)])
def test_a_time_that_no_timestamp_may_say_is_named(seconds: int, nanos: int) -> None:
    request = consent.CreateConsentRequest()
    request.consent.signed_time.seconds, request.consent.signed_time.nanos = seconds, nanos
    assert set(told(request)) == {"consent.signedTime"}


@pytest.mark.parametrize(("seconds", "nanos"), [(-62_135_596_800, 0), (253_402_300_799, 999_999_999)])
def test_the_first_and_the_last_time_of_the_calendar_are_times(seconds: int, nanos: int) -> None:
    request = consent.CreateConsentRequest()
    request.consent.signed_time.seconds, request.consent.signed_time.nanos = seconds, nanos
    assert told(request) == {}
