"""Other areas' research sections as rows: what counting needs, and nothing about who it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message import Message
from lead.casework.v1 import casework_pb2
from lead.casework.v1.casework_events_pb2 import STUDY_TARGET_JUSTICE_EVENT, HandoffMeasured, StudyLinked
from lead.referral.v1 import justice_pb2
from lead.referral.v1.justice_events_pb2 import JusticeEventReported, JusticeFeedDeclared
from lead.referral.v1.referral_events_pb2 import ReferralFollowed

from services.outcomes import convert
from services.shared.events.delivery import Delivery, OpenedPart
from services.shared.wire import filled
from tests.support.clock import NOON

_EVALUATOR = "sample-evaluator"


def _delivery(message: Message, *approvals: str, agencies: tuple[str, ...] = (_EVALUATOR,)) -> Delivery[Any]:
    parts = tuple(
        OpenedPart(21, "", message.SerializeToString(), frozenset(agencies), "", 0, approval) for approval in approvals
    )
    return Delivery(type(message), "evt_1", "referral", "rec_1", "sub_1", "sample-police", 7, NOON, parts, late=False)


def test_a_row_says_for_whom_on_which_approval_and_which_version() -> None:
    row = convert.opened(_delivery(HandoffMeasured(), "agr_1"), _EVALUATOR, NOON)
    assert row == {"agency_id": _EVALUATOR, "approval_id": "agr_1", "version": 7, "received_at": NOON}


@pytest.mark.parametrize("approvals", [(), ("",)])
def test_without_an_approval_there_is_no_row(approvals: tuple[str, ...]) -> None:
    assert convert.opened(_delivery(HandoffMeasured(), *approvals), _EVALUATOR, NOON) is None


def test_custody_without_an_agency_is_no_approval() -> None:
    assert convert.opened(_delivery(HandoffMeasured(), "agr_1", agencies=("",)), "", NOON) is None


def test_a_justice_event_keeps_when_and_what_and_never_who() -> None:
    message = JusticeEventReported(
        given_name="Testa", family_name="Sample", birth_date="1990", local_id="L-1", source_system="rms",
        source_record_id="R-1", kind=justice_pb2.JUSTICE_EVENT_KIND_ARREST, incident_key="k",
        warrant_kind=justice_pb2.WARRANT_KIND_FTA, level=justice_pb2.JUSTICE_LEVEL_GROSS_MISDEMEANOR,
    )  # fmt: skip
    message.event_time.FromDatetime(NOON)
    row = convert.justice_row(_delivery(message), message)
    assert (row["kind"], row["warrant_kind"], row["level"], row["event_at"]) == (
        "ARREST",
        "FTA",
        "GROSS_MISDEMEANOR",
        NOON,
    )
    assert (row["incident_key"], row["booking_key"]) == ("k", None)
    assert not {"Testa", "Sample", "1990", "L-1", "rms", "R-1"} & {str(value) for value in row.values()}


def test_what_is_not_told_is_not_made_up() -> None:
    row = convert.justice_row(_delivery(JusticeEventReported()), JusticeEventReported())
    assert (row["kind"], row["warrant_kind"], row["level"], row["event_at"]) == ("", "", "", None)
    referral = convert.referral_row(_delivery(ReferralFollowed()), ReferralFollowed())
    assert (referral["intake_clock_days"], referral["incident_key"], referral["offer_at"]) == (None, None, None)
    assert convert.handoff_row(_delivery(HandoffMeasured()), HandoffMeasured())["minutes"] is None


def test_a_clock_of_no_days_is_not_no_clock() -> None:
    message = ReferralFollowed(intake_clock_days=0)
    assert convert.referral_row(_delivery(message), message)["intake_clock_days"] == 0


def test_a_link_without_a_score_has_none_and_a_score_of_zero_is_one() -> None:
    bare = filled(
        StudyLinked(), study_id="stu_1", record_id="jev_1", target=STUDY_TARGET_JUSTICE_EVENT,
        rule=casework_pb2.MATCH_RULE_LOCAL_ID,
    )  # fmt: skip
    assert convert.link_row(bare)["score"] is None
    bare.score = 0.0
    row = convert.link_row(bare)
    assert (row["score"], row["rule"], row["target"]) == (0.0, "LOCAL_ID", "JUSTICE_EVENT")


def test_gaps_of_a_feed_come_back_as_they_were() -> None:
    message = JusticeFeedDeclared(agency_id="sample-police", site_ids=["seattle", "santa-fe"])
    gap = message.gaps.add()
    gap.from_time.FromDatetime(datetime(2026, 1, 1, tzinfo=UTC))
    gap.until_time.FromDatetime(datetime(2026, 1, 3, tzinfo=UTC))
    row = convert.feed_row(message)
    assert row["site_ids"] == ["santa-fe", "seattle"]
    assert convert.gaps_from_json(row["gaps"]) == [
        {"start": datetime(2026, 1, 1, tzinfo=UTC), "end": datetime(2026, 1, 3, tzinfo=UTC)}
    ]
