"""`updatedAfter` and `updateTime` go by what the caller sees: a change in a hidden category never shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from services.command.demo import drafts, journey, services
from services.command.demo.chapters.providers import providers_release
from services.command.demo.client import Client
from services.command.demo.story import Person, Story
from tests.scenario.attempts import Tried, ids
from tests.scenario.conftest import on_the_way

pytestmark = pytest.mark.timeout(180)
CLINIC = "sample-clinic"
Row = Mapping[str, Any]
REFERRALS, ASKED, ENROLLED = "referrals", "serviceReferrals", "enrollments"


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried) -> Iterator[None]:
    yield
    tried.logs_are_clean()


def now() -> str:
    """Return a moment that lies behind all that was done and before all that will be."""
    time.sleep(0.002)
    moment = drafts.ago()
    time.sleep(0.002)
    return moment


def listed(client: Client, collection: str, since: str, record_id: str) -> Row | None:
    """Return a row of what was changed since, if it is there; no more than one page at a time."""
    rows = client.pages(f"/v1/{collection}", collection, updatedAfter=since, pageSize="3")
    return next((row for row in rows if row["id"] == record_id), None)


def of(client: Client, person: Person) -> Row:
    found: Row = journey.done("read a referral", client.get(f"/v1/referrals/{person.referral_id}"))["referral"]
    return found


@pytest.fixture
def confirmed(story: Story) -> tuple[Person, Row, str]:
    """Somebody whose intake was confirmed, the referral as police saw it before, and a moment between the two."""
    person = Person("Epsilon", "Sample-Epsilon", "1984-08-08", "sample-outreach")
    journey.refer(story, person)
    journey.offer(story, person)
    journey.hand_over(story, person)
    before, since = of(journey.officer(story), person), now()
    journey.complete_intake(story, person)
    return person, before, since


def test_police_see_no_change_in_a_confirmation_that_is_not_theirs(
    confirmed: tuple[Person, Row, str], story: Story, client: Callable[..., Client]
) -> None:
    (person, before, since), officer = confirmed, journey.officer(story)
    office = client("program_manager", "sample-office")
    journey.release(story, person, "office", recipientAgencyIds=["sample-office"])
    # The programme office is named: to it the confirmation is there, and is a change of the referral.
    told = story.eventually(lambda: listed(office, REFERRALS, since, person.referral_id))
    assert told is not None
    assert "intakeConfirmedTime" in told["confirmation"]
    assert told["updateTime"] > since
    assert of(officer, person) == before
    assert listed(officer, REFERRALS, since, person.referral_id) is None
    # What the office decides is theirs to see (row 5).
    decided = now()
    journey.decide(story, person)
    changed = story.eventually(lambda: listed(officer, REFERRALS, decided, person.referral_id))
    assert changed is not None
    assert changed["updateTime"] > decided
    assert "confirmation" not in changed
    again = now()
    assert listed(officer, REFERRALS, again, person.referral_id) is None
    # And a release that names them shows what came in before it, by when it came.
    journey.release(story, person, "police", recipientAgencyIds=[drafts.POLICE])
    opened = story.eventually(lambda: (of(officer, person).get("confirmation") and of(officer, person)) or None)
    assert opened is not None
    assert opened["confirmation"].keys() == {"intakeConfirmedTime", "workingAsOfTime"}
    assert listed(officer, REFERRALS, since, person.referral_id) == opened


@pytest.fixture
def asked(story: Story) -> tuple[Person, Row]:
    """Somebody whom the clinic may know, while the case agency may not know what the clinic says."""
    person = on_the_way(story, "Zeta", "1985-09-09")
    to_the_clinic = {"recipientAgencyIds": [CLINIC], "purposes": ["PURPOSE_CAREMGT"]}
    words = [f"CATEGORY_{word}" for word in ("IDENTITY", "NEEDS", "PROGRAM_STATUS")]
    journey.release(story, person, "clinic", **to_the_clinic, categories=words)
    return person, services.ask(story, person, CLINIC)


def test_a_case_agency_sees_no_change_in_an_answer_that_is_not_released(
    asked: tuple[Person, Row], story: Story
) -> None:
    (person, row), case_manager, clinic = asked, journey.case_manager(story, asked[0]), services.staff(story, CLINIC)
    before = services.asked(person, CLINIC, case_manager)
    shown = story.eventually(lambda: services.asked(person, CLINIC, clinic))
    assert shown is not None
    since = now()
    journey.done("waitlist", services.move(clinic, dict(row), "waitlist", shown["answer"]["etag"]))
    answered = listed(clinic, ASKED, since, row["id"])
    assert answered is not None
    assert answered["updateTime"] > since
    assert services.asked(person, CLINIC, case_manager) == before
    assert listed(case_manager, ASKED, since, row["id"]) is None
    # What the case agency does itself, both sides see.
    later = now()
    journey.done("accept", services.move(case_manager, dict(row), "accept", row["etag"]))
    own, theirs = (listed(each, ASKED, later, row["id"]) for each in (case_manager, clinic))
    assert own is not None
    assert theirs is not None
    assert own["updateTime"] == theirs["updateTime"] > later
    assert "answer" not in own
    # With a release the answer is there, and is a change of when it was given.
    journey.release(story, person, "all", **providers_release(person))
    offered = now()
    services.move(clinic, dict(row), "offer", theirs["answer"]["etag"])
    told = listed(case_manager, ASKED, offered, row["id"])
    assert told is not None
    assert [one["state"] for one in told["answer"]["spells"]] == ["RECEIVED", "WAITLISTED", "OFFERED"]
    assert told["updateTime"] > offered


def test_an_enrolment_is_listed_by_its_changes_only_while_it_may_be_seen(story: Story) -> None:
    person = on_the_way(story, "Eta", "1986-10-10")
    case_manager, clinic = journey.case_manager(story, person), services.staff(story, CLINIC)
    services.ask(story, person, CLINIC)
    since = now()
    enrolment = services.enrol(story, person, CLINIC, is_released=False)
    path = f"/v1/enrollments/{enrolment['id']}"
    assert listed(clinic, ENROLLED, since, enrolment["id"]) == enrolment
    assert listed(case_manager, ENROLLED, since, enrolment["id"]) is None
    journey.release(story, person, "all", **providers_release(person))
    assert listed(case_manager, ENROLLED, since, enrolment["id"]) == enrolment
    again = now()
    assert listed(case_manager, ENROLLED, again, enrolment["id"]) is None
    came = {"date": drafts.ago()[:10], "status": "ATTENDANCE_STATUS_ATTENDED", "minutes": 30}
    noted = journey.done("note", clinic.post(f"{path}/attendance", came))["enrollment"]
    # The same day once more is no news.
    assert journey.done("note", clinic.post(f"{path}/attendance", came))["enrollment"] == noted
    assert listed(case_manager, ENROLLED, again, enrolment["id"]) == noted
    journey.done("revoke", case_manager.post(f"/v1/consents/{person.consents['all']}:revoke", {}))
    clinic.post(f"{path}/attendance", {**came, "status": "ATTENDANCE_STATUS_MISSED", "minutes": 0})
    assert listed(case_manager, ENROLLED, again, enrolment["id"]) is None
    assert case_manager.get(path).status == 404
    assert listed(clinic, ENROLLED, again, enrolment["id"]) is not None


def test_pages_of_changes_hold_each_visible_one_once_and_no_place_for_the_others(
    asked: tuple[Person, Row], story: Story, tried: Tried
) -> None:
    (person, hidden), case_manager, clinic = asked, journey.case_manager(story, asked[0]), services.staff(story, CLINIC)
    others = [services.ask(story, person, CLINIC) for _ in range(3)]
    since = now()
    shown = story.eventually(lambda: services.asked(person, CLINIC, clinic))
    assert shown is not None
    for row in (hidden, others[1]):
        answer = next(each for each in clinic.pages(f"/v1/{ASKED}", ASKED) if each["id"] == row["id"])["answer"]
        journey.done("waitlist", services.move(clinic, dict(row), "waitlist", answer["etag"]))
    for row in (others[0], others[2]):
        journey.done("cancel", services.move(case_manager, row, "cancel", row["etag"]))
    pages, token = list[set[str]](), ""
    while token or not pages:
        query = {"updatedAfter": since, "pageSize": "1", **({"pageToken": token} if token else {})}
        answer = case_manager.get(f"/v1/{ASKED}", **query)
        pages.append(ids(answer.body.get(ASKED, [])))
        token = answer.body.get("nextPageToken", "")
        if token:
            # It is good for this filter alone.
            other = {**query, "updatedAfter": now(), "pageToken": token}
            tried.refused(case_manager.get(f"/v1/{ASKED}", **other), 400, "pageToken")
    mine = [page & ids([hidden, *others]) for page in pages]
    assert [page for page in mine if page] == [{others[0]["id"]}, {others[2]["id"]}]
    assert all(len(page) == 1 for page in pages)
    # The clinic sees all four of them change: two by its own hand.
    changed = ids(clinic.pages(f"/v1/{ASKED}", ASKED, updatedAfter=since, pageSize="1"))
    assert changed >= ids([hidden, *others])
