"""15: police, a jail and a court report arrests; nobody who reports learns whether it concerned a participant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.command.demo import cohort, drafts
from services.command.demo.claim import Claim
from services.command.demo.client import Answer
from services.command.demo.drafts import Draft
from services.command.demo.story import Person, Story

_JAIL, _COURT, _OFFICE = "sample-jail", "sample-court", "sample-office"
_IDS = re.compile(r"jev_[0-9a-f-]{36}|req_[0-9a-f-]{36}")
# Everything that police may read of people.
_READS = ("/v1/referrals", "/v1/incidents")


def play(story: Story) -> Iterator[Claim]:
    """Report a participant and a stranger alike, look as police before and after, and let a person decide a match."""
    person = story.people["loop"]
    before = _police_sees(story)
    yield _alike(story, person)
    yield _jail_and_court(story)
    yield _out_of_order(story)
    yield _a_task_for_a_person(story, person)
    yield _learns_nothing(story, before)


def report(story: Story, agency: str, events: Sequence[Draft], **declared: str) -> Answer:
    """Send events of an agency's feed."""
    return story.caller("police_rms", agency).post("/v1/justiceEvents", {"events": list(events), **declared})


def _arrest(record: str, person: Person, local_id: str = "", **more: Any) -> Draft:
    at = datetime.now(UTC) - timedelta(hours=3)
    return {
        "source": {"system": cohort.SYSTEM, "recordId": record, "version": "1"},
        "kind": "JUSTICE_EVENT_KIND_ARREST",
        "time": drafts.rfc3339(at),
        "offenceTime": drafts.rfc3339(at),
        "warrantKind": "WARRANT_KIND_NONE",
        "incidentNumber": f"NEW-{record}",
        "person": {**drafts.person_facts(person), **({"localId": local_id} if local_id else {})},
        **more,
    }


def _alike(story: Story, person: Person) -> Claim:
    stranger = Person("Ignota", "Strangersample", "1990-02-14", "sample-outreach")
    story.canaries |= drafts.known_facts(stranger)
    answers = [
        report(story, drafts.POLICE, [_arrest(record, who)])
        for record, who in (("ARREST-1", person), ("ARREST-2", stranger))
    ]
    bodies = [_IDS.sub("", json.dumps(each.body)).replace("ARREST-2", "ARREST-1") for each in answers]
    created = all(one["results"][0]["outcome"] == "JUSTICE_EVENT_OUTCOME_CREATED" for one in answers)
    text = "An arrest of a participant and one of a stranger are acknowledged in the same words, byte for byte"
    return Claim("15a", text, created and bodies[0] == bodies[1])


def _jail_and_court(story: Story) -> Claim:
    someone = Person("Aliqua", "Bookedsample", "1981-07-07", "sample-outreach")
    story.canaries |= drafts.known_facts(someone)
    booking = _arrest("BOOK-1", someone, kind="JUSTICE_EVENT_KIND_BOOKING", bookingNumber="B-1")
    filing = _arrest("CASE-1", someone, kind="JUSTICE_EVENT_KIND_CHARGE_FILED", level="JUSTICE_LEVEL_MISDEMEANOR")
    for one in (booking, filing):
        del one["warrantKind"]
    posted = [report(story, _JAIL, [booking]), report(story, _COURT, [filing])]
    taken = [one.body.get("results", [{}])[0].get("outcome") for one in posted]
    refused = [story.caller("police_rms", agency).get(path).status for agency in (_JAIL, _COURT) for path in _READS]
    text = "A jail and a court may post what they did, and may call nothing else"
    return Claim("15b", text, set(taken) == {"JUSTICE_EVENT_OUTCOME_CREATED"} and set(refused) == {403})


def _out_of_order(story: Story) -> Claim:
    person = Person("Aliqua", "Bookedsample", "1981-07-07", "sample-outreach")
    fine = _arrest("BOOK-2", person, kind="JUSTICE_EVENT_KIND_RELEASE", bookingNumber="B-1")
    del fine["warrantKind"]
    future = {**fine, "source": {**fine["source"], "recordId": "BOOK-3"}, "time": "2090-01-01T00:00:00Z"}
    repeated = report(story, _JAIL, [fine, fine, future])
    outcomes = [one["outcome"].removeprefix("JUSTICE_EVENT_OUTCOME_") for one in repeated.body["results"]]
    day = timedelta(days=1)
    now = datetime.now(UTC)
    first = report(
        story, _JAIL, [], completeFrom=drafts.rfc3339(now - 90 * day), completeThrough=drafts.rfc3339(now - 60 * day)
    )
    later = report(
        story, _JAIL, [], completeFrom=drafts.rfc3339(now - 30 * day), completeThrough=drafts.rfc3339(now - day)
    )
    gaps = later.body.get("feed", {}).get("gaps", [])
    text = "A repeat changes nothing, what cannot be is refused by its row, and a stretch that was left out is noted"
    holds = outcomes == ["CREATED", "UNCHANGED", "REJECTED"] and first.status == later.status == 200 and len(gaps) == 1
    return Claim("15c", text, holds)


def _a_task_for_a_person(story: Story, person: Person) -> Claim:
    manager = story.caller("program_manager", _OFFICE)

    def open_task() -> dict[str, Any] | None:
        tasks = manager.pages("/v1/personMatches", "matches", state="MATCH_STATE_OPEN")
        mine = (each for each in tasks if each.get("found", {}).get("familyName") == person.family_name)
        return next(mine, None)

    task = story.eventually(open_task) or {}
    answer = manager.post(f"/v1/personMatches/{task.get('id')}:confirm", {"etag": task.get("etag", "")})
    confirmed = answer.body.get("match", {}).get("state") == "MATCH_STATE_CONFIRMED"
    police = story.caller("police_officer", drafts.POLICE).get("/v1/personMatches").status
    text = "Same name and birth date link nobody by themselves: the programme office is asked, and only it"
    holds = task.get("rule") == "MATCH_RULE_NAME_AND_BIRTH_DATE" and confirmed and police == 403
    return Claim("15d", text, holds)


def _police_sees(story: Story) -> list[str]:
    client = story.caller("police_officer", drafts.POLICE)
    return [json.dumps(list(client.pages(path, path.rsplit("/", 1)[1])), sort_keys=True) for path in _READS]


def _learns_nothing(story: Story, before: list[str]) -> Claim:
    after = _police_sees(story)
    text = "After the match was confirmed everything that police can read is as it was, and no call returns an arrest"
    return Claim("15e", text, after == before and not any("jev_" in each for each in after))
