"""What protobuf lets pass in a request and the contract does not."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from lead.consent.v1 import consent_service_pb2
from lead.options.v1 import options_pb2
from lead.referral.v1 import referral_pb2
from lead.referral.v1 import referral_service_pb2 as pb

from gateway.wire_check import strangers
from services.shared import labels
from tests.unit.gateway.messages import messages

REQUESTS = [rpc.input_type for rpc in labels.public_methods()]
UNKNOWN = b"\xfa\x7f\x06canary"


@st.composite
def requests(draw: st.DrawFn) -> Message:
    return draw(messages(draw(st.sampled_from(REQUESTS)), referenced=False))


def paths(message: Message) -> list[str]:
    found = strangers(message)
    assert all(one.wish for one in found)
    return [one.path for one in found]


def a_submission(**fields: Any) -> pb.SubmitReferralRequest:
    return pb.SubmitReferralRequest(referral=referral_pb2.ReferralDraft(**fields))


@given(requests())
def test_a_request_in_words_of_the_contract_has_no_strangers(request_: Message) -> None:
    assert strangers(request_) == []


@given(requests(), st.data())
def test_an_unknown_field_is_named_by_the_path_of_its_message(request_: Any, data: st.DataObject) -> None:
    places = [("", request_), *_parts(request_, "")]
    path, part = data.draw(st.sampled_from(places))
    part.MergeFromString(UNKNOWN)
    assert paths(request_) == [path]
    assert "canary" not in str(strangers(request_))


def _parts(message: Any, path: str) -> list[tuple[str, Any]]:
    found = []
    for field, value in message.ListFields():
        if field.message_type is None or labels.is_leaf(field) or field.message_type.file.package == "google.api":
            continue
        here = f"{path}.{field.json_name}" if path else field.json_name
        for place, one in enumerate(value) if field.is_repeated else ((None, value),):
            name = here if place is None else f"{here}[{place}]"
            found += [(name, one), *_parts(one, name)]
    return found


@pytest.mark.parametrize("number", [99, -1, 2**31 - 1])
def test_an_enum_value_that_the_contract_does_not_have_is_named(number: int) -> None:
    request = a_submission(charges=[referral_pb2.ChargeDraft(), referral_pb2.ChargeDraft()])
    request.referral.charges[1].MergeFromString(b"\x20" + _varint(number))
    assert paths(request) == ["referral.charges[1].level"]
    [violation] = strangers(request)
    assert "CHARGE_LEVEL_FELONY" in violation.wish
    assert "UNSPECIFIED" not in violation.wish


def _varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def test_an_unknown_value_in_a_list_is_named_by_its_place() -> None:
    request = consent_service_pb2.RevokeConsentRequest()
    request.MergeFromString(bytes([26, 3, 1, 99, 2]))
    assert paths(request) == ["categories[1]"]


def test_a_reference_is_nothing_that_a_client_may_write() -> None:
    """No request of the contract has one; a message that does is refused wherever it stands."""
    answer = pb.GetReferralResponse(referral=referral_pb2.Referral(reference=options_pb2.Reference(subject_id="sub_1")))
    assert paths(answer) == ["referral.reference"]
    for rpc in labels.public_methods():
        assert not _carries_reference(rpc)


def _carries_reference(rpc: MethodDescriptor) -> bool:
    seen, left = set(), [rpc.input_type]
    while left:
        one = left.pop()
        if one.full_name in seen:
            continue
        seen.add(one.full_name)
        left += [field.message_type for field in one.fields if field.message_type is not None]
    return options_pb2.Reference.DESCRIPTOR.full_name in seen


@pytest.mark.parametrize("text", ["\x00", "a\x1bb", "\x7f", "\x01", "\x85"])
def test_control_characters_are_refused_but_for_tab_and_line_ends(text: str) -> None:
    assert paths(a_submission(narrative=text)) == ["referral.narrative"]
    assert paths(a_submission(narrative="tab\tline\r\nend")) == []


def test_a_text_has_an_end() -> None:
    assert paths(a_submission(narrative="a" * 20_000)) == []
    assert paths(a_submission(narrative="a" * 20_001)) == ["referral.narrative"]


def test_a_list_has_an_end() -> None:
    charge = referral_pb2.ChargeDraft(statute="1")
    assert paths(a_submission(charges=[charge] * 5_000)) == []
    assert paths(a_submission(charges=[charge] * 5_001)) == ["referral.charges"]


@pytest.mark.parametrize(
    ("seconds", "nanos", "is_right"),
    [
        (0, 0, True),
        (-62_135_596_800, 0, True),
        (253_402_300_799, 999_999_999, True),
        (-62_135_596_801, 0, False),
        (253_402_300_800, 0, False),
        (2**62, 0, False),
        (0, -1, False),
        (0, 1_000_000_000, False),
    ],
)
def test_a_time_is_in_the_calendar(seconds: int, nanos: int, is_right: bool) -> None:
    request = a_submission()
    request.referral.incident_time.seconds, request.referral.incident_time.nanos = seconds, nanos
    assert paths(request) == ([] if is_right else ["referral.incidentTime"])


def test_everything_that_is_wrong_is_named_at_once() -> None:
    request = a_submission(
        narrative="\x00",
        charges=[referral_pb2.ChargeDraft(statute="\x00")],
        person=referral_pb2.Person(given_name="\x00"),
    )
    request.MergeFromString(UNKNOWN)
    request.referral.incident_time.seconds = 2**60
    assert paths(request) == [
        "",
        "referral.incidentTime",
        "referral.person.givenName",
        "referral.charges[0].statute",
        "referral.narrative",
    ]
    assert "\x00" not in str(strangers(request))
