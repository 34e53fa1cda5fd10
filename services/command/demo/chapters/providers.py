"""13: the loop of each kind of provider, from the case manager's request to the end of the enrolment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from services.command.demo import drafts, journey, services
from services.command.demo.agencies import kind_of
from services.command.demo.claim import Claim
from services.command.demo.drafts import PROVIDERS
from services.command.demo.story import Person, Story

_TREATMENT, _JOBS, _HOUSING, _VICTIM_SERVICES = (
    "sample-treatment",
    "sample-job-training",
    "sample-housing",
    "sample-victim-services",
)
# What each provider does with the request, in order; the case manager's moves are in capitals.
_MOVES: Mapping[str, tuple[str, ...]] = {
    _TREATMENT: ("waitlist", "offer", "ACCEPT"),
    "sample-counselling": ("offer", "ACCEPT"),
    "sample-clinic": ("accept",),
    _HOUSING: ("offer", "ACCEPT"),
    _JOBS: ("decline",),
}
_SHOWN_TO_A_PROVIDER = {"person", "told", "status", "answer"}
_NO_PLACE = {"reason": "ANSWER_DECLINE_REASON_NO_CAPACITY"}


def play(story: Story) -> Iterator[Claim]:
    """Ask every kind of provider, close every loop, and look at it from all sides."""
    person = story.people["loop"] = Person("Loopa", "Providertest", "1990-02-14", "sample-outreach")
    journey.refer(story, person)
    journey.offer(story, person)
    journey.hand_over(story, person)
    journey.complete_intake(story, person, needs=("HOUSING", "TREATMENT", "EMPLOYMENT"))
    for agency in PROVIDERS:
        services.ask(story, person, agency)
    yield _nothing_without_a_release(story, person)
    journey.release(story, person, "providers", **providers_release(person))
    yield _as_row_11_says(story, person)
    for agency, moves in _MOVES.items():
        _work(story, person, agency, moves)
    yield _closed(story, person)
    yield _nobody_else(story, person)
    yield _victim_services(story, person)


def _nothing_without_a_release(story: Story, person: Person) -> Claim:
    seen = [services.asked(person, agency, services.staff(story, agency)) for agency in PROVIDERS]
    own = [services.asked(person, agency, journey.case_manager(story, person)) for agency in PROVIDERS]
    text = "Five kinds of provider are asked; without a release none of them sees anything of the request"
    return Claim("13a", text, not any(seen) and all(own))


def _as_row_11_says(story: Story, person: Person) -> Claim:
    found = {agency: _told(story, person, agency) for agency in PROVIDERS}
    holds = all(
        row.get("person", {}).get("givenName") == person.given_name
        and "NEED_HOUSING" in row.get("told", {}).get("needs", [])
        and "intakeConfirmedTime" in row.get("status", {})
        and {name for name, value in row.items() if isinstance(value, dict)} <= _SHOWN_TO_A_PROVIDER
        for row in found.values()
    )
    text = "With it each one sees who is meant, what the person needs, that the intake is confirmed, and nothing else"
    return Claim("13b", text, holds)


def _told(story: Story, person: Person, agency: str) -> dict[str, Any]:
    """Return the request as its provider sees it, as soon as casework's sealed facts were opened for it."""
    client = services.staff(story, agency)

    def look() -> dict[str, Any] | None:
        row = services.asked(person, agency, client)
        return row if row and set(row) >= _SHOWN_TO_A_PROVIDER else None

    return story.eventually(look) or {}


def _work(story: Story, person: Person, agency: str, moves: tuple[str, ...]) -> None:
    for verb in moves:
        is_own = verb.isupper()
        client = journey.case_manager(story, person) if is_own else services.staff(story, agency)
        row = services.asked(person, agency, client) or {}
        etag = row["etag"] if is_own else row["answer"]["etag"]
        more = _NO_PLACE if verb == "decline" else {}
        journey.done(f"{verb} at {agency}", services.move(client, row, verb.lower(), etag, **more))
    if agency == _JOBS:
        return
    enrolment = services.enrol(story, person, agency)
    client, path = services.staff(story, agency), f"/v1/enrollments/{enrolment['id']}"
    came = {"date": drafts.ago()[:10], "status": "ATTENDANCE_STATUS_ATTENDED", "minutes": 50}
    enrolment = journey.done("note attendance", client.post(f"{path}/attendance", came))["enrollment"]
    status = "DISCONTINUED" if agency == _HOUSING else "COMPLETED"
    sent = {"status": f"ENROLLMENT_STATUS_{status}", "endTime": drafts.ago(), "etag": enrolment["etag"]}
    journey.done("end the enrolment", client.patch(path, sent))


def _closed(story: Story, person: Person) -> Claim:
    table, holds = Table("provider", "way", "ended"), True
    ends = {_JOBS: "DECLINED", _HOUSING: "DISCONTINUED"}
    client = journey.case_manager(story, person)
    for agency in PROVIDERS:
        row = services.asked(person, agency, client) or {}
        answer = row.get("answer", {})
        way = [f"{one['state']} {int(one.get('seconds', 0))} s" for one in answer.get("spells", [])]
        ended = str(answer.get("state", "")).removeprefix("ANSWER_STATE_")
        holds &= ended == ends.get(agency, "COMPLETED") and len(way) >= 2
        table.add_row(kind_of(agency), " → ".join(way), ended)
    reason = (services.asked(person, _JOBS, client) or {}).get("answer", {}).get("declineReason")
    holds &= reason == "ANSWER_DECLINE_REASON_NO_CAPACITY"
    text = "The case manager sees every loop closed, with the time in each state; one declined for want of a place"
    return Claim("13c", text, holds, table)


def _nobody_else(story: Story, person: Person) -> Claim:
    refused = [
        story.caller(role, agency).get(path).status
        for role, agency in (("police_officer", drafts.POLICE), ("prosecutor", drafts.OFFICE))
        for path in ("/v1/enrollments", "/v1/serviceReferrals")
    ]
    treated, housing = person.services[f"enrolled {_TREATMENT}"], services.staff(story, _HOUSING)
    withheld, absent = (
        housing.get(f"/v1/enrollments/{each}") for each in (treated, "enr_01940000-0000-7000-8000-00000000abcd")
    )
    alike = withheld.status == absent.status == 404 and _told_apart(withheld.body) == _told_apart(absent.body)
    listed = [row["id"] for row in housing.pages("/v1/enrollments", "enrollments")]
    text = "Police and prosecutor may not even ask; to the housing provider the treatment is absent, listed or by id"
    return Claim("13d", text, set(refused) == {403} and alike and treated not in listed)


def _told_apart(problem: dict[str, Any]) -> dict[str, Any]:
    # The request's own id differs, and says nothing about the record.
    return {name: value for name, value in problem.items() if name not in ("instance", "requestId")}


def _victim_services(story: Story, person: Person) -> Claim:
    service, client = services.service(story, _VICTIM_SERVICES), services.staff(story, _VICTIM_SERVICES)
    asked = {"serviceId": service, "participantId": person.participant_id, "needs": ["NEED_LEGAL"]}
    enrolled = {
        "serviceId": service,
        "participantId": person.participant_id,
        "source": {"system": "sample-advocacy", "recordId": "VSP-1"},
        "status": "ENROLLMENT_STATUS_ENROLLED",
        "startTime": drafts.ago(minutes=5),
    }
    refused = (
        journey.case_manager(story, person).post("/v1/serviceReferrals", asked),
        client.post("/v1/enrollments", enrolled),
    )
    totals = [
        journey.done(
            "post a total",
            client.post(f"/v1/services/{service}/totals", {"periodStart": start, "periodEnd": end, "people": people}),
        )
        for start, end, people in (("2026-04-01", "2026-06-30", 7), ("2026-07-01", "2026-09-30", 23))
    ]
    seen = story.caller("case_manager", "sample-outreach").get("/v1/services", purpose="DIVERSION_COORD")
    shown = [one.get("people") for row in seen["services"] if row["id"] == service for one in row.get("totals", [])]
    text = (
        "A victim-service provider may tell of no person; of a total of 7 nothing is shown, of 23 that it was about 25"
    )
    holds = {(each.status, each.body.get("reason")) for each in refused} == {(400, "VSP_NO_PERSON_DATA")}
    return Claim("13e", text, holds and len(totals) == 2 and sorted(shown, key=str) == [25, None])


def providers_release(person: Person) -> drafts.Draft:
    """Return the scope of a release between the case agency and all providers."""
    words = (
        "IDENTITY",
        "PROGRAM_STATUS",
        "NEEDS",
        "SUD_PRESENCE",
        "SUD_TREATMENT",
        "MENTAL_HEALTH",
        "PHYSICAL_HEALTH",
        "HOUSING",
        "EMPLOYMENT",
    )
    return {
        "sourceAgencyIds": [person.case_agency, *PROVIDERS],
        "recipientAgencyIds": [person.case_agency, *PROVIDERS],
        "categories": [f"CATEGORY_{word}" for word in words],
        "purposes": ["PURPOSE_CAREMGT", "PURPOSE_HOUSING_PLACE"],
    }
