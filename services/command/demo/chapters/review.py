"""Claim 6: the prosecutor decides per charge, in due order; a colleague who read an older version gets 409."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from rich.table import Table

from services.command.demo import journey
from services.command.demo.claim import Claim
from services.command.demo.client import Client
from services.command.demo.drafts import OFFICE
from services.command.demo.story import Person, Story

# The office's second account (deploy/sites/agencies.toml).
_COLLEAGUE = "acc_01940000-0000-7000-8000-000000000008"
_CONFLICT, _ABSENT = 409, 404
_NOTE = "He seems to be in good hands, as far as we can tell."


def play(story: Story) -> Iterator[Claim]:
    """Work through the queue from its top: first what has run out, then A's two charges."""
    late, person = story.people["late"], story.people["A"]
    first = story.caller("prosecutor", OFFICE)
    yield _by_due_time(list(first.pages("/v1/reviews", "reviews", pageSize="20")), late)
    exchange = story.exchange
    token = exchange.token("prosecutor", account=_COLLEAGUE)
    with closing(Client(exchange.http_url, exchange.ca_path, token)) as colleague:
        yield from _per_charge(story, first, colleague)
    yield _seen_by_police(story, person)


def _by_due_time(queue: list[dict[str, Any]], late: Person) -> Claim:
    dues = [review.get("dueTime", "9999") for review in queue]
    table = Table("due", "state", "charges held", "confirmation")
    for review in queue[:4]:
        held = sum(charge["state"] == "CHARGE_STATE_HELD" for charge in review["charges"])
        confirmed = review.get("confirmation", {}).get("intakeConfirmedTime") or review.get("confirmationAbsent", "")
        state = review["state"].removeprefix("REVIEW_STATE_")
        table.add_row(review.get("dueTime", "—"), state, str(held), confirmed)
    first = bool(queue) and queue[0]["referralId"] == late.referral_id
    text = f"The office's queue of {len(queue)} reviews is in due order; what has run out is on top"
    once = len({each["id"] for each in queue}) == len(queue)
    return Claim("6a", text, dues == sorted(dues) and first and once, table)


def _per_charge(story: Story, first: Client, colleague: Client) -> Iterator[Claim]:
    filed = journey.decide(story, story.people["late"], decision="DECISION_VALUE_FILE")
    read = journey.review_of(story, story.people["A"])
    one, two = (charge["chargeId"] for charge in read["charges"])
    # Both read the same version; one is quicker.
    quick = journey.decide_charge(first, read, one, "DECISION_VALUE_DIVERT_CONFIRM", note=_NOTE)
    stale = journey.decide_charge(colleague, read, two, "DECISION_VALUE_DECLINE_TO_FILE")
    between = journey.done("decide a charge", quick)["review"]
    again = journey.decide_charge(colleague, between, two, "DECISION_VALUE_DECLINE_TO_FILE")
    decided = journey.done("decide a charge", again)["review"]
    yield _decided(filed, between, decided)
    untouched = between["charges"][1]["state"] == "CHARGE_STATE_HELD"
    text = f"A colleague with a stale etag gets 409 {stale.body.get('reason')}; he reads again, and his decision stands"
    yield Claim("6c", text, stale.status == _CONFLICT and stale.body.get("reason") == "STALE_ETAG" and untouched)


def _decided(filed: dict[str, Any], between: dict[str, Any], decided: dict[str, Any]) -> Claim:
    states = [charge["state"].removeprefix("CHARGE_STATE_") for charge in decided["charges"]]
    bases = {charge["decision"].get("basisDigest") for charge in decided["charges"]}
    order = between["state"] == "REVIEW_STATE_OPEN" and decided["state"] == "REVIEW_STATE_DECIDED"
    done = filed["state"] == "REVIEW_STATE_DECIDED" and states == ["DIVERTED", "DECLINED"]
    text = "In due order the late charge is filed, and A's two charges get a decision each, on a frozen basis each"
    return Claim("6b", text, order and done and None not in bases and len(bases) == len(states))


def _seen_by_police(story: Story, person: Person) -> Claim:
    client, path = journey.officer(story), f"/v1/referrals/{person.referral_id}"

    def look() -> list[str]:
        charges = client.get(path)["referral"]["charges"]
        found = [charge.get("decision", {}).get("value", "") for charge in charges]
        return found if all(found) else []

    values = story.eventually(look)
    raw = client.get(path).raw
    other = story.caller("police_officer", "sample-sheriff").get(path)
    table = Table("charge", "decision, as police read it")
    for charge in client.get(path)["referral"]["charges"]:
        table.add_row(charge["description"], charge.get("decision", {}).get("value", "—"))
    holds = values == ["DIVERT_CONFIRM", "DECLINE_TO_FILE"] and _NOTE.encode() not in raw and other.status == _ABSENT
    text = "The police who referred read both decisions on their referral, not the note; another police agency nothing"
    return Claim("6d", text, holds, table)
