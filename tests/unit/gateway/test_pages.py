"""Cursors are sealed, of one length, and bound to who asks, as what, for what, where and under which filter."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from hypothesis import given
from hypothesis import strategies as st
from lead.referral.v1 import referral_service_pb2 as pb
from lead.review.v1 import review_pb2
from lead.review.v1 import review_service_pb2 as review

from gateway.pages import DEFAULT_SIZE, LARGEST_SIZE, MOST_ROUNDS, Cursors, Stride, rows_field, wanted
from services.shared import labels
from services.shared.errors import Code, LeadError
from services.shared.sharing.assertion import Caller

CALLER = Caller("acc_1", "police", "police", "police_officer", "DIVERSION_COORD", ("north",))
METHOD = "/lead.referral.v1.ReferralService/ListReferrals"
REQUEST = pb.ListReferralsRequest(page_size=5)
CURSORS = Cursors(bytes(32))
inner_tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=150)


def opened(token: str, request: Any = REQUEST, caller: Caller = CALLER, method: str = METHOD) -> str:
    asked = type(request)()
    asked.CopyFrom(request)
    asked.page_token = token
    return CURSORS.open(asked, caller, method)


def refused(token: str, **words: Any) -> LeadError:
    with pytest.raises(LeadError) as error:
        opened(token, **words)
    assert error.value.code is Code.INVALID_ARGUMENT
    assert [one.path for one in error.value.violations] == ["pageToken"]
    return error.value


@given(inner_tokens)
def test_a_cursor_opens_to_the_areas_token_for_the_same_question(inner: str) -> None:
    assert opened(CURSORS.seal(inner, REQUEST, CALLER, METHOD)) == inner


@given(inner_tokens)
def test_a_cursor_tells_nothing_not_even_by_its_length(inner: str) -> None:
    one, other = (CURSORS.seal(token, REQUEST, CALLER, METHOD) for token in (inner, "x"))
    assert len(one) == len(other)
    raw = base64.urlsafe_b64decode(one)
    assert len(inner) < 4 or inner.encode() not in raw
    assert one != CURSORS.seal(inner, REQUEST, CALLER, METHOD)


def test_no_token_is_no_cursor() -> None:
    assert CURSORS.seal("", REQUEST, CALLER, METHOD) == ""
    assert opened("") == ""


def test_the_size_of_a_page_may_change_under_way() -> None:
    cursor = CURSORS.seal("inner", REQUEST, CALLER, METHOD)
    assert opened(cursor, pb.ListReferralsRequest(page_size=77)) == "inner"
    assert opened(cursor, pb.ListReferralsRequest()) == "inner"


@pytest.mark.parametrize(
    "caller",
    [
        replace(CALLER, account_id="acc_2"),
        replace(CALLER, agency_id="sheriff"),
        replace(CALLER, role="police_liaison"),
        replace(CALLER, purpose="DIVERSION_ELIG"),
        replace(CALLER, participant_id="par_1"),
    ],
    ids=["account", "agency", "role", "purpose", "participant"],
)
def test_a_cursor_is_bound_to_its_caller_and_purpose(caller: Caller) -> None:
    refused(CURSORS.seal("inner", REQUEST, CALLER, METHOD), caller=caller)


def test_a_cursor_is_bound_to_its_method() -> None:
    refused(CURSORS.seal("inner", REQUEST, CALLER, METHOD), method="/lead.referral.v1.ReferralService/ListIncidents")


def test_a_cursor_is_bound_to_its_filter() -> None:
    """EV-T2: a filter can only narrow, and never on another list's place."""
    asked = review.ListReviewsRequest(state=review_pb2.REVIEW_STATE_OPEN)
    cursor = CURSORS.seal("inner", asked, CALLER, METHOD)
    assert opened(cursor, asked) == "inner"
    refused(cursor, request=review.ListReviewsRequest(state=review_pb2.REVIEW_STATE_DECIDED))
    refused(cursor, request=review.ListReviewsRequest())
    later = pb.ListReferralsRequest(page_size=5)
    later.updated_after.seconds = 1
    refused(CURSORS.seal("inner", REQUEST, CALLER, METHOD), request=later)


def test_a_cursor_of_another_gateways_key_is_refused() -> None:
    other = Cursors(bytes([1]) * 32)
    refused(other.seal("inner", REQUEST, CALLER, METHOD))


@given(st.text(min_size=1, max_size=400))
def test_any_text_at_all_is_refused(text: str) -> None:
    assert str(refused(text)) == str(refused("nonsense"))


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_cursor_that_was_changed_is_refused(place: int, by: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(CURSORS.seal("inner", REQUEST, CALLER, METHOD)))
    raw[place] ^= by
    refused(base64.urlsafe_b64encode(raw).decode())


@pytest.mark.parametrize(("size", "expected"), [(None, DEFAULT_SIZE), (1, 1), (LARGEST_SIZE, LARGEST_SIZE)])
def test_a_size_is_what_was_asked_or_fifty(size: int | None, expected: int) -> None:
    assert wanted(pb.ListReferralsRequest(page_size=size)) == expected


@given(st.lists(st.booleans(), max_size=700), st.integers(1, 20))
def test_a_stride_finds_the_missing_rows_and_never_one_too_many(visible: list[bool], missing: int) -> None:
    """Played against an area that holds these rows: in order, none passed over, in few rounds."""
    stride, place, found = Stride(missing), 0, []
    for _ in range(MOST_ROUNDS):
        part = visible[place : place + stride.rows]
        shown = [place + number for number, one in enumerate(part) if one]
        asked = stride.rows
        assert 1 <= asked <= LARGEST_SIZE
        if stride.takes(len(shown)):
            place += asked
            found += shown
        if len(found) == missing or place >= len(visible):
            break
    expected = [number for number, one in enumerate(visible) if one][:missing]
    assert found == expected[: len(found)]
    assert len(found) <= missing


@pytest.mark.parametrize("missing", [1, 2, 7, 50, 500])
@pytest.mark.parametrize("hidden", [0, 1, 19, 400, 5000])
def test_a_stride_passes_a_long_run_of_hidden_rows(missing: int, hidden: int) -> None:
    visible = [False] * hidden + [True] * (2 * missing)
    stride, place, left = Stride(missing), 0, missing
    for _ in range(MOST_ROUNDS):
        asked = stride.rows
        shown = sum(visible[place : place + asked])
        if stride.takes(shown):
            place, left = place + asked, left - shown
        if not left:
            break
    assert left == 0


def test_the_rows_of_a_list_are_its_one_repeated_record_field() -> None:
    lists = {rpc.output_type.name: rows_field(rpc.output_type) for rpc in labels.public_methods()}
    named = {name: field.name for name, field in lists.items() if field is not None}
    assert named == {
        "ListReferralsResponse": "referrals",
        "ListIncidentsResponse": "incidents",
        "ListReviewsResponse": "reviews",
        "ListHandoffsResponse": "handoffs",
        "ListParticipantsResponse": "participants",
        "ListConsentsResponse": "consents",
        "ListDisclosuresResponse": "disclosures",
        "ListEntriesResponse": "entries",
        "ListPersonMatchesResponse": "matches",
        "ListServicesResponse": "services",
        "ListServiceReferralsResponse": "service_referrals",
        "ListEnrollmentsResponse": "enrollments",
    }
    answer: Descriptor = pb.GetReferralResponse.DESCRIPTOR
    assert rows_field(answer) is None
