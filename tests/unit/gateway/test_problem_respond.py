from __future__ import annotations

import json

import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf import descriptor_pool, json_format
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import DoubleValue
from hypothesis import given, settings
from hypothesis import strategies as st
from lead.audit.v1.audit_pb2 import Basis, Checkpoint
from lead.envelope.v1.envelope_pb2 import SealedSection
from lead.referral.v1.referral_pb2 import DOOR_SOCIAL_CONTACT, Approval, Referral
from lead.referral.v1.referral_service_pb2 import ListReferralsResponse

from gateway.transcode import respond
from tests.unit.gateway.messages import messages, routes

ANSWERS = sorted({route.rpc.output_type.full_name for route in routes().all})


@pytest.mark.parametrize("name", ANSWERS)
@settings(max_examples=20)
@given(data=st.data())
def test_an_answer_is_what_json_format_makes(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(descriptor_pool.Default().FindMessageTypeByName(name), referenced=True))
    made = json.loads(respond.to_json(message))
    assert made == json_format.MessageToDict(message)
    assert list(made) == list(json_format.MessageToDict(message))


def test_an_answer_is_one_line_of_utf_8() -> None:
    answer = respond.answer(Approval(role="é\n", agency_id=""))
    assert answer == respond.Answer("application/json", '{"agencyId":"","role":"é\\n"}'.encode())


def test_long_numbers_are_text_and_enum_values_are_whole_names() -> None:
    assert json.loads(respond.to_json(Basis(consent_version=2**60))) == {"consentVersion": str(2**60)}
    assert json.loads(respond.to_json(Referral(door=DOOR_SOCIAL_CONTACT))) == {"door": "DOOR_SOCIAL_CONTACT"}


def test_a_number_that_no_name_stands_for_stays_a_number() -> None:
    newer = Referral.FromString(b"\x20\x63")
    assert json.loads(respond.to_json(newer)) == {"door": 99}


def test_what_this_release_does_not_know_is_not_printed() -> None:
    newer = Checkpoint.FromString(b"\xfa\x3e\x01x")
    assert respond.to_json(newer) == b"{}"


def test_empty_lists_are_left_out() -> None:
    assert respond.to_json(ListReferralsResponse(next_page_token="t")) == b'{"nextPageToken":"t"}'


@pytest.mark.parametrize(
    "message", [Timestamp(seconds=5, nanos=10**8), DoubleValue(value=1.5), SealedSection(nonce=b"x")]
)
def test_messages_that_are_one_value_and_bytes_are_printed_too(message: Message) -> None:
    assert json.loads(respond.to_json(message)) == json_format.MessageToDict(message)


def test_a_raw_body_leaves_as_it_is() -> None:
    answer = respond.answer(HttpBody(content_type="text/csv; charset=utf-8", data=b"\xff,1"))
    assert answer == respond.Answer("text/csv; charset=utf-8", b"\xff,1")


@pytest.mark.parametrize("kind", ["", "text/csv\r\nset-cookie: a", "é", "x" * 201])
def test_a_raw_body_sets_no_header_but_its_type(kind: str) -> None:
    assert respond.answer(HttpBody(content_type=kind, data=b"x")).content_type == "application/octet-stream"
