from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from lead.audit.v1.audit_service_pb2 import GetInclusionProofRequest
from lead.casework.v1.casework_pb2 import NEED_HOUSING
from lead.casework.v1.casework_service_pb2 import CompleteIntakeRequest
from lead.consent.v1.consent_service_pb2 import CreateConsentRequest, RevokeConsentRequest
from lead.referral.v1 import referral_service_pb2 as referral
from lead.referral.v1.referral_pb2 import DOOR_COMMUNITY
from lead.review.v1.review_pb2 import REVIEW_STATE_OPEN
from lead.review.v1.review_service_pb2 import ListReviewsRequest

from gateway.transcode import request
from gateway.transcode.bindings import Route
from services.shared.errors import Code, LeadError
from tests.unit.gateway.messages import match, messages, routes, takes_a_file

JSON = "application/json"
WRITES = [route for route in routes().all if route.body and not takes_a_file(route.rpc)]


def build(
    method: str, path: str, query: str = "", body: Any = None, kind: str = JSON, key: str | None = None
) -> Message:
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return request.build(match(method, path), query, data, kind, key)


def refused(*call: Any, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(LeadError) as caught:
        build(*call, **more)
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "INVALID_FIELDS")
    assert caught.value.__cause__ is None
    return [(violation.path, violation.wish) for violation in caught.value.violations]


def test_every_route_of_the_contract_can_be_prepared() -> None:
    request.prepare(routes().all)


# Bodies


def test_a_body_that_is_one_field_fills_that_field() -> None:
    made = build("POST", "/v1/referrals", body={"door": "DOOR_COMMUNITY", "siteId": "seattle"}, key="key-1")
    expected = referral.SubmitReferralRequest(request_id="key-1")
    expected.referral.door = DOOR_COMMUNITY
    expected.referral.site_id = "seattle"
    assert made == expected


def test_a_body_that_is_the_request_meets_the_path_in_it() -> None:
    body = {"intakeTime": "2030-01-31T09:30:00Z", "needs": ["NEED_HOUSING"], "etag": "e"}
    made = build("POST", "/v1/participants/par_1:completeIntake", body=body)
    expected = CompleteIntakeRequest(id="par_1", needs=[NEED_HOUSING], etag="e")
    expected.intake_time.FromJsonString("2030-01-31T09:30:00Z")
    assert made == expected


def test_a_move_that_needs_nothing_more_may_come_without_a_body() -> None:
    assert build("POST", "/v1/referrals/ref_1:withdraw", kind="") == referral.WithdrawReferralRequest(id="ref_1")
    assert build("POST", "/v1/consents/con_1:revoke", body={}) == RevokeConsentRequest(id="con_1")


def test_an_empty_object_is_a_given_field_and_no_body_is_none() -> None:
    made = build("POST", "/v1/participants/par_1/consents", body={})
    assert isinstance(made, CreateConsentRequest)
    assert made.HasField("consent")
    assert [path for path, _ in refused("POST", "/v1/participants/par_1/consents", kind="")] == [""]


def test_a_raw_body_is_kept_with_its_type() -> None:
    kind = "application/xml; charset=utf-16"
    made = build("POST", "/v1/incidents:import", body=b"\xff\xfe<\x00", kind=kind, key="k")
    assert isinstance(made, referral.ImportIncidentsRequest)
    assert (made.file.content_type, made.file.data, made.request_id) == (kind, b"\xff\xfe<\x00", "k")


def test_a_read_has_no_body() -> None:
    assert refused("GET", "/v1/referrals", body={}) == [("", "no body")]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
def test_json_may_say_that_it_is_utf_8(kind: str) -> None:
    build("POST", "/v1/referrals", body={}, kind=kind)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/referrals", ""),
        ("/v1/referrals", "text/json"),
        ("/v1/referrals", "application/jsonp"),
        ("/v1/referrals", "application/json; charset=utf-16"),
        ("/v1/referrals", "application/json, text/plain"),
        ("/v1/referrals", "application/x-www-form-urlencoded"),
        ("/v1/incidents:import", ""),
        ("/v1/incidents:import", "xml"),
        ("/v1/incidents:import", "application/xml\r\nx: y"),
        ("/v1/incidents:import", "application/" + "x" * 200),
    ],
)
def test_a_body_of_another_type_is_refused(path: str, kind: str) -> None:
    with pytest.raises(LeadError) as caught:
        build("POST", path, body=b"{}", kind=kind)
    assert caught.value.reason == "UNSUPPORTED_MEDIA_TYPE"
    assert not kind or kind not in caught.value.text


# Fields have one place


def test_what_the_path_says_is_said_nowhere_else() -> None:
    path = "/v1/referrals/ref_1:decline"
    assert refused("POST", path, "id=ref_2&reason=x", {"id": "ref_2"}) == [
        ("id", "given by the path"),
        ("id", "given by the path"),
        ("reason", "given by the body"),
    ]


def test_the_idempotency_key_is_a_header() -> None:
    wish = "given by the header Idempotency-Key"
    assert refused("POST", "/v1/incidents/inc_1:refer", body={"requestId": "k"}) == [("requestId", wish)]
    assert refused("POST", "/v1/referrals", "request_id=k", {}) == [("request_id", wish)]


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "a\n", "a" * 129])
def test_an_idempotency_key_is_visible_and_short(key: str) -> None:
    wish = ("Idempotency-Key", "1 to 128 visible ASCII characters")
    assert refused("POST", "/v1/referrals", body={}, key=key) == [wish]


def test_a_key_where_nothing_is_created_changes_nothing() -> None:
    assert build("GET", "/v1/me", key="a b") == build("GET", "/v1/me")


# Queries


def test_a_query_fills_fields_of_every_kind() -> None:
    query = "state=REVIEW_STATE_OPEN&dueBefore=2030-01-31T09%3A30:00Z&pageSize=50&page_token=a%2Bb+c"
    expected = ListReviewsRequest(state=REVIEW_STATE_OPEN, page_size=50, page_token="a+b c")
    expected.due_before.FromJsonString("2030-01-31T09:30:00Z")
    assert build("GET", "/v1/reviews", query) == expected
    assert build("GET", "/v1/audit/proof", "entry=7&size=9007199254740993") == GetInclusionProofRequest(
        entry=7, size=9007199254740993
    )


def test_an_empty_query_asks_for_nothing() -> None:
    assert build("GET", "/v1/reviews", "&&") == ListReviewsRequest()


def test_all_wrong_parameters_are_named_at_once() -> None:
    query = "state=OPEN&dueBefore=soon&pageSize=many&pageSize=1&page_size=2&colour=red&Testa%20Sample=1&pageToken=%ff&x"
    assert refused("GET", "/v1/reviews", query) == [
        ("state", "one of REVIEW_STATE_OPEN, REVIEW_STATE_RUN_OUT, REVIEW_STATE_DECIDED, REVIEW_STATE_WITHDRAWN"),
        ("dueBefore", "a time in RFC 3339, such as 2030-01-31T09:30:00Z"),
        ("pageSize", "a whole number from -2147483648 to 2147483647"),
        ("pageSize", "given once"),
        ("pageSize", "given once"),
        ("colour", "unknown field"),
        ("?", "unknown field"),
        ("pageToken", "percent-encoded UTF-8"),
        ("x", "unknown field"),
    ]


def test_body_query_and_key_are_wrong_together() -> None:
    found = refused("POST", "/v1/referrals", "colour=red", {"door": 9, "fbiNumber": "x"}, key="")
    assert [path for path, _ in found] == ["door", "fbiNumber", "colour", "Idempotency-Key"]


@pytest.mark.parametrize("query", ["pageToken=%", "pageToken=%4", "pageToken=%zz", "pageToken=\udcff", "pageToken=%00"])
def test_a_badly_encoded_value_is_refused(query: str) -> None:
    assert [path for path, _ in refused("GET", "/v1/reviews", query)] == ["pageToken"]


def test_a_query_has_a_bounded_number_of_parameters() -> None:
    assert refused("GET", "/v1/reviews", "x=1&" * 5000) == [("", "at most 200 parameters")]


# Everything


def attempt(*call: Any) -> Message | LeadError:
    try:
        return request.build(*call)
    except LeadError as error:
        return error


def a_path(route: Route) -> str:
    return route.template.format(**dict.fromkeys(route.params, "id-1"))


@pytest.mark.parametrize("route", WRITES, ids=lambda route: route.rpc.name)
@settings(max_examples=20)
@given(data=st.data())
def test_what_json_format_prints_is_the_request_again(route: Route, data: st.DataObject) -> None:
    message = data.draw(messages(route.rpc.input_type, referenced=False))
    for name in route.params:
        message.ClearField(name)
    if request.KEY_FIELD in route.rpc.input_type.fields_by_name:
        message.ClearField(request.KEY_FIELD)
    content = message if route.body == "*" else getattr(message, route.body)
    made = request.build(match(route.verb, a_path(route)), "", json_format.MessageToJson(content).encode(), JSON)
    for name in route.params:
        assert getattr(made, name) == "id-1"
        made.ClearField(name)
    assert content == (made if route.body == "*" else getattr(made, route.body))


@given(
    route=st.sampled_from(routes().all),
    names=st.lists(st.tuples(st.sampled_from(["pageSize", "state", "x", "id", "updatedAfter"]) | st.text(), st.text())),
    body=st.binary() | st.just(b"") | st.just(b"{}"),
    kind=st.sampled_from(["", JSON, "application/xml"]) | st.text(max_size=20),
    key=st.none() | st.text(max_size=10),
)
def test_any_call_is_made_or_refused(
    route: Route, names: list[tuple[str, str]], body: bytes, kind: str, key: str | None
) -> None:
    query = urlencode(names, errors="replace")
    outcome = attempt(match(route.verb, a_path(route)), query, body, kind, key)
    if isinstance(outcome, LeadError):
        assert outcome.code is Code.INVALID_ARGUMENT
    else:
        assert outcome.DESCRIPTOR is route.rpc.input_type


@given(st.text(max_size=60))
def test_any_raw_query_is_made_or_refused(query: str) -> None:
    outcome = attempt(match("GET", "/v1/reviews"), query)
    assert outcome.violations if isinstance(outcome, LeadError) else outcome
