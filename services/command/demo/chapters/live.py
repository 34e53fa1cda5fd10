"""17 and 18: live delivery: a stream that is cut and resumed, and a release that is taken back in mid-stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from services.command.demo import drafts, journey, services
from services.command.demo.chapters.providers import providers_release
from services.command.demo.claim import Claim
from services.command.demo.feed import Feed, Told
from services.command.demo.story import Person, Story

_HOUSING = "sample-housing"
_CUT_AFTER, _REFERRALS = 3, 8


def cut(story: Story) -> Iterator[Claim]:
    """Follow as a prosecutor while police refer; break the stream off and go on from its cursor, on both faces."""
    people = [Person(f"Liva{number}", "Streamsample", "1991-01-01", "sample-outreach") for number in range(_REFERRALS)]
    feed = Feed(story, "prosecutor", drafts.OFFICE)
    with feed.live() as stream:
        # What was there before the story of this chapter is not asked for: the stream begins now.
        start = stream.cursor
        ids = [journey.refer(story, person) for person in people]
        first = stream.take(_CUT_AFTER)
    rest = _until(feed, ids, first)
    got = [told.record_id for told in (*first, *rest) if told.type == "ReferralRecorded"]
    text = f"A prosecutor follows: cut after {_CUT_AFTER} events and resumed, each of {_REFERRALS} referrals came once"
    yield Claim("17a", text, [each for each in got if each in ids] == ids)
    served = [told.event_id for told in feed.sse(start, len(first) + len(rest))]
    text = "Server-sent events tell the same from the same cursor, in the same order"
    yield Claim("17b", text, served == [told.event_id for told in (*first, *rest)])
    yield _pointers(story, first)


def _until(feed: Feed, ids: list[str], first: list[Told]) -> list[Told]:
    missing = [each for each in ids if each not in {told.record_id for told in first}]
    with feed.live(first[-1].cursor) as stream:
        return stream.take_until(set(missing))


def _pointers(story: Story, told: list[Told]) -> Claim:
    read = [story.caller("prosecutor", drafts.OFFICE).get(each.href).status for each in told]
    fields = {name for each in told for name in each.raw["event"]}
    text = "An event says what to read and where, not what it says; every one of them can be read there"
    names = {"id", "type", "category", "time", "recordId", "href", "version"}
    return Claim("17c", text, set(read) == {200} and fields <= names)


def revoked(story: Story) -> Iterator[Claim]:
    """Follow a housing provider's news as the case manager; take the release back; sign another."""
    person = story.people["streamed"] = Person("Fluxa", "Revokedsample", "1988-08-08", "sample-outreach")
    journey.refer(story, person)
    journey.offer(story, person)
    journey.hand_over(story, person)
    journey.complete_intake(story, person)
    services.ask(story, person, _HOUSING)
    journey.release(story, person, "live", **providers_release(person))
    feed = Feed(story, "case_manager", person.case_agency)
    table = Table("what happens at the provider", "release", "told to the case manager")
    with feed.live() as stream:
        enrolment = services.enrol(story, person, _HOUSING)
        seen = stream.take_until({enrolment["id"]})
        table.add_row("enrolled", "signed", "at once")
        _take_back(story, person)
        enrolment = _attended(story, enrolment)
        # Something else that the same agency may see: what came before it on the feed was passed over.
        other = _marker(story)
        passed = stream.take_until({other})
        table.add_row("attendance noted", "taken back", "not told")
    quiet = bool(seen) and not any(told.record_id == enrolment["id"] for told in passed)
    yield Claim("18a", "A release is taken back in mid-stream: the very next event is no longer told", quiet)
    with feed.live(passed[-1].cursor) as stream:
        journey.release(story, person, "live again", **providers_release(person))
        late = stream.take_until({enrolment["id"]})
        table.add_row("(the same)", "signed again", "now")
    fed = [told for told in late if told.record_id == enrolment["id"]]
    text = "A later release feeds what was withheld, once"
    yield Claim("18b", text, len(fed) == len({told.event_id for told in fed}) >= 1, table)


def _take_back(story: Story, person: Person) -> None:
    client = story.caller("participant", participant=person.participant_id)
    journey.done("take the release back", client.post(f"/v1/consents/{person.consents['live']}:revoke"))


def _attended(story: Story, enrolment: dict[str, Any]) -> dict[str, Any]:
    came = {"date": drafts.ago()[:10], "status": "ATTENDANCE_STATUS_ATTENDED", "minutes": 30}
    path = f"/v1/enrollments/{enrolment['id']}/attendance"
    answer = journey.done("note attendance", services.staff(story, _HOUSING).post(path, came))
    found: dict[str, Any] = answer["enrollment"]
    return found


def _marker(story: Story) -> str:
    """Have the agency itself do something that it is told of: ask another provider about another person."""
    person = story.people["loop"]
    return str(services.ask(story, person, "sample-clinic")["id"])
