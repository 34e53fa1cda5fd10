"""8: the release is taken back, and from the acknowledgement on nothing opens that rested on it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from services.command.demo.claim import Claim
from services.command.demo.client import Answer
from services.command.demo.consumer import leased, replayed
from services.command.demo.replay import Opened
from services.command.demo.story import Person, Story
from services.command.demo.tables import Sight, look

# What stays: the record that there was a release, for who took it, whom it named, and the person (rows 31 and 33).
_RECORD = "CONSENT_RECORD"
_KEEP_THE_RECORD = frozenset({"case_manager", "other_case_agency", "participant"})
_STATUS = "PROGRAM_STATUS"


def play(story: Story) -> Iterator[Claim]:
    """Revoke what chapter 7 signed, with a consumer that has its keys in hand, and look again as everyone."""
    person, layout = story.people["sight"], story.exchange.layout
    before = replayed(layout)
    with leased(layout, person.participant_id) as old:
        could = bool(old.events) and old.may_commit()
        answer, seconds = _revoke(story, person)
        can = old.may_commit()
        sight = look(story, person, "without_release", patient=False)
        opens = old.opens_now()
    yield _acknowledged(answer, seconds)
    yield _as_before(sight)
    text = "A consumer that took its keys before can't use them: nothing it opened with them may have an effect"
    yield Claim("8c", text, could and not can and opens == 0)
    yield _replayed(before, replayed(layout), person)


def _revoke(story: Story, person: Person) -> tuple[Answer, float]:
    client = story.caller("participant", participant=person.participant_id)
    began = time.monotonic()
    answer = client.post(f"/v1/consents/{person.consents['full']}:revoke")
    return answer, time.monotonic() - began


def _acknowledged(answer: Answer, seconds: float) -> Claim:
    body = answer.body if answer.status == 200 else {}
    holds = body.get("consent", {}).get("state") == "CONSENT_STATE_REVOKED" and "effectiveTime" in body
    text = f"The person takes the release back; every enforcement point acknowledged it within {seconds:.2f} s"
    return Claim("8a", text, holds)


def _as_before(sight: Sight) -> Claim:
    foretold = {
        name: row | ({_RECORD} if name in _KEEP_THE_RECORD else frozenset()) for name, row in sight.foretold.items()
    }
    after = Sight(sight.seen, foretold)
    text = (
        "At once every read is as it was before the release; only the record that there was one stays, with the "
        "person, who took it, and whom it named"
    )
    return Claim("8b", text, after.holds, after.table("After the release was taken back"))


def _replayed(before: set[Opened], after: set[Opened], person: Person) -> Claim:
    lost, statuses = before - after, {one for one in after if one[3] == _STATUS}
    about = {one for one in before if one[2] == person.participant_id}
    holds = (
        lost == about
        and {word for *_, word in lost} == {_STATUS}
        # Others' releases still stand, and what the charging decision rests on needs none.
        and bool(statuses)
        and "CHARGE" in {word for *_, word in after}
    )
    text = (
        f"A new consumer that starts over from the first event opens {len(after)} sections; of the {len(before)} "
        f"before, this person's {len(lost)} stay sealed"
    )
    return Claim("8d", text, holds)
