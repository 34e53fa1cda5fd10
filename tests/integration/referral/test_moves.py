from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.shared.errors import Code, LeadError
from services.shared.ids import is_id
from services.shared.sharing.assertion import Caller
from tests.integration.referral.exchange import Exchange
from tests.unit.referral.builders import NOW, a_caller, a_draft, an_offer, from_rms

MANAGER = a_caller("program_manager", "sample-office")
LIAISON = a_caller("police_liaison")


def refused(code: Code, work: Any) -> LeadError:
    with pytest.raises(LeadError) as error:
        work()
    assert error.value.code is code
    return error.value


def approve(exchange: Exchange, made: pb.Referral, caller: Caller = MANAGER) -> pb.Referral:
    request = service.ApproveReferralRequest(id=made.id, etag=made.etag)
    approved: pb.Referral = exchange.call("ApproveReferral", request, caller).referral
    return approved


def decline(exchange: Exchange, made: pb.Referral, caller: Caller = MANAGER) -> pb.Referral:
    request = service.DeclineReferralRequest(id=made.id, etag=made.etag, reason="no capacity")
    declined: pb.Referral = exchange.call("DeclineReferral", request, caller).referral
    return declined


def withdraw(exchange: Exchange, made: pb.Referral, caller: Caller | None = None) -> pb.Referral:
    withdrawn: pb.Referral = exchange.call(
        "WithdrawReferral", service.WithdrawReferralRequest(id=made.id), caller
    ).referral
    return withdrawn


def offer(exchange: Exchange, made: pb.Referral, caller: Caller | None = None, **changes: Any) -> pb.Referral:
    request = an_offer(made.id, made.etag, **changes)
    offered: pb.Referral = exchange.call("RecordOffer", request, caller).referral
    return offered


def not_made(exchange: Exchange, made: pb.Referral) -> pb.Referral:
    request = service.RecordOfferRequest(id=made.id, etag=made.etag, outcome=pb.OFFER_OUTCOME_DECLINED)
    declined: pb.Referral = exchange.call("RecordOffer", request).referral
    return declined


def test_an_approval_is_recorded_and_made_known(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    exchange.clock.advance(60)
    approved = approve(exchange, made)
    assert approved.state == pb.REFERRAL_STATE_APPROVED
    assert [(each.agency_id, each.role) for each in approved.approvals] == [("sample-office", "program_manager")]
    assert exchange.get(made.id) == approved
    assert [each.state for each in exchange.edge.named("ReferralRecorded")] == [
        pb.REFERRAL_STATE_SUBMITTED,
        pb.REFERRAL_STATE_APPROVED,
    ]
    assert [each.version for each in exchange.edge.facts] == [1, 2]


def test_a_stale_etag_is_aborted_and_an_invisible_one_is_not_found(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    approve(exchange, made)
    refused(Code.ABORTED, lambda: decline(exchange, made))
    stranger = a_caller("program_manager", "sample-santa-fe-office", site_ids=("santa-fe",))
    refused(Code.NOT_FOUND, lambda: decline(exchange, made, stranger))


def test_of_two_who_read_the_same_one_is_aborted(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    exchange.edge.meanwhile = lambda: decline(exchange, made, LIAISON)
    refused(Code.ABORTED, lambda: approve(exchange, made))
    assert exchange.get(made.id).state == pb.REFERRAL_STATE_DECLINED
    assert len(exchange.edge.facts) == 2


def test_an_illegal_move_names_the_legal_ones(exchange: Exchange) -> None:
    declined = decline(exchange, exchange.submit(a_draft()))
    assert declined.decline_reason == "no capacity"
    error = refused(Code.FAILED_PRECONDITION, lambda: approve(exchange, declined))
    assert error.text.endswith("what may follow is: withdraw.")


def test_the_attorney_has_the_final_word_in_santa_fe(exchange: Exchange) -> None:
    police = a_caller(agency="sample-santa-fe-police", site_ids=("santa-fe",))
    site = exchange.desk.sites["santa-fe"]
    made = exchange.submit(a_draft(site, agency_ori=None), police)
    attorney = a_caller("prosecutor", "sample-santa-fe-prosecutor", site_ids=("santa-fe",))
    manager = a_caller("program_manager", "sample-santa-fe-office", site_ids=("santa-fe",))
    refused(Code.FAILED_PRECONDITION, lambda: approve(exchange, made, manager))
    assert approve(exchange, made, attorney).state == pb.REFERRAL_STATE_APPROVED


def test_withdrawing_needs_no_etag_and_may_be_repeated(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    assert withdraw(exchange, made).state == pb.REFERRAL_STATE_WITHDRAWN
    assert withdraw(exchange, made).state == pb.REFERRAL_STATE_WITHDRAWN
    (event,) = exchange.edge.named("ReferralWithdrawn")
    assert event.withdrawn_time.ToDatetime(tzinfo=UTC) == NOW


def test_withdrawing_does_not_wait_for_others(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    exchange.edge.meanwhile = lambda: approve(exchange, made)
    assert withdraw(exchange, made).state == pb.REFERRAL_STATE_WITHDRAWN


def test_others_than_the_source_do_not_withdraw(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    refused(Code.FAILED_PRECONDITION, lambda: withdraw(exchange, made, MANAGER))
    refused(Code.NOT_FOUND, lambda: withdraw(exchange, made, a_caller(agency="sample-sheriff")))


def test_an_accepted_offer_requests_a_hand_off(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    exchange.edge.statements.clear()
    offered = offer(exchange, made)
    assert offered.offer.dispatch_agency_id == "sample-outreach"
    assert offered.offer.call_time.ToDatetime(tzinfo=UTC) == NOW
    (event,) = exchange.edge.named("HandoffRequested")
    fact = exchange.edge.facts[-1]
    assert is_id(fact.record_id, "hof")
    assert (fact.subject_id, fact.source_agency_id) == (made.reference.subject_id, "sample-police")
    assert (event.referral_id, event.dispatch_agency_id) == (made.id, "sample-outreach")
    assert event.window_end_time.ToDatetime(tzinfo=UTC) == NOW + timedelta(hours=72)
    assert event.person.family_name == "Sample"
    assert event.meet_at == "corner of Sample Street"
    (dispatched,) = exchange.edge.stated("DISPATCHED")
    assert (dispatched.record_id, dispatched.agency_id) == (fact.record_id, "sample-outreach")
    assert dispatched.from_time.ToDatetime(tzinfo=UTC) == NOW
    assert dispatched.until_time.ToDatetime(tzinfo=UTC) == NOW + timedelta(hours=72)
    assert not dispatched.closed
    assert [each.record_id for each in exchange.edge.stated("SITE")] == [fact.record_id]
    # The referral itself is no news to anybody.
    assert len(exchange.edge.named("ReferralRecorded")) == 1


def test_no_charge_and_no_narrative_go_to_the_case_manager(exchange: Exchange) -> None:
    offer(exchange, exchange.submit(a_draft(narrative="canary words", attestations=None)))
    (event,) = exchange.edge.named("HandoffRequested")
    text = str(event)
    assert "canary" not in text
    assert "RCW" not in text
    assert "conviction" not in text


def test_a_second_accepted_offer_is_refused_until_the_first_one_ended(exchange: Exchange) -> None:
    offered = offer(exchange, exchange.submit(a_draft()))
    refused(Code.FAILED_PRECONDITION, lambda: offer(exchange, offered))
    exchange.clock.advance(600)
    declined = not_made(exchange, offered)
    closing = exchange.edge.stated("DISPATCHED")[-1]
    assert closing.closed
    assert closing.until_time.ToDatetime(tzinfo=UTC) == NOW + timedelta(seconds=600)
    assert closing.version > exchange.edge.stated("DISPATCHED")[0].version
    again = offer(exchange, declined, dispatch_agency_id="sample-second-outreach")
    assert again.offer.dispatch_agency_id == "sample-second-outreach"
    assert len(exchange.edge.named("HandoffRequested")) == 2


def test_a_withdrawal_closes_the_window_at_consent(exchange: Exchange) -> None:
    offered = offer(exchange, exchange.submit(a_draft()))
    exchange.clock.advance(60)
    withdraw(exchange, offered)
    assert [each.closed for each in exchange.edge.stated("DISPATCHED")] == [False, True]


def test_a_correction_goes_to_who_is_on_the_way(exchange: Exchange) -> None:
    offer(exchange, exchange.submit(from_rms()))
    exchange.submit(from_rms(version=2, person=pb.Person(family_name="Specimen")))
    one, two = exchange.edge.named("HandoffRequested")
    assert (one.person.family_name, two.person.family_name) == ("Sample", "Specimen")
    assert one.window_end_time == two.window_end_time
    exchange.clock.advance(73 * 3600)
    exchange.submit(from_rms(version=3))
    assert len(exchange.edge.named("HandoffRequested")) == 2


@pytest.mark.parametrize("agency", ["sample-santa-fe-outreach", "sample-police", "nobody", ""])
def test_only_a_case_management_agency_of_the_site_is_called(exchange: Exchange, agency: str) -> None:
    made = exchange.submit(a_draft())
    error = refused(Code.INVALID_ARGUMENT, lambda: offer(exchange, made, dispatch_agency_id=agency))
    assert [each.path for each in error.violations] == ["dispatchAgencyId"]
    assert exchange.edge.named("HandoffRequested") == []


def test_without_consent_nobody_is_called(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    error = refused(Code.INVALID_ARGUMENT, lambda: offer(exchange, made, verbal_consent=False))
    assert [each.path for each in error.violations] == ["verbalConsent"]


def test_the_programme_office_records_offers_where_no_officer_was(exchange: Exchange) -> None:
    arrest = exchange.submit(a_draft())
    refused(Code.FAILED_PRECONDITION, lambda: offer(exchange, arrest, MANAGER))
    social = exchange.submit(a_draft(door="SOCIAL_CONTACT"))
    assert offer(exchange, social, MANAGER).offer.outcome == pb.OFFER_OUTCOME_ACCEPTED


def test_the_officer_records_the_hand_over_he_saw(exchange: Exchange) -> None:
    offered = offer(exchange, exchange.submit(a_draft()))
    exchange.clock.advance(40 * 60)
    at = Timestamp()
    at.FromDatetime(NOW + timedelta(minutes=32))
    request = service.RecordHandoverRequest(id=offered.id, time=at, etag=offered.etag)
    handed = exchange.call("RecordHandover", request).referral
    assert (handed.handover.minutes, handed.handover.target_minutes) == (32, 30)
    refused(Code.ABORTED, lambda: exchange.call("RecordHandover", request))
    early = service.RecordHandoverRequest(id=handed.id, etag=handed.etag)
    assert refused(Code.INVALID_ARGUMENT, lambda: exchange.call("RecordHandover", early)).violations[0].path == "time"
