from __future__ import annotations

from urllib.parse import quote

import pytest
from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from hypothesis import given
from hypothesis import strategies as st
from lead.options.v1 import options_pb2

from gateway.transcode.bindings import Route
from gateway.transcode.routes import Match, MethodNotAllowed, Routes
from services.shared.labels import ContractError, public_methods
from tests.unit.gateway.messages import match, routes

REFERRAL = "ref_0198c1e2-0000-7000-8000-000000000001"
SAFE = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=1, max_size=60)


def test_every_public_method_with_an_annotation_has_a_route() -> None:
    unary = {method.full_name for method in public_methods() if not method.client_streaming}
    assert {route.rpc.full_name for route in routes().all} == unary


@pytest.mark.parametrize("route", routes().all, ids=lambda route: route.rpc.name)
@given(data=st.data())
def test_a_call_finds_the_route_of_its_template(route: Route, data: st.DataObject) -> None:
    values = {name: data.draw(SAFE, label=name) for name in route.params}
    found = routes().match(route.verb, route.template.format(**values))
    assert found == Match(route, values)


def test_fields_in_the_path_come_by_their_proto_names() -> None:
    found = match("POST", "/v1/reviews/rev_1/charges/chg_2:decide")
    assert (found.rpc.name, found.path_params) == ("DecideCharge", {"id": "rev_1", "charge_id": "chg_2"})


def test_a_custom_verb_tells_calls_on_one_path_apart() -> None:
    assert match("POST", "/v1/referrals").rpc.name == "SubmitReferral"
    assert match("POST", "/v1/referrals:screen").rpc.name == "ScreenReferral"
    assert match("POST", f"/v1/referrals/{REFERRAL}:approve").rpc.name == "ApproveReferral"
    assert match("POST", f"/v1/referrals/{REFERRAL}:decline").rpc.name == "DeclineReferral"


def test_another_http_method_is_told_the_ones_there_are() -> None:
    assert routes().match("DELETE", "/v1/referrals") == MethodNotAllowed(("GET", "POST"))
    assert routes().match("get", "/v1/me") == MethodNotAllowed(("GET",))


def test_an_id_is_decoded_once() -> None:
    assert match("GET", "/v1/sites/new%20york%C3%A9").path_params == {"id": "new yorké"}


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "v1/referrals", "//v1/referrals", "/v1//referrals", "/v1/referrals/", "/v1/referrals?x=1",
        "/v1/referrals:", "/v1/referrals:nothing", f"/v1/referrals/{REFERRAL}:", f"/v1/referrals/{REFERRAL}:nothing",
        f"/v1/referrals/{REFERRAL}:approve:approve", f"/v1/referrals/a:b/{REFERRAL}", "/v1/referrals/a:b:approve",
        "/v1/referrals/.", "/v1/referrals/..", "/v1/referrals/%2e%2E", "/v1/referrals/../sites/a", "/v1/./referrals",
        "/v1/referrals/a%2Fb", "/v1/referrals/a%2fb", "/v1/referrals/a%5Cb", "/v1/referrals/a\\b",
        "/v1/referrals/a%3Aapprove", "/v1/referrals/a%253Ab", "/v1/referrals/a%252Fb", "/v1/referrals/a%3Fb",
        "/v1/referrals/a%23b", "/v1/referrals/a%00", "/v1/referrals/a\x00", "/v1/referrals/a%0Ab", "/v1/referrals/a\n",
        "/v1/referrals/%", "/v1/referrals/%4", "/v1/referrals/%zz", "/v1/referrals/%ff", "/v1/referrals/%ed%a0%80",
        "/v1/referrals/é", "/v1/referrals/a b", "/v1/referrals/" + "a" * 257, "/v1/%72eferrals", "/V1/referrals",
    ],
)  # fmt: skip
def test_a_path_that_can_be_read_two_ways_or_not_at_all_has_no_method(path: str) -> None:
    assert routes().match("GET", path) is None
    assert routes().match("POST", path) is None


@given(st.text(max_size=40))
def test_any_path_is_answered(path: str) -> None:
    found = routes().match("GET", f"/v1/referrals/{path}")
    assert not isinstance(found, Match) or set(found.path_params) == {"id"}


@given(st.text(min_size=1, max_size=40))
def test_no_id_smuggles_a_separator(text: str) -> None:
    found = routes().match("GET", "/v1/referrals/" + quote(text, safe="", errors="replace"))
    if isinstance(found, Match):
        value = found.path_params["id"]
        assert value == text
        assert not set(value) & set("/\\:%?#\0\n")


# A little contract of its own, to be wrong in one way at a time.

_PUBLIC = options_pb2.Access(exposure=options_pb2.EXPOSURE_PUBLIC)


def a_service(
    *rules: http_pb2.HttpRule, access: options_pb2.Access | None = _PUBLIC, stream: bool = False
) -> ServiceDescriptor:
    file = descriptor_pb2.FileDescriptorProto(name="sample.proto", package="sample", syntax="proto3")
    request = file.message_type.add(name="Request")
    for number, (name, kind, label) in enumerate([("id", 9, 1), ("names", 9, 3), ("count", 5, 1)], 1):
        request.field.add(name=name, number=number, type=kind, label=label)
    request.field.add(name="inner", number=9, type=11, label=1, type_name=".sample.Request")
    service = file.service.add(name="Sample")
    for number, rule in enumerate(rules):
        method = service.method.add(name=f"Do{number}", input_type=".sample.Request", output_type=".sample.Request")
        method.client_streaming = stream
        method.options.Extensions[annotations_pb2.http].CopyFrom(rule)  # type: ignore[index]
        if access is not None:
            method.options.Extensions[options_pb2.access].CopyFrom(access)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindServiceByName("sample.Sample")


def refusal(*rules: http_pb2.HttpRule, access: options_pb2.Access | None = _PUBLIC, stream: bool = False) -> str:
    with pytest.raises(ContractError) as caught:
        Routes.from_services([a_service(*rules, access=access, stream=stream)])
    return str(caught.value)


def test_one_method_may_be_in_two_places() -> None:
    rule = http_pb2.HttpRule(get="/a/{id}", additional_bindings=[http_pb2.HttpRule(post="/b/{id}:do", body="*")])
    table = Routes.from_services([a_service(rule)])
    assert isinstance(table.match("GET", "/a/x"), Match)
    assert isinstance(table.match("POST", "/b/x:do"), Match)


def test_a_word_goes_before_a_field_and_a_field_serves_the_rest() -> None:
    table = Routes.from_services([a_service(http_pb2.HttpRule(get="/a/word/x"), http_pb2.HttpRule(get="/a/{id}/y"))])
    word, other = table.match("GET", "/a/word/x"), table.match("GET", "/a/word/y")
    assert isinstance(word, Match)
    assert word.rpc.name == "Do0"
    assert isinstance(other, Match)
    assert other.path_params == {"id": "word"}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (http_pb2.HttpRule(get="/a/*"), "words and"),
        (http_pb2.HttpRule(get="/a/**"), "words and"),
        (http_pb2.HttpRule(get="/a/{id=b/*}"), "words and"),
        (http_pb2.HttpRule(get="/a/{inner.id}"), "words and"),
        (http_pb2.HttpRule(get="/a/"), "words and"),
        (http_pb2.HttpRule(), "words and"),
        (http_pb2.HttpRule(custom=http_pb2.CustomHttpPattern(kind="HEAD", path="/a")), "words and"),
        (http_pb2.HttpRule(get="/a/{missing}"), "{missing} is no single string field"),
        (http_pb2.HttpRule(get="/a/{names}"), "{names} is no single string field"),
        (http_pb2.HttpRule(get="/a/{count}"), "{count} is no single string field"),
        (http_pb2.HttpRule(get="/a/{id}/{id}"), "twice"),
        (http_pb2.HttpRule(post="/a", body="missing"), "body"),
        (http_pb2.HttpRule(post="/a", body="count"), "body"),
        (http_pb2.HttpRule(post="/a/{id}", body="id"), "body"),
        (http_pb2.HttpRule(get="/a", response_body="id"), "whole"),
    ],
)
def test_an_annotation_that_cannot_be_served_is_refused(rule: http_pb2.HttpRule, text: str) -> None:
    assert text in refusal(rule)


def test_every_wrong_annotation_is_named_at_once() -> None:
    text = refusal(http_pb2.HttpRule(get="/a/*"), http_pb2.HttpRule(get="/a/{missing}"))
    assert "sample.Sample.Do0" in text
    assert "sample.Sample.Do1" in text


def test_two_methods_in_one_place_are_refused() -> None:
    assert "is also sample.Sample.Do0" in refusal(http_pb2.HttpRule(get="/a/{id}"), http_pb2.HttpRule(get="/a/{id}"))


@pytest.mark.parametrize("access", [None, options_pb2.Access(exposure=options_pb2.EXPOSURE_INTERNAL)])
def test_a_method_that_is_not_public_has_no_http_form(access: options_pb2.Access | None) -> None:
    assert "only public methods" in refusal(http_pb2.HttpRule(get="/a"), access=access)


def test_a_stream_has_no_http_form() -> None:
    assert "stream" in refusal(http_pb2.HttpRule(get="/a"), stream=True)
