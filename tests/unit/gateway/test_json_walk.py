from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format
from google.protobuf.descriptor import Descriptor
from hypothesis import given, settings
from hypothesis import strategies as st
from lead.consent.v1 import consent_pb2
from lead.referral.v1 import referral_pb2, referral_service_pb2

from gateway.transcode import json_walk
from gateway.transcode.json_leaf import MOST_CHARACTERS
from gateway.transcode.json_text import DEEPEST
from gateway.transcode.json_walk import MOST_ITEMS, MOST_VIOLATIONS, check
from services.shared.errors import Violation
from services.shared.labels import ContractError
from tests.unit.gateway.messages import messages, routes, takes_a_file

DRAFT = referral_pb2.ReferralDraft.DESCRIPTOR
CONSENT = consent_pb2.ConsentDraft.DESCRIPTOR
SOURCE = referral_pb2.Source.DESCRIPTOR
WRITTEN = sorted({route.rpc.input_type.full_name for route in routes().all if not takes_a_file(route.rpc)})


def wrong(descriptor: Descriptor, body: Any) -> list[tuple[str, str]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return [(violation.path, violation.wish) for violation in check(descriptor, data)[1]]


def paths(descriptor: Descriptor, body: Any) -> list[str]:
    return [path for path, _ in wrong(descriptor, body)]


def a_message(*fields: tuple[str, int], oneof: tuple[str, ...] = ()) -> Descriptor:
    """A message of its own pool; a kind is a `FieldDescriptorProto.Type`."""
    file = descriptor_pb2.FileDescriptorProto(name="sample.proto", package="sample", syntax="proto3")
    message = file.message_type.add(name="Sample")
    message.oneof_decl.add(name="choice")
    for number, (name, kind) in enumerate(fields, 1):
        field = message.field.add(name=name, number=number, type=kind, label=1)
        if kind == 11:
            field.type_name = ".sample.Sample"
        if name in oneof:
            field.oneof_index = 0
    if not oneof:
        del message.oneof_decl[:]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("sample.Sample")


# What is right


@pytest.mark.parametrize("name", WRITTEN)
@settings(max_examples=30)
@given(data=st.data())
def test_a_message_that_json_format_prints_passes_and_comes_back_equal(name: str, data: st.DataObject) -> None:
    descriptor = descriptor_pool.Default().FindMessageTypeByName(name)
    message = data.draw(messages(descriptor, referenced=False))
    for snake in (False, True):
        text = json_format.MessageToJson(message, preserving_proto_field_name=snake)
        value, violations = check(descriptor, text.encode())
        assert violations == ()
        assert json_format.ParseDict(value, type(message)()) == message


@pytest.mark.parametrize("body", [{"version": 7}, {"version": "7"}, {"version": 7.0}, {"version": -0}])
def test_whole_numbers_come_as_numbers_or_as_text(body: dict[str, Any]) -> None:
    assert wrong(SOURCE, body) == []


def test_null_says_not_given() -> None:
    assert wrong(DRAFT, {"person": None, "charges": None, "door": None, "incidentTime": None}) == []


def test_null_is_no_item_of_a_list() -> None:
    body = {"charges": [None], "contact": {"phones": [None]}}
    assert wrong(DRAFT, body) == [("charges[0]", "an object"), ("contact.phones[0]", "a string")]


@pytest.mark.parametrize(
    "time", ["2030-01-31T09:30:00Z", "2030-01-31T09:30:00.123456789Z", "2030-01-31T09:30:00-08:00"]
)
def test_times_are_rfc_3339(time: str) -> None:
    value, violations = check(DRAFT, json.dumps({"incidentTime": time}).encode())
    assert violations == ()
    json_format.ParseDict(value, referral_pb2.ReferralDraft())


def test_text_may_have_lines_and_any_script() -> None:
    assert wrong(DRAFT, {"narrative": "one\n\ttwo, дело 事件 🙂\u2028"}) == []


# What is wrong


def test_all_wrong_paths_are_named_at_once() -> None:
    body = {
        "siteId": 7,
        "door": "DOOR_WINDOW",
        "incidentTime": "yesterday",
        "source": {"version": "9223372036854775808"},
        "person": [],
        "charges": [{}, {"statute": None, "level": 99, "substances": [{"quantity": 1.5}, "x"]}],
        "hairColour": "red",
    }
    assert wrong(DRAFT, body) == [
        ("siteId", "a string"),
        ("door", "one of DOOR_ARREST_DIVERSION, DOOR_SOCIAL_CONTACT, DOOR_COMMUNITY"),
        ("incidentTime", "a time in RFC 3339, such as 2030-01-31T09:30:00Z"),
        ("source.version", "a whole number from -9223372036854775808 to 9223372036854775807"),
        ("person", "an object"),
        ("charges[1].level", wrong(referral_pb2.ChargeDraft.DESCRIPTOR, {"level": ""})[0][1]),
        ("charges[1].substances[0].quantity", "a string"),
        ("charges[1].substances[1]", "an object"),
        ("hairColour", "unknown field"),
    ]


@pytest.mark.parametrize(
    "version",
    [True, 1.5, "1.5", "1e3", "1_000", " 1", "+1", "01", "", "\u0661", 2**63, -(2**63) - 1, 10**400, 1e300, [], {}],
)
def test_what_is_no_whole_number_in_range_is_refused(version: object) -> None:
    assert paths(SOURCE, {"version": version}) == ["version"]


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b"-" + b"9" * 21])
def test_numbers_without_value_or_bounds_fit_no_field(literal: bytes) -> None:
    double = a_message(("rate", 1), ("count", 3))
    assert paths(double, b'{"rate":' + literal + b',"count":' + literal + b"}") == ["rate", "count"]
    assert paths(DRAFT, b'{"hairColour":' + literal + b"}") == ["hairColour"]


@pytest.mark.parametrize(
    "time",
    [
        "2030-02-30T00:00:00Z", "2030-01-01T24:00:00Z", "2030-01-01T23:59:60Z", "2030-01-01", "2030-01-01 00:00:00Z",
        "2030-01-01T00:00:00", "2030-01-01T00:00:00z", "2030-01-01T00:00:00+24:00", "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2030-01-01T00:00:00.0000000001Z", 1893456000, "",
        "\u0662\u0660\u0663\u0660-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(time: object) -> None:
    assert paths(DRAFT, {"referralTime": time}) == ["referralTime"]


@given(st.datetimes(), st.integers(-1439, 1439), st.sampled_from(["", ".5", ".123456789"]))
def test_every_time_that_passes_is_one_that_json_format_reads(moment: Any, offset: int, fraction: str) -> None:
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    text = f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}{sign}{minutes // 60:02}:{minutes % 60:02}"
    value, violations = check(DRAFT, json.dumps({"referralTime": text}).encode())
    if violations:
        with pytest.raises(json_format.ParseError):
            json_format.ParseDict(value, referral_pb2.ReferralDraft())
    else:
        json_format.ParseDict(value, referral_pb2.ReferralDraft())


@pytest.mark.parametrize("value", ["DOOR_COMMUNITIES", "door_community", "2", 4, -1, 2.0, True, []])
def test_unknown_enum_values_are_answered_with_the_known_ones(value: object) -> None:
    ((path, wish),) = wrong(DRAFT, {"door": value})
    assert path == "door"
    assert "DOOR_COMMUNITY" in wish
    assert "UNSPECIFIED" not in wish


@pytest.mark.parametrize("value", [1, 0, "true", [], {}])
def test_only_true_and_false_are_flags(value: object) -> None:
    assert wrong(CONSENT, {"statements": {"refusal": value}}) == [("statements.refusal", "true or false")]


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\ud800"])
def test_control_characters_and_halves_of_pairs_are_refused(character: str) -> None:
    assert paths(DRAFT, {"narrative": f"a{character}b"}) == ["narrative"]


def test_a_raw_control_character_breaks_the_text() -> None:
    assert paths(DRAFT, b'{"narrative":"a\x00b"}') == [""]


def test_long_texts_and_long_lists_are_refused() -> None:
    assert wrong(DRAFT, {"narrative": "a" * MOST_CHARACTERS, "charges": [{}] * MOST_ITEMS}) == []
    body = {"narrative": "a" * (MOST_CHARACTERS + 1), "charges": [{}, {"x": 1}] + [{}] * (MOST_ITEMS - 1)}
    assert wrong(DRAFT, body) == [
        ("narrative", "at most 20000 characters"),
        ("charges", "at most 5000 items"),
        ("charges[1].x", "unknown field"),
    ]


def test_a_list_is_needed_where_there_may_be_many() -> None:
    assert wrong(DRAFT, {"charges": {}, "contact": {"phones": "555-0100"}}) == [
        ("charges", "a list"),
        ("contact.phones", "a list"),
    ]


def test_violations_are_counted_before_they_fill_memory() -> None:
    data = b"{" + b",".join(b'"x%d":1' % number for number in range(MOST_VIOLATIONS + 5)) + b"}"
    violations = check(DRAFT, data)[1]
    assert len(violations) == MOST_VIOLATIONS + 1
    assert violations[-1] == Violation("", "more is wrong than is listed here")


# Names


@pytest.mark.parametrize("key", ["Testa Sample", "a.b", "a" * 65, "", "наме", "\x00", "[lead.options.v1.category]"])
def test_a_key_that_is_no_name_is_not_repeated(key: str) -> None:
    assert wrong(DRAFT, {"person": {key: 1}}) == [("person.?", "unknown field")]


@pytest.mark.parametrize(
    ("key", "shown", "word"),
    [("fbiNumber", "fbiNumber", "FBI"), ("state_id_number", "state_id_number", "SID"), ("hiv-status", "?", "HIV")],
)
def test_what_is_never_carried_is_refused_with_its_reason(key: str, shown: str, word: str) -> None:
    ((path, wish),) = wrong(DRAFT, {"person": {key: "123456AB7"}})
    assert path == f"person.{shown}"
    assert word in wish


def test_no_client_says_whose_record_it_is() -> None:
    body = {"reference": {"subjectId": "sub_1"}, "id": "ref_1"}
    assert wrong(referral_pb2.Referral.DESCRIPTOR, body) == [("reference", "unknown field")]


def test_both_spellings_of_a_field_are_one_too_many() -> None:
    body = b'{"siteId":"a","site_id":"a","person":{"given_name":null,"givenName":"Testa"}}'
    assert paths(DRAFT, body) == ["siteId", "person.givenName"]


def test_a_name_that_comes_twice_is_refused_wherever_it_stands() -> None:
    body = b'{"charges":[{"statute":"a","statute":"a"}],"site_id":"a","site_id":"b","no no":1,"no no":1}'
    assert sorted(wrong(DRAFT, body)) == [
        ("?", "given once"),
        ("?", "unknown field"),
        ("charges[0].statute", "given once"),
        ("siteId", "given once"),
    ]


def test_one_of_several_is_one() -> None:
    choice = a_message(("by_name", 9), ("by_number", 5), ("note", 9), oneof=("by_name", "by_number"))
    assert wrong(choice, {"byName": "x", "note": "y"}) == []
    assert wrong(choice, {"byName": None, "by_number": 0}) == []
    assert wrong(choice, {"byName": "x", "by_number": 0}) == [("byNumber", "not together with byName")]


def test_fields_that_are_given_elsewhere_say_where() -> None:
    request = referral_service_pb2.RecordOfferRequest.DESCRIPTOR
    violations = check(request, b'{"id":"ref_1","etag":"e"}', (("id", "given by the path"),))[1]
    assert violations == (Violation("id", "given by the path"),)


# Text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{'a':1}",
        b'{"a":1,}',
        b"\xef\xbb\xbf{}",
        b"\xff{}",
        b'{"a":"\xed\xa0\x80"}',
        b"undefined",
    ],
)
def test_what_is_no_json_is_refused_whole(data: bytes) -> None:
    assert paths(DRAFT, data) == [""]


@pytest.mark.parametrize("body", [[], "x", 1, None, True])
def test_a_message_is_an_object(body: object) -> None:
    assert wrong(DRAFT, body) == [("", "an object")]


def test_where_the_text_breaks_is_told_and_what_stands_there_is_not() -> None:
    ((_, wish),) = wrong(DRAFT, b'{"person":\n  {"givenName": Testa}}')
    assert wish == "well-formed JSON; it breaks at line 2, column 17"


def test_depth_has_a_limit() -> None:
    def nested(depth: int) -> bytes:
        return b'{"x":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"

    assert wrong(DRAFT, nested(DEEPEST)) == [("x", "unknown field")]
    assert wrong(DRAFT, nested(DEEPEST + 1)) == [("", "at most 32 levels of objects and lists")]
    assert paths(DRAFT, b"[" * 1_000_000) == [""]
    assert paths(DRAFT, b'{"x":' * 200_000) == [""]


def test_brackets_in_text_are_no_depth() -> None:
    assert wrong(DRAFT, {"narrative": '[{"\\' * 100}) == []
    assert wrong(DRAFT, {"charges": [{}] * 100}) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(sorted(DRAFT.fields_by_camelcase_name)) | st.text(max_size=10), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_passes_is_what_json_format_reads(body: Any) -> None:
    value, violations = check(DRAFT, json.dumps(body).encode())
    if not violations:
        json_format.ParseDict(value, referral_pb2.ReferralDraft())


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(data: bytes) -> None:
    check(DRAFT, data)


@given(JSON)
def test_no_value_is_ever_repeated(body: Any) -> None:
    canary = "Testa Sample 555-0100"
    sent = {"door": [canary, body], canary: body, "person": canary, "source": {"version": canary}, "charges": [canary]}
    violations = check(DRAFT, json.dumps(sent).encode())[1]
    assert len(violations) >= 5
    assert "Testa" not in str(violations)


# The contract


@pytest.mark.parametrize("kind", [2, 12], ids=["float", "bytes"])
def test_a_kind_that_no_json_is_read_into_is_refused_at_the_start(kind: int) -> None:
    with pytest.raises(ContractError, match=r"sample\.Sample\.odd"):
        json_walk.prepare(a_message(("odd", kind)))


def test_a_message_may_hold_itself() -> None:
    tree = a_message(("name", 9), ("left", 11))
    json_walk.prepare(tree)
    assert paths(tree, {"left": {"left": {"name": 1}}}) == ["left.left.name"]
