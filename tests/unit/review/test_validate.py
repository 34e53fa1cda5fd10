"""Requests that are not acceptable: every wrong field at once, never a value."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from lead.review.v1 import review_pb2 as pb
from lead.review.v1 import review_service_pb2 as service

from services.review import paging, validate
from services.review.store import FAR
from services.shared.errors import LeadError
from services.shared.ids import new_id
from tests.support.clock import NOON


def _stamp(days: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(NOON + timedelta(days=days))
    return stamp


def _decide(**values: Any) -> service.DecideChargeRequest:
    whole = {"decision": pb.DECISION_VALUE_FILE, "etag": "e", **values}
    return service.DecideChargeRequest(**{name: value for name, value in whole.items() if value is not None})


def _paths(refuse: Callable[[], object]) -> list[str]:
    with pytest.raises(LeadError) as refused:
        refuse()
    return [violation.path for violation in refused.value.violations]


@pytest.mark.parametrize(
    "request_",
    [
        _decide(),
        _decide(decision=pb.DECISION_VALUE_DIVERT_REJECT, reason=pb.REJECT_REASON_VICTIM),
        _decide(decision=pb.DECISION_VALUE_DEFER_UNTIL, defer_until=_stamp(14)),
        _decide(decision=pb.DECISION_VALUE_DIVERT_CONFIRM, note="x" * 4_000),
    ],
)
def test_a_complete_decision_is_accepted(request_: service.DecideChargeRequest) -> None:
    validate.decided(request_, NOON)


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (_decide(decision=None), "decision"),
        (_decide(decision=99), "decision"),
        (_decide(etag=None), "etag"),
        (_decide(decision=pb.DECISION_VALUE_DIVERT_REJECT), "reason"),
        (_decide(reason=pb.REJECT_REASON_OTHER), "reason"),
        (_decide(decision=pb.DECISION_VALUE_DIVERT_REJECT, reason=99), "reason"),
        (_decide(decision=pb.DECISION_VALUE_DEFER_UNTIL), "deferUntil"),
        (_decide(decision=pb.DECISION_VALUE_DEFER_UNTIL, defer_until=_stamp(0)), "deferUntil"),
        (_decide(decision=pb.DECISION_VALUE_DEFER_UNTIL, defer_until=Timestamp(seconds=10**15)), "deferUntil"),
        (_decide(defer_until=_stamp(14)), "deferUntil"),
        (_decide(note="x" * 4_001), "note"),
        (_decide(note="a\x00b"), "note"),
        (_decide(note="see FBI 123456AB7"), "note"),
    ],
)
def test_a_decision_that_is_not_complete_is_refused_by_its_field(
    request_: service.DecideChargeRequest, path: str
) -> None:
    assert _paths(lambda: validate.decided(request_, NOON)) == [path]


def test_all_wrong_fields_are_named_at_once() -> None:
    request = service.DecideChargeRequest(note="x" * 5_000, defer_until=_stamp(-1))
    assert _paths(lambda: validate.decided(request, NOON)) == ["decision", "note", "deferUntil", "etag"]


def test_a_refusal_never_repeats_what_was_sent() -> None:
    with pytest.raises(LeadError) as refused:
        validate.decided(_decide(note="SID WA12345678 Testa Sample"), NOON)
    told = f"{refused.value} {refused.value.violations}"
    assert "12345678" not in told
    assert "Testa" not in told


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"state": 99}, "state"),
        ({"page_size": -1}, "pageSize"),
        ({"page_size": 501}, "pageSize"),
        ({"due_before": Timestamp(seconds=-(10**12))}, "dueBefore"),
        ({"due_before": Timestamp(nanos=-5)}, "dueBefore"),
    ],
)
def test_a_list_by_a_filter_that_is_none_is_refused(values: dict[str, Any], path: str) -> None:
    assert _paths(lambda: validate.listed(service.ListReviewsRequest(**values))) == [path]


def test_a_list_may_be_asked_for_without_any_filter() -> None:
    validate.listed(service.ListReviewsRequest())


@given(moment=st.datetimes(timezones=st.just(UTC)))
def test_a_page_token_gives_its_place_back(moment: datetime) -> None:
    place = (moment, new_id("rev"))
    assert paging.place_of(paging.token_of(place)) == place


def test_the_last_place_of_all_has_a_token() -> None:
    place = (FAR, new_id("rev"))
    assert paging.place_of(paging.token_of(place)) == place


@given(token=st.text(min_size=1))
def test_any_other_text_is_no_page_token(token: str) -> None:
    assert _paths(lambda: paging.place_of(token)) == ["pageToken"]


@given(content=st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_json_that_is_no_place_is_no_page_token(content: object) -> None:
    token = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    assert _paths(lambda: paging.place_of(token)) == ["pageToken"]
