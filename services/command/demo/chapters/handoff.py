"""Claim 3: the warm hand-off. The dispatched case manager sees what matrix row 9 allows; nobody else sees anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lead.casework.v1.casework_pb2 import Handoff
from rich.table import Table

from services.command.demo import drafts, journey
from services.command.demo.claim import Claim
from services.command.demo.client import Answer, Client
from services.command.demo.seen import seen
from services.command.demo.story import Person, Story

# Matrix row 9.
_ROW_9 = frozenset({"IDENTITY", "REFERRAL", "CONTACT_LOCATION", "ELIGIBILITY", "STAFF"})
_MINUTES, _TARGET = 12, 30
_ABSENT = "/v1/referrals/ref_01940000-0000-7000-8000-000000000000"


def play(story: Story) -> Iterator[Claim]:
    """Refer A with charges and a narrative, call his case manager, and look who sees what before any signature."""
    person = story.people["A"] = Person("Ariadne", "Sample-A", "1990-04-01", "sample-outreach")
    journey.refer(story, person, charges=[drafts.possession(), drafts.theft()])
    journey.offer(story, person, minutes_ago=_MINUTES)
    handoff = _handoff(journey.case_manager(story, person), person)
    yield _row_9(handoff)
    yield _nothing_else(story, person)
    yield _others(story, person)
    yield _minutes(story, person)
    yield _declined(story)


def _handoff(client: Client, person: Person) -> dict[str, Any]:
    rows = client.pages("/v1/handoffs", "handoffs")
    return next((row for row in rows if row["id"] == person.handoff_id), {})


def _row_9(handoff: dict[str, Any]) -> Claim:
    request = handoff.get("request", {})
    words = {word for _, word in seen(handoff, Handoff.DESCRIPTOR)}
    table = Table("category", "the dispatched case manager")
    for word in sorted(_ROW_9 | words | {"CHARGE", "OFFICER_NARRATIVE", "VICTIM_OF_OFFENCE"}):
        table.add_row(word, "sees" if word in words else "—")
    told = {"familyName", "meetAt", "whereFound", "officerName", "screeningResult", "callTime"} <= set(request)
    text = "Before any signature the dispatched case manager sees who, where, by whom, how it was screened: no charge"
    return Claim("3a", text, words == _ROW_9 and told, table)


def _nothing_else(story: Story, person: Person) -> Claim:
    client = journey.case_manager(story, person)
    path = f"/v1/referrals/{person.referral_id}"
    hidden = [client.get(path), client.get(path, purpose="DIVERSION_COORD")]
    listed = [row["id"] for row in client.pages("/v1/referrals", "referrals")]
    raw = client.get("/v1/handoffs").raw
    quiet = not any(text in raw for text in (b"69.50.4013", b"12A.08.060", b"asked for help"))
    text = "The referral itself is as good as absent for him: 404, in no list; nothing of charges or narrative anywhere"
    holds = all(map(_as_absent, hidden, [client.get(_ABSENT)] * len(hidden))) and person.referral_id not in listed
    return Claim("3b", text, holds and quiet)


def _others(story: Story, person: Person) -> Claim:
    client = story.caller("case_manager", "sample-second-outreach")
    absent = client.get(_ABSENT)
    referral = client.get(f"/v1/referrals/{person.referral_id}")
    move = client.post(f"/v1/handoffs/{person.handoff_id}:accept", {"etag": "0" * 20})
    lists = [
        *client.pages("/v1/handoffs", "handoffs"),
        *client.pages("/v1/referrals", "referrals"),
        *client.pages("/v1/participants", "participants"),
    ]
    text = "Another case-management agency sees nothing: empty lists, and 404 as of what never was"
    return Claim("3c", text, not lists and _as_absent(referral, absent) and _as_absent(move, absent))


def _as_absent(answer: Answer, absent: Answer) -> bool:
    """Tell whether an answer is that of what does not exist, but for its request id."""
    bodies = [{**each.body, "requestId": ""} for each in (answer, absent)]
    return answer.status == absent.status == 404 and bodies[0] == bodies[1] and len(answer.raw) == len(absent.raw)


def _minutes(story: Story, person: Person) -> Claim:
    handoff = journey.accept_and_arrive(story, person)
    client, path = journey.officer(story), f"/v1/referrals/{person.referral_id}"
    sent = {"time": drafts.rfc3339(datetime.now(UTC)), "etag": client.get(path)["referral"]["etag"]}
    handover = journey.done("record the hand-over", client.post(f"{path}:recordHandover", sent))["referral"]["handover"]
    measured = [(each.get("minutes"), each.get("targetMinutes")) for each in (handoff, handover)]
    # A minute may pass between the call's time and the arrival.
    near = all(minutes in (_MINUTES, _MINUTES + 1) and target == _TARGET for minutes, target in measured)
    text = f"From the officer's call to the arrival: {measured[0][0]} minutes against {_TARGET}, on both sides"
    return Claim("3d", text, near)


def _declined(story: Story) -> Claim:
    person = Person("Declina", "Sample-Declined", "1979-12-30", "sample-outreach")
    journey.refer(story, person)
    journey.offer(story, person)
    client = journey.case_manager(story, person)
    before = _handoff(client, person)
    failed = {"reason": "FAIL_REASON_PERSON_DECLINED", "etag": before["etag"]}
    journey.done("fail the hand-off", client.post(f"/v1/handoffs/{person.handoff_id}:fail", failed))
    after = story.eventually(lambda: "request" not in _handoff(client, person))
    text = "Somebody who declines closes the case manager's view of what police told, at once"
    return Claim("3e", text, "request" in before and after)
