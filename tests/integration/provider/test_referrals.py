"""A service referral from the question to the end, each side on its own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from lead.options.v1 import words_pb2
from lead.provider.v1 import provider_pb2 as pb
from lead.provider.v1 import provider_service_pb2 as service

from services.shared.errors import Code, LeadError
from services.shared.wire import stamp
from tests.integration.provider.house import House, a_case_manager, a_provider
from tests.unit.provider.builders import HOUSING, OUTREACH, SHELTER, SITE, TREATMENT

OTHER = "sample-second-outreach"


def test_asking_states_whom_it_is_addressed_to_and_where_it_belongs(house: House) -> None:
    person = house.a_person()
    asked = house.asked(person)
    (addressed,), (site,) = house.stated("ADDRESSED"), house.stated("SITE")
    assert (addressed.subject_id, addressed.record_id, addressed.agency_id) == (person.subject_id, asked.id, TREATMENT)
    assert (site.record_id, site.site_id) == (asked.id, SITE)


def test_the_question_is_the_asking_agencys_record_and_the_answer_the_providers(house: House) -> None:
    person = house.a_person()
    asked = house.asked(person)
    assert (asked.state, asked.answer.state) == (pb.REQUEST_STATE_REQUESTED, pb.ANSWER_STATE_RECEIVED)
    own, other = asked.reference, asked.answer.reference
    assert (own.subject_id, own.source_agency_id, own.record_id) == (person.subject_id, OUTREACH, asked.id)
    assert (other.subject_id, other.source_agency_id, other.record_id) == (person.subject_id, TREATMENT, asked.id)
    assert asked.etag != asked.answer.etag


def test_each_record_says_when_each_of_its_categories_changed(house: House) -> None:
    asked = house.asked()
    house.clock.advance(60)
    after = house.move("Offer", asked, a_provider())
    assert [each.category for each in after.reference.changes] == [
        words_pb2.CATEGORY_IDENTITY,
        words_pb2.CATEGORY_NEEDS,
    ]
    assert [each.time for each in after.reference.changes] == 2 * [asked.request_time]
    (answered,) = after.answer.reference.changes
    assert (answered.category, answered.time) == (words_pb2.CATEGORY_SUD_TREATMENT, stamp(house.clock.now()))


def test_what_is_asked_and_what_is_answered_are_events_of_their_own_sources(house: House) -> None:
    asked = house.asked()
    house.move("Waitlist", asked, a_provider())
    (recorded,), (answered,) = house.said("ServiceReferralRecorded"), house.said("ServiceReferralAnswered")
    assert (recorded.source_agency_id, recorded.record_id, recorded.version) == (OUTREACH, asked.id, 1)
    assert (answered.source_agency_id, answered.record_id, answered.version) == (TREATMENT, asked.id, 2)
    assert answered.row_category == words_pb2.CATEGORY_SUD_TREATMENT


def test_nobody_is_asked_for_who_is_not_on_the_own_caseload_and_nobody_can_tell_why(house: House) -> None:
    offered, stranger = house.a_service(), house.a_person(OTHER)
    refused = []
    for participant_id in (stranger.participant_id, house.ids.new("par")):
        request = service.CreateServiceReferralRequest(service_id=offered.id, participant_id=participant_id)
        with pytest.raises(LeadError) as error:
            house.call("CreateServiceReferral", request, a_case_manager())
        refused.append(error.value.args)
    assert refused[0] == refused[1]
    assert [each.path for each in refused[0][3]] == ["participantId"]


def test_a_service_of_another_site_and_a_strange_person_are_named_together(house: House) -> None:
    offered = house.a_service()
    request = service.CreateServiceReferralRequest(service_id=offered.id, participant_id="par_none")
    with pytest.raises(LeadError) as refused:
        house.call("CreateServiceReferral", request, a_case_manager(sites=("santa-fe",)))
    assert [each.path for each in refused.value.violations] == ["serviceId", "participantId"]


def test_a_closed_service_takes_no_question(house: House) -> None:
    with pytest.raises(LeadError) as refused:
        house.asked(offered=house.a_service(state=pb.SERVICE_STATE_CLOSED))
    assert refused.value.reason == "SERVICE_CLOSED"


def test_nobody_is_referred_to_a_victim_service_provider(house: House) -> None:
    with pytest.raises(LeadError) as refused:
        house.asked(offered=house.a_service(SHELTER))
    assert (refused.value.code, refused.value.reason) == (Code.INVALID_ARGUMENT, "VSP_NO_PERSON_DATA")
    assert [each.path for each in refused.value.violations] == ["serviceId", "participantId"]
    assert house.stated("ADDRESSED") == []


def test_a_repeat_by_key_asks_once(house: House) -> None:
    person, offered = house.a_person(), house.a_service()
    first = house.asked(person, offered, request_id="once")
    assert house.asked(person, offered, request_id="once").id == first.id
    assert len(house.said("ServiceReferralRecorded")) == 1


def test_the_addressed_provider_sees_nothing_before_a_release_names_it(house: House) -> None:
    person = house.a_person(releases_to=())
    asked = house.asked(person)
    assert house.referrals(a_provider()) == []
    with pytest.raises(LeadError) as refused:
        house.move("Offer", asked, a_provider())
    assert refused.value.code is Code.NOT_FOUND
    house.consent.granted[TREATMENT] = {person.subject_id}
    assert [each.id for each in house.referrals(a_provider())] == [asked.id]


def test_another_provider_and_another_case_management_agency_see_nothing(house: House) -> None:
    person = house.a_person(releases_to=(TREATMENT, HOUSING, OTHER))
    asked = house.asked(person)
    assert house.referrals(a_provider(HOUSING)) == []
    assert house.referrals(a_case_manager(OTHER)) == []
    refused = []
    for each in (asked, pb.ServiceReferral(id="srf_none", etag="tag")):
        with pytest.raises(LeadError) as error:
            house.move("Cancel", each, a_case_manager(OTHER))
        refused.append(error.value.args)
    assert refused[0] == refused[1]


def test_a_filter_by_participant_only_narrows(house: House) -> None:
    one, two = house.a_person(), house.a_person()
    asked = house.asked(one)
    house.asked(two)
    found = house.referrals(a_case_manager(), participant_id=one.participant_id)
    assert [each.id for each in found] == [asked.id]
    assert house.referrals(a_case_manager(OTHER), participant_id=one.participant_id) == []


def test_a_provider_says_no_with_its_reason(house: House) -> None:
    asked = house.asked()
    after = house.move("Decline", asked, a_provider(), reason=pb.ANSWER_DECLINE_REASON_NO_CAPACITY)
    assert after.answer.state == pb.ANSWER_STATE_DECLINED
    assert after.answer.decline_reason == pb.ANSWER_DECLINE_REASON_NO_CAPACITY
    assert after.state == pb.REQUEST_STATE_REQUESTED


def test_each_side_gives_its_own_reason_and_not_the_others(house: House) -> None:
    asked = house.asked()
    wrong = {"reason": pb.ANSWER_DECLINE_REASON_OTHER}
    with pytest.raises(LeadError) as refused:
        house.move("Decline", asked, a_case_manager(), **wrong)
    assert [each.path for each in refused.value.violations] == ["requestReason", "reason"]
    with pytest.raises(LeadError) as bare:
        house.move("Decline", asked, a_provider())
    assert [each.path for each in bare.value.violations] == ["reason"]
    after = house.move("Decline", asked, a_case_manager(), request_reason=pb.REQUEST_DECLINE_REASON_FOUND_ELSEWHERE)
    assert after.decline_reason == pb.REQUEST_DECLINE_REASON_FOUND_ELSEWHERE


def test_who_asked_may_do_the_same_whatever_the_provider_said(house: House) -> None:
    for name in ("Offer", "Waitlist", "Accept"):
        asked = house.asked()
        house.move(name, asked, a_provider())
        accepted = house.move("Accept", asked, a_case_manager())
        assert accepted.state == pb.REQUEST_STATE_ACCEPTED
        assert house.move("Cancel", accepted, a_case_manager()).state == pb.REQUEST_STATE_CANCELLED


def test_a_move_of_one_side_leaves_the_others_etag(house: House) -> None:
    asked = house.asked()
    offered = house.move("Offer", asked, a_provider())
    assert offered.etag == asked.etag
    accepted = house.move("Accept", asked, a_case_manager())
    assert accepted.answer.etag == offered.answer.etag


def test_the_others_etag_opens_nothing(house: House) -> None:
    asked = house.asked()
    with pytest.raises(LeadError) as refused:
        house.move("Cancel", asked, a_case_manager(), etag=asked.answer.etag)
    assert refused.value.code is Code.ABORTED


def test_a_withdrawn_question_takes_no_answer_but_no(house: House) -> None:
    asked = house.asked()
    house.move("Cancel", asked, a_case_manager())
    for name in ("Offer", "Accept", "Waitlist"):
        with pytest.raises(LeadError) as refused:
            house.move(name, asked, a_provider())
        assert refused.value.text.endswith("what may follow is: decline.")
    declined = house.move("Decline", asked, a_provider(), reason=pb.ANSWER_DECLINE_REASON_OTHER)
    assert declined.answer.state == pb.ANSWER_STATE_DECLINED


def test_a_question_that_is_withdrawn_while_it_is_answered_takes_no_answer(house: House) -> None:
    asked = house.asked()
    house.recorder.meanwhile = lambda: house.move("Cancel", asked, a_case_manager())
    with pytest.raises(LeadError) as refused:
        house.move("Offer", asked, a_provider())
    assert refused.value.reason == "ILLEGAL_MOVE"
    assert house.seen(asked.id, a_case_manager()).answer.state == pb.ANSWER_STATE_RECEIVED


def test_two_answers_at_once_leave_the_quicker_one(house: House) -> None:
    asked = house.asked()
    house.recorder.meanwhile = lambda: house.move("Waitlist", asked, a_provider())
    with pytest.raises(LeadError) as refused:
        house.move("Offer", asked, a_provider())
    assert refused.value.code is Code.ABORTED
    assert house.seen(asked.id, a_provider()).answer.state == pb.ANSWER_STATE_WAITLISTED


def test_an_offered_place_is_kept_until_a_time_ahead(house: House) -> None:
    asked, now = house.asked(), house.clock.now()
    with pytest.raises(LeadError) as refused:
        house.move("Offer", asked, a_provider(), hold_until_time=stamp(now - timedelta(days=1)))
    assert [each.path for each in refused.value.violations] == ["holdUntilTime"]
    until = stamp(now + timedelta(days=7))
    assert house.move("Offer", asked, a_provider(), hold_until_time=until).answer.hold_until_time == until


def test_time_in_each_state_is_told_for_each_side(house: House) -> None:
    asked = house.asked()
    house.clock.advance(90)
    waiting = house.move("Waitlist", asked, a_provider())
    house.clock.advance(30)
    house.move("Offer", waiting, a_provider())
    cancelled = house.move("Cancel", asked, a_case_manager())
    told = [(each.state, each.seconds) for each in cancelled.answer.spells]
    assert told == [("RECEIVED", 90), ("WAITLISTED", 30), ("OFFERED", 0)]
    assert [(each.state, each.seconds) for each in cancelled.spells] == [("REQUESTED", 120), ("CANCELLED", 0)]
    assert not cancelled.spells[-1].HasField("until_time")


def test_a_list_by_time_of_change_holds_what_either_side_changed_after_it(house: House) -> None:
    first, second = house.asked(), house.asked()
    house.clock.advance(60)
    since = stamp(house.clock.now())
    assert house.referrals(a_case_manager(), updated_after=since) == []
    house.clock.advance(60)
    house.move("Offer", first, a_provider())
    assert [each.id for each in house.referrals(a_case_manager(), updated_after=since)] == [first.id]
    house.move("Cancel", second, a_case_manager())
    assert {each.id for each in house.referrals(a_provider(), updated_after=since)} == {first.id, second.id}


def test_a_victim_service_provider_moves_nothing(house: House) -> None:
    asked = house.asked()
    for name in ("Offer", "Accept", "Decline", "Waitlist"):
        with pytest.raises(LeadError) as refused:
            house.move(name, asked, a_provider(SHELTER))
        assert refused.value.reason == "VSP_NO_PERSON_DATA"


def test_lists_refuse_what_is_no_time_no_size_and_no_token(house: House) -> None:
    for said, path in (
        ({"page_size": 501}, "pageSize"),
        ({"page_token": "no"}, "pageToken"),
        ({"updated_after": {"seconds": 10**13}}, "updatedAfter"),
    ):
        request = service.ListServiceReferralsRequest(**said)
        with pytest.raises(LeadError) as refused:
            house.call("ListServiceReferrals", request, a_case_manager())
        assert [each.path for each in refused.value.violations] == [path]
