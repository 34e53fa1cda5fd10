"""What providers are asked and answer in the demo, step by step, each by the role whose step it is."""

from __future__ import annotations

from typing import Any

from services.command.demo import drafts, journey
from services.command.demo.agencies import kind_of
from services.command.demo.client import Answer, Client
from services.command.demo.story import Person, Story

# What each kind of agency offers in the story.
_OFFERS = {
    "sud_treatment": ("SUBSTANCE_USE_TREATMENT", "Sample outpatient care", "TREATMENT"),
    "mental_health": ("MENTAL_HEALTH", "Sample counselling", "MENTAL_HEALTH"),
    "health_care": ("HEALTH_CARE", "Sample street clinic", "HEALTH_CARE"),
    "housing": ("HOUSING", "Sample rooms", "HOUSING"),
    "job_training": ("JOB_TRAINING", "Sample workshop", "EMPLOYMENT"),
    "victim_services": ("VICTIM_SERVICES", "Sample advocacy", "LEGAL"),
}


def staff(story: Story, agency: str) -> Client:
    """Return the client of somebody who works at the provider."""
    return story.caller("provider_staff", agency)


def service(story: Story, agency: str) -> str:
    """Return the id of what the agency offers, which it publishes when it is asked first. Raises StepError."""
    if agency not in story.services:
        kind, name, _ = _OFFERS[kind_of(agency)]
        offer = {
            "name": name,
            "kind": f"SERVICE_KIND_{kind}",
            "siteIds": [drafts.SITE],
            "capacity": 20,
            "openPlaces": 5,
            "state": "SERVICE_STATE_OPEN",
        }
        answer = journey.done("offer a service", staff(story, agency).post("/v1/services", offer))
        story.services[agency] = str(answer["service"]["id"])
    return story.services[agency]


def ask(story: Story, person: Person, agency: str) -> dict[str, Any]:
    """The case manager asks the agency for its service; returns the service referral. Raises StepError."""
    sent = {
        "serviceId": service(story, agency),
        "participantId": person.participant_id,
        "needs": [f"NEED_{_OFFERS[kind_of(agency)][2]}"],
    }
    client = journey.case_manager(story, person)
    # The hand-off's link reaches consent a moment after the hand-off.
    answer = story.eventually(lambda: _unless_unknown(client.post("/v1/serviceReferrals", sent)))
    referral: dict[str, Any] = journey.done("ask for a service", answer)["serviceReferral"]
    person.services[f"asked {agency}"] = referral["id"]
    story.canaries.add(referral["id"])
    return referral


def enrol(story: Story, person: Person, agency: str, *, is_released: bool = True) -> dict[str, Any]:
    """The provider takes the person in; returns the enrolment. Raises StepError.

    A provider that may not see what it was asked cannot name it: it names the person, whom the case manager brought.
    """
    known = (
        {"serviceReferralId": person.services[f"asked {agency}"]}
        if is_released
        else {"participantId": person.participant_id}
    )
    sent = known | {
        "serviceId": service(story, agency),
        "source": {"system": "sample-records", "recordId": f"{agency}-{person.participant_id[-12:]}"},
        "status": "ENROLLMENT_STATUS_ENROLLED",
        "startTime": drafts.ago(minutes=1),
    }
    answer = journey.done("enrol", staff(story, agency).post("/v1/enrollments", sent))
    enrolment: dict[str, Any] = answer["enrollment"]
    person.services[f"enrolled {agency}"] = enrolment["id"]
    story.canaries.add(enrolment["id"])
    return enrolment


def asked(person: Person, agency: str, client: Client) -> dict[str, Any] | None:
    """Return the service referral as this client sees it, None where it sees none."""
    rows = client.pages("/v1/serviceReferrals", "serviceReferrals")
    return next((row for row in rows if row.get("id") == person.services[f"asked {agency}"]), None)


def move(client: Client, referral: dict[str, Any], verb: str, etag: str, **more: str) -> Answer:
    """Send one move on a service referral, and return whatever came of it."""
    return client.post(f"/v1/serviceReferrals/{referral['id']}:{verb}", {"etag": etag, **more})


def _unless_unknown(answer: Answer) -> Answer | None:
    return None if answer.status in (400, 404) else answer
