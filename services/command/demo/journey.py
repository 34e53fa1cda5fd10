"""One person's way, step by step: each through the public HTTP face, by the role whose step it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from services.command.demo import drafts
from services.command.demo.client import Answer, Client
from services.command.demo.story import Person, Story

_OK, _NOT_FOUND = 200, 404
# What a case manager does until he is with the person, by the state of the hand-off.
_STILL_TO_DO = {"HANDOFF_STATE_REQUESTED": ("accept", "arrive"), "HANDOFF_STATE_ACCEPTED": ("arrive",)}


class StepError(RuntimeError):
    """A step of the story that was refused or found nothing; says which, with status and reason, without a value."""


def refer(
    story: Story,
    person: Person,
    door: str = "ARREST_DIVERSION",
    police: str = drafts.POLICE,
    referral_time: datetime | None = None,
    charges: Sequence[drafts.Draft] | None = None,
) -> str:
    """An officer refers the person; returns the referral's id. Raises StepError."""
    story.canaries |= drafts.known_facts(person)
    draft = drafts.referral(person, door, charges, referral_time)
    answer = done("refer", officer(story, police).post("/v1/referrals", draft))
    person.referral_id = str(answer["referral"]["id"])
    return person.referral_id


def offer(story: Story, person: Person, police: str = drafts.POLICE, minutes_ago: float = 12) -> str:
    """The officer records the accepted offer and calls the person's case agency; returns the hand-off's id.

    `minutes_ago` is when the call was. Raises StepError.
    """
    person.handoff_id = ""
    record_offer(story, person, police, callTime=drafts.ago(minutes=minutes_ago))
    person.handoff_id = str(_handoff_of(story, person)["id"])
    return person.handoff_id


def record_offer(story: Story, person: Person, police: str = drafts.POLICE, **changed: Any) -> Answer:
    """Record what the person said to the offer: a yes, unless `changed` says otherwise. Raises StepError."""
    said = {
        "outcome": "OFFER_OUTCOME_ACCEPTED",
        "verbalConsent": True,
        "toldVoluntary": True,
        "meetAt": f"Front desk, {drafts.address(person)}",
        "dispatchAgencyId": person.case_agency,
    }
    path = f"/v1/referrals/{person.referral_id}"
    etag = done("read the referral", officer(story, police).get(path))["referral"]["etag"]
    sent = said | changed | {"etag": etag}
    return done("record the offer", officer(story, police).post(f"{path}:recordOffer", sent))


def hand_over(story: Story, person: Person, safety: bool = False) -> str:
    """The case manager accepts, arrives, and completes the hand-off; returns the participant's id. Raises StepError.

    `safety`: the person's whereabouts must not be told.
    """
    client = case_manager(story, person)
    handoff = accept_and_arrive(story, person)
    facts = {
        "person": drafts.person_facts(person),
        "contact": drafts.contact_facts(person),
        "safetyFlag": safety,
        "etag": handoff["etag"],
    }
    answer = done("complete the hand-off", client.post(f"/v1/handoffs/{person.handoff_id}:complete", facts))
    person.participant_id = str(answer["handoff"]["participantId"])
    story.canaries.add(person.participant_id)
    return person.participant_id


def accept_and_arrive(story: Story, person: Person) -> dict[str, Any]:
    """The case manager says that he is coming, and comes, unless he did; returns the hand-off. Raises StepError."""
    client, handoff = case_manager(story, person), _handoff_of(story, person)
    for move in _STILL_TO_DO.get(handoff["state"], ()):
        path = f"/v1/handoffs/{person.handoff_id}:{move}"
        handoff = done(f"{move} the hand-off", client.post(path, {"etag": handoff["etag"]}))["handoff"]
    return handoff


def complete_intake(story: Story, person: Person, needs: Sequence[str] = ("HOUSING",)) -> Answer:
    """The case manager completes the intake; `needs` are words such as `HOUSING`. Raises StepError."""
    client, path = case_manager(story, person), f"/v1/participants/{person.participant_id}"
    etag = done("read the participant", client.get(path))["participant"]["etag"]
    facts = {"needs": [f"NEED_{need}" for need in needs], "etag": etag}
    return done("complete the intake", client.post(f"{path}:completeIntake", facts))


def review_of(story: Story, person: Person, office: str = "sample-city-attorney", state: str = "") -> dict[str, Any]:
    """Return the office's review of the person's referral, as soon as it is there. Raises StepError."""
    client = story.caller("prosecutor", office)
    narrowed = {"state": f"REVIEW_STATE_{state}"} if state else {}
    found = story.eventually(
        lambda: _first(client.pages("/v1/reviews", "reviews", **narrowed), "referralId", person.referral_id)
    )
    return found or _missing("a review of the referral")


def decide(
    story: Story,
    person: Person,
    office: str = "sample-city-attorney",
    decision: str = "DECISION_VALUE_DIVERT_CONFIRM",
) -> dict[str, Any]:
    """The office decides every charge that is held; returns the review afterwards. Raises StepError."""
    review = review_of(story, person, office)
    for charge in review["charges"]:
        if charge["state"] == "CHARGE_STATE_HELD":
            answer = decide_charge(story.caller("prosecutor", office), review, charge["chargeId"], decision)
            review = done("decide a charge", answer)["review"]
    return review


def decide_charge(client: Client, review: dict[str, Any], charge_id: str, decision: str, **more: str) -> Answer:
    """Send one decision under the review's etag, and return whatever came of it."""
    path = f"/v1/reviews/{review['id']}/charges/{charge_id}:decide"
    return client.post(path, {"decision": decision, "etag": review["etag"], **more})


def release(story: Story, person: Person, name: str, **draft: Any) -> str:
    """The person signs a release at the case agency: the narrow one, except for what `draft` says. Returns its id.

    It is kept under `name` among the person's consents. Raises StepError.
    """
    path = f"/v1/participants/{person.participant_id}/consents"
    sent = drafts.narrow_release(person) | draft
    # The hand-off's link reaches consent a moment after the hand-off.
    answer = story.eventually(lambda: _unless_absent(case_manager(story, person).post(path, sent)))
    person.consents[name] = str(done("sign the release", answer)["consent"]["id"])
    return person.consents[name]


def narrow_release(story: Story, person: Person) -> str:
    """Sign the release of the hand-off, kept as `narrow`. Raises StepError."""
    return release(story, person, "narrow")


def full_release(story: Story, person: Person) -> str:
    """Sign the widest release, kept as `full`. Raises StepError."""
    return release(story, person, "full", **drafts.full_release(person))


def officer(story: Story, police: str = drafts.POLICE) -> Client:
    """Return an officer's client."""
    return story.caller("police_officer", police)


def case_manager(story: Story, person: Person) -> Client:
    """Return the client of a case manager at the person's case agency."""
    return story.caller("case_manager", person.case_agency)


def done(step: str, answer: Answer | None) -> Answer:
    """Return the answer of a step that succeeded. Raises StepError with status, reason and wrong paths."""
    if answer is not None and answer.status == _OK:
        return answer
    problem: dict[str, Any] = {} if answer is None or not isinstance(answer.body, dict) else answer.body
    status = "no answer" if answer is None else str(answer.status)
    wrong = "; ".join(f"{one.get('path')}: {one.get('wish')}" for one in problem.get("violations", []))
    told = " ".join(filter(None, (problem.get("reason"), problem.get("detail"), wrong)))
    raise StepError(f"{step}: {status} {told}".rstrip())


def _handoff_of(story: Story, person: Person) -> dict[str, Any]:
    """Return the person's open hand-off, as soon as its sealed request has reached the case agency."""
    client = case_manager(story, person)

    def look() -> dict[str, Any] | None:
        for handoff in client.pages("/v1/handoffs", "handoffs", purpose="HANDOFF"):
            if handoff["id"] == person.handoff_id or (not person.handoff_id and _is_of(handoff, person)):
                return handoff
        return None

    return story.eventually(look) or _missing("the hand-off")


def _is_of(handoff: dict[str, Any], person: Person) -> bool:
    told = handoff.get("request", {})
    ended = handoff.get("state") in ("HANDOFF_STATE_DONE", "HANDOFF_STATE_FAILED")
    return not ended and all(told.get(name) == value for name, value in drafts.person_facts(person).items())


def _first(rows: Iterable[dict[str, Any]], name: str, value: str) -> dict[str, Any] | None:
    return next((row for row in rows if row.get(name) == value), None)


def _unless_absent(answer: Answer) -> Answer | None:
    return None if answer.status == _NOT_FOUND else answer


def _missing(what: str) -> Any:
    raise StepError(f"{what} did not come")
