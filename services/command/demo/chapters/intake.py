"""Claim 5: the intake is in time; the release comes later, and the prosecutor still learns of it, from the shelf."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from services.command.demo import journey
from services.command.demo.claim import Claim
from services.command.demo.drafts import OFFICE
from services.command.demo.story import Person, Story

_ABSENT = "no confirmation received"
# How long nothing must come of an intake before the release is signed.
_QUIET_SECONDS = 0.7


def play(story: Story) -> Iterator[Claim]:
    """Complete A's intake, wait, sign; then look at a referral whose clock has run out."""
    person = story.people["A"]
    journey.hand_over(story, person)
    participant = journey.complete_intake(story, person, ("HOUSING", "HEALTH_CARE"))["participant"]
    yield _in_time(participant)
    yield _not_told(story, person)
    yield _from_the_shelf(story, person, participant["intakeConfirmedTime"])
    yield _run_out(story)


def _in_time(participant: dict[str, Any]) -> Claim:
    confirmed, due = (_moment(participant[name]) for name in ("intakeConfirmedTime", "intakeDueTime"))
    days = (due - confirmed).days
    active = participant["state"] == "PARTICIPANT_STATE_ACTIVE"
    return Claim("5a", f"A's intake is complete, {days} days before the site's clock ends", active and confirmed <= due)


def _not_told(story: Story, person: Person) -> Claim:
    end, quiet = time.monotonic() + _QUIET_SECONDS, True
    while time.monotonic() < end and quiet:
        review = journey.review_of(story, person)
        quiet = "confirmation" not in review and review.get("confirmationAbsent") == _ABSENT
        time.sleep(0.05)
    text = f"Without a release the prosecutor reads “{_ABSENT}”, although the intake's event has long been sent"
    return Claim("5b", text, quiet)


def _from_the_shelf(story: Story, person: Person, confirmed: str) -> Claim:
    journey.narrow_release(story, person)
    path = f"/v1/participants/{person.participant_id}/consents"
    listed = journey.case_manager(story, person).get(path)["consents"]
    signed = next(each["signedTime"] for each in listed if each["id"] == person.consents["narrow"])
    found = story.eventually(lambda: journey.review_of(story, person).get("confirmation", {}))
    told = found.get("intakeConfirmedTime") == confirmed
    absent = "confirmationAbsent" in journey.review_of(story, person)
    text = "The release is signed after the intake's event, and the prosecutor still learns of it: it lay on the shelf"
    return Claim("5c", text, _moment(confirmed) < _moment(signed) and told and not absent)


def _run_out(story: Story) -> Claim:
    person = story.people["late"] = Person("Tarda", "Sample-Late", "1975-05-23", "sample-outreach")
    journey.refer(story, person, referral_time=datetime.now(UTC) - timedelta(days=31))
    review = journey.review_of(story, person, state="RUN_OUT")
    listed = story.caller("prosecutor", OFFICE).get("/v1/reviews", dueBefore=_now())["reviews"]
    due = review["id"] in {each["id"] for each in listed}
    held = all(charge["state"] == "CHARGE_STATE_HELD" for charge in review["charges"])
    text = f"A referral dated 31 days back has run out: the task reads “{_ABSENT}”, and nothing is filed by itself"
    return Claim("5d", text, due and held and review.get("confirmationAbsent") == _ABSENT)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
