"""Enrolments one by one: whose they are, how they move, who finds them."""

from __future__ import annotations

from typing import Any

import pytest
from lead.options.v1 import words_pb2
from lead.provider.v1 import provider_pb2 as pb
from lead.provider.v1 import provider_service_pb2 as service

from services.shared.errors import Code, LeadError
from services.shared.wire import stamp
from tests.integration.provider.house import House, Person, a_case_manager, a_provider
from tests.unit.provider.builders import HOUSING, OUTREACH, SHELTER, TREATMENT, a_stamp, a_wire_draft

ACTIVE, COMPLETED = pb.ENROLLMENT_STATUS_ACTIVE, pb.ENROLLMENT_STATUS_COMPLETED


def enrolled(house: House, person: Person | None = None, **said: Any) -> tuple[pb.ServiceReferral, pb.Enrollment]:
    """Return a service referral, and what its provider made of it."""
    asked = house.asked(person)
    return asked, house.enrolled(service_id=None, service_referral_id=asked.id, **said)


def test_who_was_referred_is_enrolled_as_the_providers_own_record(house: House) -> None:
    person = house.a_person()
    asked, made = enrolled(house, person)
    reference = made.reference
    assert (reference.subject_id, reference.source_agency_id, reference.record_id) == (
        person.subject_id,
        TREATMENT,
        made.id,
    )
    assert (made.service_id, made.participant_id) == (asked.service_id, person.participant_id)
    assert (made.source.system, made.source.record_id, made.source.version) == ("ehr", "R-1", 1)
    assert [each.category for each in reference.changes] == [words_pb2.CATEGORY_SUD_TREATMENT]


@pytest.mark.parametrize(
    ("agency_id", "category"),
    [
        (TREATMENT, words_pb2.CATEGORY_SUD_TREATMENT),
        ("sample-counsel", words_pb2.CATEGORY_MENTAL_HEALTH),
        ("sample-clinic", words_pb2.CATEGORY_PHYSICAL_HEALTH),
        (HOUSING, words_pb2.CATEGORY_HOUSING),
        ("sample-works", words_pb2.CATEGORY_EMPLOYMENT),
    ],
)
def test_an_enrolments_category_follows_the_kind_of_its_provider(house: House, agency_id: str, category: int) -> None:
    offered = house.a_service(agency_id)
    asked = house.asked(house.a_person(releases_to=(agency_id,)), offered)
    made = house.enrolled(a_provider(agency_id), service_id=offered.id, service_referral_id=asked.id)
    assert [each.category for each in made.reference.changes] == [category]
    assert [each.row_category for each in house.said("EnrollmentRecorded")] == [category]


def test_the_answer_follows_the_enrolment_to_its_end(house: House) -> None:
    asked, made = enrolled(house)
    follows = house.seen(asked.id, a_case_manager()).answer
    assert (follows.state, follows.enrollment_id) == (pb.ANSWER_STATE_ENROLLED, made.id)
    made = house.update(made, status=ACTIVE)
    assert house.seen(asked.id, a_case_manager()).answer.etag == follows.etag
    house.update(made, status=COMPLETED, end_time=a_stamp(-1))
    ended = house.seen(asked.id, a_case_manager()).answer
    assert ended.state == pb.ANSWER_STATE_COMPLETED
    assert [each.state for each in ended.spells] == ["RECEIVED", "ENROLLED", "COMPLETED"]
    assert len(house.said("ServiceReferralAnswered")) == 2


def test_a_second_enrolment_takes_the_answer_over(house: House) -> None:
    asked, first = enrolled(house)
    source = pb.EnrollmentSourceDraft(system="ehr", record_id="R-2")
    second = house.enrolled(service_id=None, service_referral_id=asked.id, source=source)
    house.update(first, status=pb.ENROLLMENT_STATUS_TRANSFERRED)
    answer = house.seen(asked.id, a_case_manager()).answer
    assert (answer.state, answer.enrollment_id) == (pb.ANSWER_STATE_ENROLLED, second.id)


def test_nobody_is_enrolled_on_a_question_that_was_withdrawn(house: House) -> None:
    asked = house.asked()
    house.move("Cancel", asked, a_case_manager())
    with pytest.raises(LeadError) as refused:
        house.enrolled(service_id=None, service_referral_id=asked.id)
    assert [each.path for each in refused.value.violations] == ["serviceReferralId"]


def test_a_participant_is_enrolled_whom_a_referral_named_to_the_agency(house: House) -> None:
    person = house.a_person()
    offered = house.a_service()
    house.asked(person, offered)
    made = house.enrolled(service_id=offered.id, service_referral_id=None, participant_id=person.participant_id)
    assert made.reference.subject_id == person.subject_id


def test_a_participant_the_agency_was_never_told_of_is_like_one_there_is_not(house: House) -> None:
    offered, stranger = house.a_service(), house.a_person()
    refused = []
    for participant_id in (stranger.participant_id, house.ids.new("par"), "no id at all"):
        with pytest.raises(LeadError) as error:
            house.enrolled(service_id=offered.id, service_referral_id=None, participant_id=participant_id)
        refused.append(error.value.args)
    assert refused[0] == refused[1] == refused[2]
    assert [each.path for each in refused[0][3]] == ["participantId"]


def test_a_service_referral_to_another_provider_is_like_one_there_is_not(house: House) -> None:
    offered = house.a_service(HOUSING)
    asked = house.asked()
    refused = []
    for referral_id in (asked.id, house.ids.new("srf")):
        with pytest.raises(LeadError) as error:
            house.enrolled(a_provider(HOUSING), service_id=offered.id, service_referral_id=referral_id)
        refused.append(error.value.args)
    assert refused[0] == refused[1]


def test_everything_that_is_wrong_is_said_at_once_what_is_named_included(house: House) -> None:
    draft = pb.EnrollmentDraft(
        service_id="srv_none",
        participant_id="par_none",
        source=pb.EnrollmentSourceDraft(system="=cmd", version=0),
        start_time=a_stamp(1),
        end_time=a_stamp(2),
    )
    with pytest.raises(LeadError) as refused:
        house.call("CreateEnrollment", service.CreateEnrollmentRequest(enrollment=draft), a_provider())
    assert sorted(each.path for each in refused.value.violations) == [
        "endTime",
        "participantId",
        "serviceId",
        "source.recordId",
        "source.system",
        "source.version",
        "startTime",
        "status",
    ]


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"end_time": a_stamp(-5), "status": COMPLETED}, "endTime"),
        ({"end_time": a_stamp(-1)}, "endTime"),
        ({"start_time": None}, "startTime"),
        ({"participant_id": "par_x"}, "participantId"),
        ({"service_referral_id": None}, "serviceReferralId"),
    ],
)
def test_times_and_names_must_not_contradict_each_other(house: House, said: dict[str, Any], path: str) -> None:
    asked = house.asked()
    with pytest.raises(LeadError) as refused:
        house.enrolled(**{"service_id": asked.service_id, "service_referral_id": asked.id, **said})
    assert [each.path for each in refused.value.violations] == [f"{path}"]


def test_a_repeat_is_known_by_key_and_by_its_source(house: House) -> None:
    asked, made = enrolled(house, request_id="once")
    assert house.enrolled(service_id=None, service_referral_id=asked.id, request_id="once").id == made.id
    assert house.enrolled(service_id=None, service_referral_id=asked.id).id == made.id
    assert len(house.said("EnrollmentRecorded")) == 1


def test_a_newer_version_corrects_even_what_has_ended(house: House) -> None:
    asked, made = enrolled(house)
    house.update(made, status=COMPLETED, end_time=a_stamp(-1))
    newer = pb.EnrollmentSourceDraft(system="ehr", record_id="R-1", version=2)
    after = house.enrolled(service_id=None, service_referral_id=asked.id, source=newer, status=ACTIVE)
    assert (after.id, after.status, after.HasField("end_time")) == (made.id, ACTIVE, False)
    assert house.seen(asked.id, a_case_manager()).answer.state == pb.ANSWER_STATE_ENROLLED


def test_an_older_version_is_stale_and_the_same_one_with_another_body_reused(house: House) -> None:
    asked = house.asked()
    versions = {n: pb.EnrollmentSourceDraft(system="ehr", record_id="R-1", version=n) for n in (1, 2)}
    common: dict[str, Any] = {"service_id": None, "service_referral_id": asked.id}
    house.enrolled(source=versions[2], **common)
    with pytest.raises(LeadError) as stale:
        house.enrolled(source=versions[1], **common)
    with pytest.raises(LeadError) as reused:
        house.enrolled(source=versions[2], status=ACTIVE, **common)
    assert (stale.value.code, stale.value.reason) == (Code.ABORTED, "STALE_VERSION")
    assert (reused.value.code, reused.value.reason) == (Code.ALREADY_EXISTS, "VERSION_REUSED")


def test_a_correction_keeps_its_person(house: House) -> None:
    one, other = house.a_person(), house.a_person()
    offered = house.a_service()
    house.asked(one, offered)
    house.asked(other, offered)
    common: dict[str, Any] = {"service_id": offered.id, "service_referral_id": None}
    house.enrolled(participant_id=one.participant_id, **common)
    newer = pb.EnrollmentSourceDraft(system="ehr", record_id="R-1", version=2)
    with pytest.raises(LeadError) as refused:
        house.enrolled(participant_id=other.participant_id, source=newer, **common)
    assert [each.path for each in refused.value.violations] == ["participantId"]


def test_an_enrolment_without_a_record_of_the_providers_own_is_kept_here(house: House) -> None:
    _, made = enrolled(house, source=None)
    assert (made.source.system, made.source.record_id) == ("exchange", made.id)


def test_moves_follow_the_state_table_and_an_illegal_one_names_the_legal_ones(house: House) -> None:
    _, made = enrolled(house)
    ended = house.update(house.update(made, status=ACTIVE), status=pb.ENROLLMENT_STATUS_DISCONTINUED)
    with pytest.raises(LeadError) as refused:
        house.update(ended, status=ACTIVE)
    assert refused.value.reason == "ILLEGAL_MOVE"
    assert refused.value.text.endswith("nothing.")


def test_a_change_needs_its_etag_and_a_stale_one_is_aborted(house: House) -> None:
    _, made = enrolled(house)
    house.update(made, status=ACTIVE)
    with pytest.raises(LeadError) as stale:
        house.update(made, status=COMPLETED)
    with pytest.raises(LeadError) as missing:
        house.update(made, etag="", start_time=a_stamp(2))
    assert stale.value.code is Code.ABORTED
    assert [each.path for each in missing.value.violations] == ["startTime", "etag"]


def test_a_change_that_loses_a_race_is_aborted(house: House) -> None:
    _, made = enrolled(house)
    house.recorder.meanwhile = lambda: house.update(made, status=COMPLETED)
    with pytest.raises(LeadError) as refused:
        house.update(made, status=ACTIVE)
    assert refused.value.code is Code.ABORTED


def test_two_calls_with_one_record_make_one_enrolment(house: House) -> None:
    asked = house.asked()
    common: dict[str, Any] = {"service_id": None, "service_referral_id": asked.id}
    house.recorder.meanwhile = lambda: house.enrolled(**common)
    made = house.enrolled(**common)
    assert [each.id for each in house.enrolments(a_provider())] == [made.id]
    assert len(house.said("EnrollmentRecorded")) == 2


def test_times_of_an_ended_enrolment_may_be_put_right(house: House) -> None:
    _, made = enrolled(house)
    ended = house.update(made, status=COMPLETED, end_time=a_stamp(-1))
    after = house.update(ended, end_time=a_stamp(-2))
    assert after.end_time == a_stamp(-2)
    with pytest.raises(LeadError) as refused:
        house.update(after, end_time=a_stamp(-9))
    assert [each.path for each in refused.value.violations] == ["endTime"]


def test_a_change_that_changes_nothing_is_no_event(house: House) -> None:
    _, made = enrolled(house)
    assert house.update(made, status=pb.ENROLLMENT_STATUS_ENROLLED).etag == made.etag
    assert len(house.said("EnrollmentRecorded")) == 1


def test_who_may_find_an_enrolment_is_its_provider_and_whom_a_release_named(house: House) -> None:
    person = house.a_person(releases_to=(TREATMENT, OUTREACH, HOUSING))
    _, made = enrolled(house, person)
    for caller in (a_provider(), a_provider(HOUSING), a_case_manager()):
        assert [each.id for each in house.enrolments(caller)] == [made.id]
        assert house.get(made.id, caller).id == made.id
    for caller in (a_provider("sample-clinic"), a_case_manager("sample-second-outreach")):
        assert house.enrolments(caller) == []
        refused = []
        for each in (made.id, "enr_none"):
            with pytest.raises(LeadError) as error:
                house.get(each, caller)
            refused.append(error.value.args)
        assert refused[0] == refused[1]


def test_the_asking_agency_finds_nothing_before_a_release_names_it(house: House) -> None:
    person = house.a_person(releases_to=(TREATMENT,))
    _, made = enrolled(house, person)
    assert house.enrolments(a_case_manager()) == []
    assert [each.id for each in house.enrolments(a_provider())] == [made.id]


def test_only_its_provider_changes_it(house: House) -> None:
    _, made = enrolled(house, house.a_person(releases_to=(TREATMENT, HOUSING)))
    with pytest.raises(LeadError) as refused:
        house.update(made, a_provider(HOUSING), status=ACTIVE)
    assert refused.value.code is Code.NOT_FOUND


def test_a_list_by_time_of_change_and_participant_only_narrows(house: House) -> None:
    one, other = house.a_person(), house.a_person()
    _, first = enrolled(house, one)
    source = pb.EnrollmentSourceDraft(system="ehr", record_id="R-2")
    _, second = enrolled(house, other, source=source)
    since = stamp(house.clock.now())
    assert house.enrolments(a_case_manager(), updated_after=since) == []
    house.clock.advance(1)
    house.update(second, status=ACTIVE)
    assert [each.id for each in house.enrolments(a_case_manager(), updated_after=since)] == [second.id]
    found = house.enrolments(a_case_manager(), participant_id=one.participant_id)
    assert [each.id for each in found] == [first.id]
    assert house.enrolments(a_case_manager("sample-second-outreach"), participant_id=one.participant_id) == []


def test_a_victim_service_provider_says_nothing_about_anybody(house: House) -> None:
    caller, asked = a_provider(SHELTER), house.asked()
    draft = a_wire_draft(service_referral_id=asked.id, participant_id="par_x")
    with pytest.raises(LeadError) as refused:
        house.call("CreateEnrollment", service.CreateEnrollmentRequest(enrollment=draft), caller)
    assert (refused.value.code, refused.value.reason) == (Code.INVALID_ARGUMENT, "VSP_NO_PERSON_DATA")
    assert {"participantId", "serviceReferralId", "source.recordId"} <= {each.path for each in refused.value.violations}
    for call in (
        lambda: house.update(pb.Enrollment(id="enr_x", etag="t"), caller, status=ACTIVE),
        lambda: house.attended("enr_x", caller),
        lambda: house.sent("recordId\n", caller=caller),
    ):
        with pytest.raises(LeadError) as other:
            call()
        assert other.value.reason == "VSP_NO_PERSON_DATA"
        assert other.value.violations


def test_days_come_back_in_order_and_the_same_day_takes_its_place(house: House) -> None:
    _, made = enrolled(house)
    house.attended(made.id, date="2026-03-01", minutes=90)
    house.attended(made.id, date="2026-02-28", status=pb.ATTENDANCE_STATUS_EXCUSED)
    after = house.attended(made.id, date="2026-03-01", status=pb.ATTENDANCE_STATUS_MISSED)
    assert [(each.date, each.status) for each in after.attendance] == [
        ("2026-02-28", pb.ATTENDANCE_STATUS_EXCUSED),
        ("2026-03-01", pb.ATTENDANCE_STATUS_MISSED),
    ]
    assert not after.attendance[1].HasField("minutes")
    assert house.get(made.id, a_provider()).attendance == after.attendance


def test_a_day_that_is_recorded_already_changes_nothing(house: House) -> None:
    _, made = enrolled(house)
    first = house.attended(made.id, minutes=60)
    again = house.attended(made.id, minutes=60)
    assert first.etag == again.etag
    assert len(house.said("EnrollmentRecorded")) == 2


def test_a_repeated_day_by_key_is_recorded_once(house: House) -> None:
    _, made = enrolled(house)
    house.attended(made.id, request_id="once", minutes=60)
    house.attended(made.id, minutes=30)
    again = house.attended(made.id, request_id="once", minutes=60)
    assert [each.minutes for each in again.attendance] == [30]


def test_two_days_told_at_once_are_both_kept(house: House) -> None:
    _, made = enrolled(house)
    house.recorder.meanwhile = lambda: house.attended(made.id, date="2026-03-01")
    after = house.attended(made.id, date="2026-02-28")
    assert [each.date for each in after.attendance] == ["2026-02-28", "2026-03-01"]


@pytest.mark.parametrize(
    ("said", "paths"),
    [
        ({"date": "2026-03-09"}, ["date"]),
        ({"date": "2026-02-30", "status": 0, "minutes": 1441}, ["date", "status", "minutes"]),
        ({"date": "2026-02-20"}, ["date"]),
        ({"status": pb.ATTENDANCE_STATUS_MISSED, "minutes": 5}, ["minutes"]),
    ],
)
def test_a_day_lies_within_the_enrolment_and_behind_us(house: House, said: dict[str, Any], paths: list[str]) -> None:
    _, made = enrolled(house)
    with pytest.raises(LeadError) as refused:
        house.attended(made.id, **said)
    assert [each.path for each in refused.value.violations] == paths
