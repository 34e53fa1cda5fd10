from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.referral.v1 import referral_service_pb2 as pb

from services.command.push.records import outgoing
from services.referral.rms.files import Kind, Row

DRAFT = {"siteId": "seattle", "person": {"givenName": "Testa", "familyName": "Sample"}}


def row(payload: Any, error: str = "") -> Row:
    return Row(3, Kind.RECORD, payload, error)


def test_a_bare_draft_is_sent_as_it_is_under_the_number_of_its_row() -> None:
    sent = outgoing(row(DRAFT))
    assert sent.message is not None
    assert (sent.message.record_key, sent.message.action) == ("3", pb.PUSH_ACTION_UPSERT)
    assert sent.message.referral.person.given_name == "Testa"


@pytest.mark.parametrize("action", ["DELETE", "PUSH_ACTION_DELETE"])
def test_a_record_may_say_its_key_and_what_to_do(action: str) -> None:
    sent = outgoing(row({"recordKey": "a-1", "action": action, "referral": {"source": {"recordId": "1"}}}))
    assert sent.message is not None
    assert (sent.message.record_key, sent.message.action) == ("a-1", pb.PUSH_ACTION_DELETE)


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({"recordKey": 5, "referral": DRAFT}, "recordKey"),
        ({"recordKey": "k" * 201, "referral": DRAFT}, "recordKey"),
        ({"action": "PURGE", "referral": DRAFT}, "action"),
        ({"referral": DRAFT, "extra": 1}, ""),
        ({**DRAFT, "siteId": 7}, "siteId"),
        ({**DRAFT, "nonsense": 7}, "nonsense"),
        ({"referral": [1]}, ""),
        ({**DRAFT, "door": "DOOR_BACK"}, "door"),
    ],
)
def test_what_no_referral_is_names_its_place_and_is_not_sent(payload: Any, path: str) -> None:
    sent = outgoing(row(payload))
    assert sent.message is None
    assert path in [each.path for each in sent.violations]
    assert sent.refused().outcome == "REJECTED"


def test_a_row_that_could_not_be_read_says_why() -> None:
    sent = outgoing(row(None, "the line is not valid JSON"))
    assert [each.wish for each in sent.violations] == ["the line is not valid JSON"]


def test_a_refusal_repeats_no_value() -> None:
    sent = outgoing(row({**DRAFT, "siteId": {"name": "Canary Sample"}, "door": "Canary"}))
    assert "Canary" not in str(sent.violations)


_LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
_NAME = st.sampled_from(["givenName", "source", "recordId", "statute"]) | st.text(max_size=8)
_JSON = st.recursive(_LEAF, lambda inner: st.lists(inner) | st.dictionaries(_NAME, inner), max_leaves=8)


@given(st.dictionaries(st.sampled_from(["recordKey", "action", "referral", "siteId", "person", "charges"]), _JSON))
def test_whatever_a_record_holds_it_is_sent_or_refused(payload: dict[str, Any]) -> None:
    sent = outgoing(row(payload))
    assert (sent.message is None) == bool(sent.violations)
