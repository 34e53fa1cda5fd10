"""Who has to do with a person: whose record it will be, and whom the feed might tell. Neither says what is seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from lead.consent.v1 import consent_internal_service_pb2 as internal

from services.consent import epochs
from tests.integration.consent.desk import (
    CASE_MANAGER,
    CONTEXT,
    Office,
    a_question,
    a_release,
    a_statement,
    serving,
)
from tests.support.clock import NOON
from tests.unit.consent.builders import OTHER_SUBJECT, PARTICIPANT, SUBJECT

OTHER_PARTICIPANT = "par_0198c1e2-0000-7000-8000-00000000000f"
SERVICE_REFERRAL = "srf_0198c1e2-0000-7000-8000-00000000000b"
NOBODY = ("", "")


def resolved(office: Office, agency: str, participant: str = PARTICIPANT) -> tuple[str, str]:
    role = {"outreach": "case_manager", "": "participant"}.get(agency, "provider_staff")
    asker = a_question(role, agency, "CAREMGT").asker
    request = internal.ResolveParticipantRequest(asker=asker, participant_id=participant)
    with serving("provider"):
        answer = office.internal.ResolveParticipant(request, CONTEXT)
    with office.desk.db.read() as connection:
        assert answer.epoch == epochs.current(connection)
    return answer.subject_id, answer.caseload_agency_id


def followers(office: Office, *subjects: str) -> list[list[str]]:
    with serving("gateway"):
        answer = office.internal.ListFollowers(internal.ListFollowersRequest(subject_ids=subjects), CONTEXT)
    assert [one.subject_id for one in answer.followers] == list(subjects)
    return [list(one.agency_ids) for one in answer.followers]


def addressed(office: Office, agency: str, **more: Any) -> None:
    office.state(a_statement("ADDRESSED", agency, record=SERVICE_REFERRAL, **more), service="provider")


def test_an_agency_finds_whom_it_has_on_its_caseload(office: Office) -> None:
    assert resolved(office, "outreach") == (SUBJECT, "outreach")


def test_a_provider_finds_whom_it_was_addressed_about(office: Office) -> None:
    assert resolved(office, "clinic") == NOBODY
    addressed(office, "clinic")
    assert resolved(office, "clinic") == (SUBJECT, "outreach")
    assert resolved(office, "housing") == NOBODY


def test_once_addressed_it_stays_so(office: Office) -> None:
    """An enrolment outlives the request that it came from."""
    addressed(office, "clinic")
    addressed(office, "clinic", closed=True, version=2)
    assert resolved(office, "clinic") == (SUBJECT, "outreach")


def test_a_subject_that_is_addressed_about_later_is_the_first_ones_person(office: Office) -> None:
    office.clock.advance(60)
    office.link(OTHER_SUBJECT)
    addressed(office, "clinic", subject_id=OTHER_SUBJECT)
    assert resolved(office, "clinic") == (SUBJECT, "outreach")


@pytest.mark.parametrize("agency", ["outreach", "clinic", "recovery", "nobody", ""])
def test_absent_and_withheld_are_the_same_answer(office: Office, agency: str) -> None:
    assert resolved(office, agency, OTHER_PARTICIPANT) == NOBODY
    assert resolved(office, agency, "par_1") == NOBODY
    if agency != "outreach":
        assert resolved(office, agency) == NOBODY


def test_a_caseload_that_ended_finds_nobody_and_answers_for_nobody(office: Office) -> None:
    addressed(office, "clinic")
    office.state(a_statement("CASELOAD", "outreach", record=PARTICIPANT, version=2, closed=True), service="casework")
    assert resolved(office, "outreach") == NOBODY
    assert resolved(office, "clinic") == (SUBJECT, "")


def test_who_answers_is_the_newest_caseload(office: Office) -> None:
    addressed(office, "clinic")
    office.state(a_statement("CASELOAD", "recovery", record=PARTICIPANT, version=7), service="casework")
    assert resolved(office, "clinic") == (SUBJECT, "recovery")
    assert resolved(office, "outreach") == (SUBJECT, "outreach")


def test_a_link_that_a_rule_found_finds_nobody(office: Office) -> None:
    office.link(OTHER_SUBJECT, participant=OTHER_PARTICIPANT, by="")
    office.state(a_statement("CASELOAD", "outreach", record=OTHER_PARTICIPANT), service="casework")
    assert resolved(office, "outreach", OTHER_PARTICIPANT) == NOBODY
    office.link(OTHER_SUBJECT, by="")
    addressed(office, "clinic", subject_id=OTHER_SUBJECT)
    assert resolved(office, "clinic") == NOBODY


def test_followers_are_those_whom_facts_and_releases_name_and_the_sites_office(office: Office) -> None:
    assert followers(office, SUBJECT) == [["outreach"]]
    office.state(
        a_statement("ROUTED", "prosecutor"),
        a_statement("INCIDENT", "police"),
        a_statement("SITE", site_id="north"),
        a_statement("DISPATCHED", "recovery", record="hof_1", until=NOON + timedelta(hours=1)),
    )
    office.create(CASE_MANAGER, a_release(recipient_agency_ids=("defender", "prosecutor")))
    expected = ["defender", "office", "outreach", "police", "prosecutor", "recovery"]
    assert followers(office, SUBJECT) == [expected]


def test_each_subject_is_answered_in_its_place_and_an_unknown_one_is_followed_by_nobody(office: Office) -> None:
    assert followers(office, OTHER_SUBJECT, SUBJECT, "", OTHER_SUBJECT) == [[], ["outreach"], [], []]


def test_followers_of_a_subject_that_a_rule_linked_are_its_own_only(office: Office) -> None:
    office.create(CASE_MANAGER, a_release())
    office.link(OTHER_SUBJECT, by="")
    assert followers(office, OTHER_SUBJECT) == [[]]
    office.link(OTHER_SUBJECT)
    assert followers(office, OTHER_SUBJECT) == [["outreach", "prosecutor"]]
