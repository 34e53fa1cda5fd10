"""The programme office's questions: who sees them, what an answer does, and what is kept of it."""

from __future__ import annotations

import pytest
from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1 import casework_service_pb2 as service
from lead.options.v1 import words_pb2

from services.shared.errors import Code, LeadError
from services.shared.wire import stamp
from tests.integration.casework.linking import Linking, a_manager, a_referral, an_event, referred, reported
from tests.unit.casework.registry import FAR_OFFICE, FAR_SITE, JAIL

NUMBERED = a_referral(local_ids=[(JAIL, "J-7")])
STRANGER = a_manager(FAR_SITE, FAR_OFFICE)


def a_question(linking: Linking) -> pb.PersonMatch:
    """Return an open match of a referral and a justice event."""
    linking.tell(referred("ref_1"), reported("jev_1"))
    return linking.task("ref_1", "jev_1")


def test_only_the_own_site_is_asked(linking: Linking) -> None:
    a_question(linking)
    assert linking.tasks(STRANGER) == []
    assert linking.tasks(a_manager("")) == []


def test_another_site_cannot_tell_a_match_from_none(linking: Linking) -> None:
    match = a_question(linking)
    refused = []
    for each in (match, pb.PersonMatch(id="mat_none", etag="tag")):
        for answer in (linking.confirm, linking.reject):
            with pytest.raises(LeadError) as error:
                answer(each, STRANGER)
            refused.append(error.value.args)
    assert len(set(refused)) == 1
    assert refused[0][0] is Code.NOT_FOUND


def test_a_stale_etag_is_aborted_and_a_missing_one_refused(linking: Linking) -> None:
    match = a_question(linking)
    match.etag = "stale"
    with pytest.raises(LeadError) as refused:
        linking.confirm(match)
    assert refused.value.code is Code.ABORTED
    with pytest.raises(LeadError) as refused:
        linking.desk.call("ConfirmPersonMatch", service.ConfirmPersonMatchRequest(id=match.id), a_manager())
    assert [each.path for each in refused.value.violations] == ["etag"]


def test_an_answer_is_final(linking: Linking) -> None:
    answered = linking.confirm(a_question(linking))
    with pytest.raises(LeadError) as refused:
        linking.reject(answered)
    assert (refused.value.code, refused.value.reason) == (Code.FAILED_PRECONDITION, "ILLEGAL_MOVE")


@pytest.mark.parametrize("move", ["confirm", "reject"])
def test_names_go_with_the_answer_and_the_answer_stays(linking: Linking, move: str) -> None:
    question = a_question(linking)
    assert question.found.family_name == "Sample"
    linking.desk.clock.advance(60)
    answered = getattr(linking, move)(question)
    (stored,) = linking.tasks()
    assert stored == answered
    assert (stored.id, stored.rule, stored.score) == (question.id, question.rule, question.score)
    assert stored.state == (pb.MATCH_STATE_CONFIRMED if move == "confirm" else pb.MATCH_STATE_REJECTED)
    assert (stored.decided_by, stored.decided_time) == ("office-manager", stamp(linking.desk.clock.now()))
    for side in (stored.known, stored.found):
        assert (side.given_name, side.family_name, side.birth_date) == ("", "", "")
        assert side.agency_id
    assert [each.category for each in stored.reference.changes] == [
        words_pb2.CATEGORY_IDENTITY,
        words_pb2.CATEGORY_STAFF,
    ]
    # What comes later raises the same question no more, and brings no name back.
    linking.tell(referred("ref_1", version=2), reported("jev_1", version=2))
    assert linking.tasks() == [stored]


def test_a_question_says_when_it_changed(linking: Linking) -> None:
    question = a_question(linking)
    for reference in (question.reference, question.known.reference, question.found.reference):
        (change,) = reference.changes
        assert (change.category, change.time) == (words_pb2.CATEGORY_IDENTITY, question.create_time)


def test_open_questions_come_first_by_time_and_id(linking: Linking) -> None:
    for place in range(5):
        linking.tell(referred(f"ref_{place}", a_referral(family=f"S{place}")))
        linking.tell(reported(f"jev_{place}", an_event(family=f"S{place}", record=f"B-{place}")))
        linking.desk.clock.advance(1)
    linking.reject(linking.task("ref_0", "jev_0"))
    linking.confirm(linking.task("ref_2", "jev_2"))
    order = [each.known.reference.record_id for each in linking.tasks()]
    assert order == ["ref_1", "ref_3", "ref_4", "ref_0", "ref_2"]
    assert [each.state for each in linking.tasks(state=pb.MATCH_STATE_REJECTED)] == [pb.MATCH_STATE_REJECTED]


def test_a_state_that_is_none_is_refused(linking: Linking) -> None:
    with pytest.raises(LeadError) as refused:
        linking.tasks(state=99)
    assert [each.path for each in refused.value.violations] == ["state"]


def test_a_confirmed_event_counts_and_a_rejected_one_is_withdrawn(linking: Linking) -> None:
    linking.tell(referred("ref_1"), reported("jev_1"), reported("jev_2", an_event(record="B-2")))
    linking.confirm(linking.task("ref_1", "jev_1"))
    linking.reject(linking.task("ref_1", "jev_2"))
    assert linking.studies("jev_1") == linking.studies("ref_1")
    assert linking.studies("jev_2", 0.0) == set()
    assert linking.said()[-1].message.withdrawn
    assert linking.desk.links() == []


def test_what_an_answer_already_says_is_asked_no_more(linking: Linking) -> None:
    """One booking confirmed, the jail's own number brings the others along."""
    linking.tell(referred("ref_1"))
    for place in range(3):
        linking.tell(reported(f"jev_{place}", an_event(local_id="J-7", record=f"B-{place}")))
    assert len(linking.open()) == 3
    linking.confirm(linking.task("ref_1", "jev_1"))
    assert linking.open() == set()
    assert {each for place in range(3) for each in linking.studies(f"jev_{place}")} == linking.studies("ref_1")


def test_a_confirmation_falls_with_the_name_that_it_was_given_for(linking: Linking) -> None:
    linking.confirm(a_question(linking))
    linking.tell(reported("jev_1", an_event(given="Besta", birth_date="1971"), version=2))
    assert linking.studies("jev_1", 0.0) == set()


def test_a_no_to_a_name_is_no_answer_to_a_number(linking: Linking) -> None:
    linking.reject(a_question(linking))
    linking.tell(referred("ref_1", NUMBERED, version=2), reported("jev_1", an_event(local_id="J-7"), version=2))
    assert linking.studies("jev_1") == linking.studies("ref_1")


def test_a_number_that_turned_out_to_be_of_two_links_nobody(linking: Linking) -> None:
    linking.tell(referred("ref_1", NUMBERED), referred("ref_2", a_referral(given="Besta", local_ids=[(JAIL, "J-7")])))
    linking.tell(reported("jev_1", an_event(local_id="J-7")))
    linking.reject(linking.task("ref_1", "ref_2"))
    assert not linking.studies("ref_1") & linking.studies("ref_2")
    assert linking.studies("jev_1") == set()
    assert linking.open() == {("ref_1", "jev_1", "NAME_AND_BIRTH_DATE")}


def test_two_referrals_that_are_one_person_share_a_study_id(linking: Linking) -> None:
    linking.tell(referred("ref_1"), referred("ref_2"), reported("jev_1", an_event(birth_date="1990")))
    kept = linking.studies("ref_1")
    linking.confirm(linking.task("ref_1", "ref_2"))
    assert linking.studies("ref_1") == linking.studies("ref_2") == kept
    # A candidate of both is one of the one that is left.
    assert linking.studies("jev_1", 0.0) == kept


def test_a_case_manager_who_joins_two_referrals_joins_their_studies(linking: Linking) -> None:
    known = linking.joined(referred("ref_1"))
    linking.joined(referred("ref_2"), participant_id=known.id)
    assert linking.studies("ref_1") == linking.studies("ref_2")
    assert linking.open() == set()
