from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.referral.models import METADATA
from services.shared.db.migrations import drift
from services.shared.errors import Code, LeadError
from services.shared.ids import is_id
from tests.integration.referral.exchange import Exchange
from tests.unit.referral.builders import NOW, a_caller, a_charge, a_draft, from_rms

FELONY = a_charge("220", "RCW 9A.52.030", "", level=pb.CHARGE_LEVEL_FELONY)


def refused(code: Code, work: object) -> LeadError:
    assert callable(work)
    with pytest.raises(LeadError) as error:
        work()
    assert error.value.code is code
    return error.value


def test_the_migration_equals_the_models(exchange: Exchange) -> None:
    assert drift("referral", exchange.engine, METADATA) == []


def test_a_referral_is_recorded_screened_and_given_back_whole(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    assert is_id(made.id, "ref")
    assert is_id(made.charges[0].id, "chg")
    assert (made.reference.source_agency_id, made.reference.record_id) == ("sample-police", made.id)
    assert is_id(made.reference.subject_id, "sub")
    assert made.source == pb.Source(system="exchange", record_id=made.id, version=1)
    assert made.state == pb.REFERRAL_STATE_SUBMITTED
    assert made.screening.policy_id == "seattle-eligibility"
    assert made.referral_time.ToDatetime(tzinfo=UTC) == made.update_time.ToDatetime(tzinfo=UTC) == NOW
    assert not made.HasField("confirmation")
    assert exchange.get(made.id) == made


def test_its_event_and_its_scope_facts_are_made_known(exchange: Exchange) -> None:
    made = exchange.submit(a_draft(charges=[a_charge(), FELONY]))
    (event,) = exchange.edge.named("ReferralRecorded")
    assert [(each.id, each.office_id) for each in event.charges] == [
        (made.charges[0].id, "sample-city-attorney"),
        (made.charges[1].id, "sample-county-prosecutor"),
    ]
    # 30 local days, to the end of the last one: 1 April, 23:59:59 in Seattle, is summer time already.
    assert event.intake_due_time.ToDatetime(tzinfo=UTC).isoformat() == "2026-04-02T06:59:59+00:00"
    (fact,) = exchange.edge.facts
    assert (fact.record_id, fact.subject_id, fact.version) == (made.id, made.reference.subject_id, 1)
    assert [each.site_id for each in exchange.edge.stated("SITE")] == ["seattle"]
    assert [each.agency_id for each in exchange.edge.stated("INCIDENT")] == ["sample-police"]
    routed = exchange.edge.stated("ROUTED")
    assert [each.agency_id for each in routed] == ["sample-city-attorney", "sample-county-prosecutor"]
    assert {(each.record_id, each.version) for each in exchange.edge.statements} == {(made.id, 1)}


def test_rules_that_rest_on_a_history_check_are_not_in_the_event(exchange: Exchange) -> None:
    made = exchange.submit(a_draft(attestations=None))
    (event,) = exchange.edge.named("ReferralRecorded")
    restricted = {each.rule for each in made.screening.restricted_reasons}
    assert restricted
    assert not restricted & set(event.screening_rules)
    assert all(each.quotes for each in made.screening.reasons)


def test_the_narrative_lies_sealed(exchange: Exchange) -> None:
    exchange.submit(a_draft(narrative="canary words of an officer"))
    exchange.engine.dispose()
    on_disk = b"".join(each.read_bytes() for each in exchange.file.parent.iterdir())
    assert b"canary" not in on_disk
    assert b"exploits_minors" not in on_disk


def test_an_idempotency_key_gives_the_same_referral_and_no_second_event(exchange: Exchange) -> None:
    one = exchange.submit(a_draft(), key="k1")
    assert exchange.submit(a_draft(), key="k1") == one
    assert exchange.submit(a_draft(), key="k2").id != one.id
    assert len(exchange.edge.facts) == 2


def test_an_idempotency_key_with_another_body_is_refused(exchange: Exchange) -> None:
    exchange.submit(a_draft(), key="k1")
    error = refused(Code.ALREADY_EXISTS, lambda: exchange.submit(a_draft(narrative="Other."), key="k1"))
    assert error.reason == "IDEMPOTENCY_KEY_REUSED"


def test_a_key_of_one_agency_is_none_of_anothers(exchange: Exchange) -> None:
    exchange.submit(a_draft(), key="k1")
    sheriff = a_caller(agency="sample-sheriff")
    assert exchange.submit(a_draft(agency_ori="WASAMPLE2"), sheriff, key="k1").agency_id == "sample-sheriff"


def test_a_repeat_by_natural_key_gives_the_one_that_stands(exchange: Exchange) -> None:
    rms = a_caller("police_rms")
    one = exchange.submit(from_rms(), rms)
    exchange.clock.advance(5)
    assert exchange.submit(from_rms(), rms) == one
    assert len(exchange.edge.facts) == 1


def test_two_agencies_may_use_one_record_id(exchange: Exchange) -> None:
    one = exchange.submit(from_rms())
    other = exchange.submit(from_rms(agency_ori="WASAMPLE2"), a_caller(agency="sample-sheriff"))
    assert one.id != other.id


def test_a_used_version_with_another_body_is_a_conflict(exchange: Exchange) -> None:
    exchange.submit(from_rms(version=2))
    reused = refused(Code.ALREADY_EXISTS, lambda: exchange.submit(from_rms(version=2, narrative="Other."), key="k1"))
    assert reused.reason == "VERSION_REUSED"
    stale = refused(Code.ABORTED, lambda: exchange.submit(from_rms(version=1), key="k1"))
    assert stale.reason == "STALE_VERSION"
    # What was refused has used up no key.
    assert exchange.submit(from_rms(version=3), key="k1").source.version == 3


def test_a_correction_reissues_routes_and_closes_those_that_are_gone(exchange: Exchange) -> None:
    one = exchange.submit(from_rms(charges=[a_charge(), FELONY]))
    exchange.edge.statements.clear()
    exchange.clock.advance(60)
    two = exchange.submit(from_rms(version=2, charges=[FELONY]))
    assert (two.id, two.reference.subject_id) == (one.id, one.reference.subject_id)
    assert [each.id for each in two.charges] == [one.charges[1].id]
    assert two.etag != one.etag
    assert two.update_time.seconds - one.update_time.seconds == 60
    routed = {each.agency_id: each.closed for each in exchange.edge.stated("ROUTED")}
    assert routed == {"sample-county-prosecutor": False, "sample-city-attorney": True}
    assert {each.version for each in exchange.edge.statements} == {2}
    attorney = a_caller("prosecutor", "sample-city-attorney")
    refused(Code.NOT_FOUND, lambda: exchange.get(one.id, attorney))


def test_the_programme_office_refers_by_the_community_door(exchange: Exchange) -> None:
    manager = a_caller("program_manager", "sample-office")
    draft = a_draft(door="COMMUNITY", agency_ori=None, charges=None, incident_number=None)
    made = exchange.submit(draft, manager)
    assert (made.agency_id, made.door) == ("sample-office", pb.DOOR_COMMUNITY)
    # No police agency's incident, and nothing for a prosecutor.
    assert not exchange.edge.stated("INCIDENT")
    assert not exchange.edge.stated("ROUTED")


@pytest.mark.parametrize("kind", ["jail", "court"])
def test_a_jails_system_submits_nothing(exchange: Exchange, kind: str) -> None:
    jail = a_caller("police_rms", "sample-jail", agency_kind=kind)
    refused(Code.PERMISSION_DENIED, lambda: exchange.submit(from_rms(), jail))
    refused(Code.PERMISSION_DENIED, lambda: exchange.list_all(jail))
    refused(Code.PERMISSION_DENIED, lambda: exchange.push([], jail))


def test_what_is_refused_leaves_nothing_behind(exchange: Exchange) -> None:
    error = refused(Code.INVALID_ARGUMENT, lambda: exchange.submit(pb.ReferralDraft(site_id="nowhere"), key="k1"))
    assert {each.path for each in error.violations} >= {"siteId", "door"}
    exchange.edge.is_away = True
    refused(Code.UNAVAILABLE, lambda: exchange.submit(a_draft(), key="k1"))
    exchange.edge.is_away = False
    assert exchange.list_all() == []
    exchange.submit(a_draft(), key="k1")


def test_a_record_that_another_call_stores_meanwhile_is_found(exchange: Exchange) -> None:
    exchange.edge.meanwhile = lambda: exchange.submit(from_rms())
    exchange.submit(from_rms())
    assert len(exchange.list_all()) == 1
    assert len(exchange.edge.facts) == 1


def test_a_dry_run_keeps_nothing_and_names_nobody(exchange: Exchange) -> None:
    request = service.ScreenReferralRequest(referral=a_draft(person=None, incident_number=None))
    draft = exchange.call("ScreenReferral", request).draft
    assert draft.screening.result == pb.SCREENING_RESULT_NEEDS_INFO
    assert draft.reference.source_agency_id == "sample-police"
    assert not draft.reference.subject_id
    assert exchange.list_all() == []
    assert exchange.edge.commits == 0


def test_a_dry_run_is_the_same_for_somebody_known_and_a_stranger(exchange: Exchange) -> None:
    request = service.ScreenReferralRequest(referral=a_draft())
    before = exchange.call("ScreenReferral", request)
    exchange.submit(a_draft())
    assert exchange.call("ScreenReferral", request).SerializeToString() == before.SerializeToString()
    assert any("programme" in each.text.lower() for each in before.draft.screening.reasons)


def test_dry_runs_are_limited_per_agency(exchange: Exchange) -> None:
    request = service.ScreenReferralRequest(referral=a_draft())
    for _ in range(60):
        exchange.call("ScreenReferral", request)
    refused(Code.RESOURCE_EXHAUSTED, lambda: exchange.call("ScreenReferral", request))
    exchange.clock.advance(1)
    exchange.call("ScreenReferral", request)


def test_a_site_says_its_doors_rules_and_clocks_in_words(exchange: Exchange) -> None:
    site = exchange.call("GetSite", service.GetSiteRequest(id="santa-fe")).site
    assert list(site.doors) == [pb.DOOR_ARREST_DIVERSION, pb.DOOR_SOCIAL_CONTACT]
    assert all(each.words for each in site.rules)
    assert {each.name for each in site.clocks} >= {"handoff", "outreach", "intake_arrest_diversion"}
    refused(Code.NOT_FOUND, lambda: exchange.call("GetSite", service.GetSiteRequest(id="nowhere")))


def test_a_referral_time_in_the_past_starts_the_clock_there(exchange: Exchange) -> None:
    past = Timestamp()
    past.FromDatetime(NOW - timedelta(days=31))
    exchange.submit(a_draft(referral_time=past))
    (event,) = exchange.edge.named("ReferralRecorded")
    assert event.intake_due_time.ToDatetime(tzinfo=UTC) < NOW
