from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from lead.options.v1 import words_pb2
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service
from lead.referral.v1.referral_events_pb2 import ReferralFollowed

from services.referral.domain import Approval
from services.referral.followed import followed as of_referral
from services.referral.incident_key import Keyed
from services.shared.events.split import split
from services.shared.wire import stamp
from tests.integration.referral.exchange import Exchange
from tests.integration.referral.test_moves import approve, decline, offer, withdraw
from tests.integration.referral.test_push import remove, upsert
from tests.unit.referral.builders import NOW, SEATTLE, a_charge, a_draft, a_referral, from_rms


def followed(exchange: Exchange) -> list[ReferralFollowed]:
    return [each.message for each in exchange.edge.followed if isinstance(each.message, ReferralFollowed)]


def test_a_referral_is_followed_from_its_submission_on(exchange: Exchange) -> None:
    made = exchange.submit(a_draft(incident_time=stamp(NOW)))
    (fact,) = exchange.edge.followed
    assert (fact.record_id, fact.subject_id) == (made.id, made.reference.subject_id)
    assert (fact.source_agency_id, fact.version) == ("sample-police", 1)
    (message,) = followed(exchange)
    assert (message.site_id, message.door) == ("seattle", pb.DOOR_ARREST_DIVERSION)
    assert (message.incident_time, message.referral_time) == (stamp(NOW), made.referral_time)
    assert message.incident_key == Keyed(b"k" * 32).incident("sample-police", "26-000123")
    assert message.screening_result == made.screening.result
    assert message.state == pb.REFERRAL_STATE_SUBMITTED
    assert message.intake_clock_days == 30
    assert not message.HasField("approve_time")
    assert not message.overridden


def test_it_says_nothing_of_the_person(exchange: Exchange) -> None:
    exchange.submit(a_draft())
    (message,) = followed(exchange)
    assert {part.category for part in split(message, "ref_1")} == {words_pb2.CATEGORY_LINKED_RESEARCH}
    for told in (b"Testa", b"Sample", b"1990", b"26-000123", b"RCW"):
        assert told not in message.SerializeToString()


def test_it_is_told_in_the_commit_of_the_change(exchange: Exchange) -> None:
    exchange.submit(a_draft())
    assert exchange.edge.commits == 1
    assert [each.message.DESCRIPTOR.name for each in exchange.edge.facts] == ["ReferralRecorded"]


def test_each_step_that_counts_is_told(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    exchange.clock.advance(60)
    approved = approve(exchange, made)
    offered = offer(exchange, approved)
    withdraw(exchange, offered)
    told = followed(exchange)
    assert [each.state for each in told] == [
        pb.REFERRAL_STATE_SUBMITTED,
        pb.REFERRAL_STATE_APPROVED,
        pb.REFERRAL_STATE_APPROVED,
        pb.REFERRAL_STATE_WITHDRAWN,
    ]
    assert [each.version for each in exchange.edge.followed] == [1, 2, 3, 4]
    assert told[2].offer_outcome == pb.OFFER_OUTCOME_ACCEPTED
    assert told[2].offer_time == offered.offer.call_time
    # Counted as it was meant at t0, whatever happened next.
    assert told[3].approve_time == told[1].approve_time == approved.approvals[0].time
    assert told[3].offer_time == told[2].offer_time


def test_what_does_not_count_is_not_told(exchange: Exchange) -> None:
    made = exchange.submit(from_rms())
    exchange.submit(from_rms(version=2, narrative="Corrected."))
    offered = offer(exchange, exchange.get(made.id))
    before = len(exchange.edge.followed)
    request = service.RecordHandoverRequest(id=made.id, etag=offered.etag, time=offered.offer.call_time)
    exchange.call("RecordHandover", request)
    assert [each.version for each in exchange.edge.followed] == [1, 3]
    assert len(exchange.edge.followed) == before


def test_an_approval_of_what_the_screening_left_open_is_an_override(exchange: Exchange) -> None:
    made = exchange.submit(a_draft(charges=[a_charge(quantity="4999")]))
    assert made.screening.result != pb.SCREENING_RESULT_ELIGIBLE
    approve(exchange, made)
    assert [each.overridden for each in followed(exchange)] == [False, True]


@pytest.mark.parametrize(("result", "overridden"), [("ELIGIBLE", False), ("PRESUMPTIVELY_INELIGIBLE", True)])
def test_who_was_eligible_is_not_overridden(result: Any, overridden: bool) -> None:
    approval = Approval(agency_id="sample-office", role="program_manager", time=NOW)
    made = a_referral(approvals=(approval,), state="APPROVED")
    screened = replace(made, screening=replace(made.screening, result=result))
    told = of_referral(screened, SEATTLE, Keyed(b"k" * 32))
    assert (told.overridden, told.approve_time) == (overridden, stamp(NOW))


def test_approvals_that_are_not_enough_are_none() -> None:
    approval = Approval(agency_id="sample-office", role="prosecutor", time=NOW)
    for state in ("SUBMITTED", "DECLINED"):
        told = of_referral(a_referral(approvals=(approval,), state=state), SEATTLE, Keyed(b"k" * 32))
        assert not told.HasField("approve_time")


def test_a_site_that_has_closed_names_no_clock() -> None:
    told = of_referral(a_referral(state="WITHDRAWN"), None, Keyed(b"k" * 32))
    assert told.state == pb.REFERRAL_STATE_WITHDRAWN
    assert not told.HasField("intake_clock_days")


def test_a_decline_is_told(exchange: Exchange) -> None:
    decline(exchange, exchange.submit(a_draft()))
    assert followed(exchange)[-1].state == pb.REFERRAL_STATE_DECLINED


def test_a_stream_is_followed_record_by_record(exchange: Exchange) -> None:
    exchange.push([upsert("A"), upsert("B"), upsert("A"), remove("B")])
    assert [each.state for each in followed(exchange)] == [
        pb.REFERRAL_STATE_SUBMITTED,
        pb.REFERRAL_STATE_SUBMITTED,
        pb.REFERRAL_STATE_WITHDRAWN,
    ]


def test_keys_of_incidents_are_not_joined_between_agencies(exchange: Exchange) -> None:
    keyed = Keyed(b"k" * 32)
    assert keyed.incident("sample-police", "1") != keyed.incident("sample-sheriff", "1")
    assert keyed.incident("sample-police", "ab 1") == keyed.incident("sample-police", "AB1")
