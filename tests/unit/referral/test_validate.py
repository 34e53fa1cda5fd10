from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.referral import checks, fields, validate
from services.shared.errors import LeadError, Violation
from tests.unit.referral.builders import (
    NOW,
    SANTA_FE,
    SEATTLE,
    a_caller,
    a_charge,
    a_draft,
    a_setting,
    an_offer,
    from_rms,
)


def wrong(draft: pb.ReferralDraft, **setting: Any) -> dict[str, str]:
    return {each.path: each.wish for each in validate.draft_violations(draft, a_setting(**setting), checks.WHOLE)}


def stamped(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def test_a_complete_draft_has_nothing_wrong() -> None:
    assert wrong(a_draft()) == {}
    assert wrong(from_rms(), caller=a_caller("police_rms")) == {}


def test_every_text_field_and_list_of_a_request_has_a_rule() -> None:
    requests = (
        pb.ReferralDraft,
        service.RecordOfferRequest,
        service.RecordHandoverRequest,
        service.DeclineReferralRequest,
        service.ApproveReferralRequest,
        service.ListReferralsRequest,
        service.PushReferralsRequest,
    )
    assert [name for each in requests for name in fields.unruled(each.DESCRIPTOR)] == []


def test_all_wrong_paths_are_named_at_once_and_no_value_is_echoed() -> None:
    draft = a_draft(
        site_id="Nowhere!",
        person=pb.Person(given_name="FBI 123456AB7", birth_date="2031-02-30"),
        charges=[a_charge(quantity="-1"), a_charge(quantity="0"), a_charge(level=99)],
        agency_ori="XXSAMPLE9",
        referral_time=stamped(NOW + timedelta(minutes=6)),
    )
    found = wrong(draft)
    assert {
        "siteId",
        "person.givenName",
        "person.birthDate",
        "charges[0].substances[0].quantity",
        "charges[1].substances[0].quantity",
        "charges[2].level",
        "agencyOri",
        "referralTime",
    } <= found.keys()
    for echo in ("Nowhere", "123456AB7", "2031", "-1", "XXSAMPLE9"):
        assert echo not in str(found)


@pytest.mark.parametrize("quantity", ["-0.5", "0", "0.000", "100000", "1e3", "NaN", "1,5", "٣", " 1", "1."])
def test_a_quantity_is_a_decimal_above_zero_and_below_a_hundred_thousand(quantity: str) -> None:
    found = wrong(a_draft(charges=[a_charge(quantity=quantity)]))
    assert list(found) == ["charges[0].substances[0].quantity"]


@pytest.mark.parametrize("quantity", ["0.000001", "3", "99999.999999"])
def test_a_quantity_within_the_bounds_is_taken(quantity: str) -> None:
    assert wrong(a_draft(charges=[a_charge(quantity=quantity)])) == {}


def test_a_quantity_needs_a_unit_and_none_beside_not_reported() -> None:
    bare = a_charge(quantity="")
    bare.substances.add(drug="heroin", quantity="1")
    beside = a_charge(quantity="")
    beside.substances.add(drug="heroin", quantity="1", unit=pb.QUANTITY_UNIT_NOT_REPORTED)
    unknown = a_charge(quantity="")
    unknown.substances.add(drug="heroin", unit=pb.QUANTITY_UNIT_NOT_REPORTED)
    assert list(wrong(a_draft(charges=[bare, beside, unknown]))) == [
        "charges[0].substances[0].unit",
        "charges[1].substances[0].quantity",
    ]


def test_five_thousand_and_one_charges_are_refused_without_looking_at_each() -> None:
    found = wrong(a_draft(charges=[a_charge(quantity="-1")] * 5001))
    assert found["charges"] == "at most 500"
    assert len(found) == 501


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("narrative", "his FBI number is 123456AB7"),
        ("narrative", "told us by a confidential source"),
        ("narrative", "HIV positive"),
        ("person", pb.Person(family_name="Sample", local_ids=[pb.LocalId(agency_id="sample-police", id="WA12345678")])),
        ("contact", pb.Contact(address="see NCIC entry")),
        ("victim", pb.VictimOfOffence(restitution="rap sheet attached")),
    ],
)
def test_what_is_never_carried_is_refused_by_its_shape(name: str, value: Any) -> None:
    assert len(wrong(a_draft(**{name: value}))) == 1


def test_record_ids_may_look_like_anything() -> None:
    assert wrong(from_rms("WA12345678", incident_number="123456AB7")) == {}


def test_somebody_surely_under_the_least_age_is_refused() -> None:
    on_birthday = a_draft(person=pb.Person(family_name="Sample", birth_date="2008-03-02"))
    day_before = a_draft(person=pb.Person(family_name="Sample", birth_date="2008-03-03"))
    assert wrong(on_birthday) == {}
    assert list(wrong(day_before)) == ["person.birthDate"]


@pytest.mark.parametrize("birth", ["2008", "2008-03", "1990", "1900-01-01"])
def test_a_birth_date_that_leaves_the_age_open_is_taken(birth: str) -> None:
    assert wrong(a_draft(person=pb.Person(family_name="Sample", birth_date=birth))) == {}


@pytest.mark.parametrize("birth", ["2009", "1899", "1990-13", "1990-02-30", "90-01-01", "1990-1-1", "2027"])
def test_a_birth_date_is_a_date_of_an_adult(birth: str) -> None:
    assert list(wrong(a_draft(person=pb.Person(family_name="Sample", birth_date=birth)))) == ["person.birthDate"]


def test_the_referral_time_may_be_five_minutes_ahead_and_long_past() -> None:
    assert wrong(a_draft(referral_time=stamped(NOW + timedelta(minutes=5)))) == {}
    assert wrong(a_draft(referral_time=stamped(NOW - timedelta(days=31)))) == {}
    assert list(wrong(a_draft(referral_time=stamped(NOW + timedelta(minutes=5, seconds=1))))) == ["referralTime"]


@pytest.mark.parametrize("name", ["referral_time", "incident_time"])
def test_a_time_out_of_range_is_named_and_nothing_breaks(name: str) -> None:
    beyond: Any = Timestamp(seconds=10**15, nanos=-5)
    camel = {"referral_time": "referralTime", "incident_time": "incidentTime"}
    assert list(wrong(a_draft(**{name: beyond}))) == [camel[name]]


def test_a_door_is_open_at_the_site_and_admits_the_sender() -> None:
    community = a_draft(SANTA_FE, "SOCIAL_CONTACT")
    community.door = pb.DOOR_COMMUNITY
    setting = a_setting(a_caller(site_ids=("santa-fe",)))
    found = validate.draft_violations(community, setting, (checks.where,))
    assert [each.path for each in found] == ["door"]


def test_the_programme_office_refers_by_the_community_door_alone() -> None:
    manager = a_caller("program_manager", "sample-office")
    draft = a_draft(SEATTLE, "COMMUNITY", agency_ori=None)
    assert wrong(draft, caller=manager, oris=frozenset()) == {}
    draft.door = pb.DOOR_SOCIAL_CONTACT
    assert list(wrong(draft, caller=manager, oris=frozenset())) == ["door"]


def test_a_site_of_others_reads_like_no_site_at_all() -> None:
    elsewhere = a_setting(a_caller(site_ids=("seattle",)))
    one = validate.draft_violations(a_draft(site_id="santa-fe"), elsewhere, (checks.where,))
    other = validate.draft_violations(a_draft(site_id="nowhere"), elsewhere, (checks.where,))
    assert one == other == [Violation("siteId", "a site that your agency takes part in")]


def test_a_system_names_its_record_and_a_person_need_not() -> None:
    assert set(wrong(a_draft(), caller=a_caller("police_rms"))) == {
        "source.system",
        "source.recordId",
        "source.version",
    }
    half = a_draft(source=pb.Source(system="sample-rms"))
    assert set(wrong(half)) == {"source.recordId", "source.version"}


@pytest.mark.parametrize("system", ["exchange", "nibrs"])
def test_the_names_of_the_exchange_are_nobody_elses_source(system: str) -> None:
    draft = a_draft(source=pb.Source(system=system, record_id="1", version=1))
    assert list(wrong(draft)) == ["source.system"]


def test_an_attestation_answers_a_rule_of_the_site_once() -> None:
    rule = SEATTLE.attested_rules("ARREST_DIVERSION")[0]
    clear = pb.Attestation(rule=rule, answer=pb.ATTESTATION_ANSWER_CLEAR)
    draft = a_draft(attestations=[clear, clear, pb.Attestation(rule="made-up"), pb.Attestation(rule=rule)])
    found = wrong(draft)
    assert found["attestations[0].rule"] == "given once"
    assert {"attestations[2].rule", "attestations[2].answer", "attestations[3].answer"} <= found.keys()


def test_an_observation_has_a_known_name() -> None:
    draft = a_draft(observations=[pb.Observation(name="informant", answer=pb.OBSERVATION_ANSWER_YES)])
    assert list(wrong(draft)) == ["observations[0].name"]


def test_an_arrest_needs_an_incident_number_where_the_site_says_so() -> None:
    assert list(wrong(a_draft(incident_number=None))) == ["incidentNumber"]
    assert wrong(a_draft(SEATTLE, "SOCIAL_CONTACT", incident_number=None)) == {}


def test_somebody_is_named() -> None:
    assert list(wrong(a_draft(person=None))) == ["person.familyName"]


def test_an_accepted_offer_was_consented_to_and_voluntary() -> None:
    request = an_offer(verbal_consent=False, told_voluntary=None)
    with pytest.raises(LeadError) as refused:
        validate.offer(request, NOW, lambda _: True)
    assert {each.path for each in refused.value.violations} == {"verbalConsent", "toldVoluntary"}


def test_an_offer_that_was_not_made_calls_nobody() -> None:
    request = service.RecordOfferRequest(
        outcome=pb.OFFER_OUTCOME_NOT_MADE, dispatch_agency_id="sample-outreach", etag="e"
    )
    with pytest.raises(LeadError) as refused:
        validate.offer(request, NOW, lambda _: True)
    assert [each.path for each in refused.value.violations] == ["dispatchAgencyId"]


def test_an_unknown_agency_is_not_dispatched() -> None:
    with pytest.raises(LeadError) as refused:
        validate.offer(an_offer(), NOW, lambda _: False)
    assert [each.path for each in refused.value.violations] == ["dispatchAgencyId"]


@pytest.mark.parametrize("request_", [service.ApproveReferralRequest(), service.DeclineReferralRequest(reason="full")])
def test_a_move_needs_an_etag(request_: Any) -> None:
    check = validate.approve if isinstance(request_, service.ApproveReferralRequest) else validate.decline
    with pytest.raises(LeadError) as refused:
        check(request_, NOW)
    assert [each.path for each in refused.value.violations] == ["etag"]


def test_a_delete_names_its_record_and_nothing_else_is_read() -> None:
    bare = service.PushReferralsRequest(action=service.PUSH_ACTION_DELETE)
    assert [each.path for each in validate.pushed(bare, a_setting())] == ["source.system", "source.recordId"]
    bare.referral.source.CopyFrom(pb.Source(system="sample-rms", record_id="R-1"))
    bare.referral.site_id = "Not Read"
    assert validate.pushed(bare, a_setting()) == []


def test_a_pushed_record_says_what_to_do() -> None:
    bare = service.PushReferralsRequest(record_key="1", referral=from_rms())
    assert [each.path for each in validate.pushed(bare, a_setting())] == ["action"]


@given(st.text(max_size=40))
def test_no_birth_date_breaks_the_check(text: str) -> None:
    found = wrong(a_draft(person=pb.Person(family_name="Sample", birth_date=text)))
    assert found.keys() <= {"person.birthDate"}


@given(st.text(max_size=30))
def test_no_quantity_passes_that_is_no_plain_number(text: str) -> None:
    found = wrong(a_draft(charges=[a_charge(quantity=text)])) if text else {}
    if not found and text:
        assert 0 < float(text) < 100_000
        assert text.isascii()


@pytest.mark.parametrize(("given_size", "size"), [(0, 50), (1, 1), (500, 500)])
def test_a_page_has_one_to_five_hundred_rows(given_size: int, size: int) -> None:
    assert validate.page_size(given_size) == size


@pytest.mark.parametrize("size", [-1, 501])
def test_a_page_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(LeadError) as refused:
        validate.page_size(size)
    assert [each.path for each in refused.value.violations] == ["pageSize"]
