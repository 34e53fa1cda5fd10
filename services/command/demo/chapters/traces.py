"""11: one request is followed through every process by its spans, and nothing of a person lies by the wayside."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rich import box
from rich.table import Table

from services.command.demo import journey
from services.command.demo.claim import Claim
from services.command.demo.drafts import POLICE
from services.command.demo.spans import Way, follow, read
from services.command.demo.story import Person, Story
from services.command.demo.sweep import errors, files, holds_any, sweep

_METHOD = "lead.referral.v1.ReferralService.SubmitReferral"


def play(story: Story) -> Iterator[Claim]:
    """Refer one more person, follow the request, then search all that an operator can read for every person so far."""
    person = Person("Wanderina", "Tracetest", "1979-08-30", "sample-outreach")
    since, folder = time.time_ns(), story.exchange.layout.spans("x").parent
    journey.refer(story, person)
    way = story.eventually(lambda: follow(read(folder), _METHOD, "referral", "review", since))
    yield _followed(way)
    text = "The traces are three, joined by links alone: what lies on the log joins no request with another topic"
    yield Claim("11b", text, way is not None and len({one.trace for one in way.hops}) == 3)
    yield from _swept(story)
    yield _refused(story, person)
    control = story.caller("police_officer", POLICE).get(f"/v1/referrals/{person.referral_id}")
    text = "The same search does find the person in the officer's own answer"
    yield Claim("11g", text, control.status == 200 and holds_any(control.raw, story.canaries))


def _followed(way: Way | None) -> Claim:
    text = "From one POST the spans of gateway, referral, outbox, log and review's consumer are found by their links"
    if way is None:
        return Claim("11a", text, holds=False)
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("process", "span", "trace", "linked to"):
        table.add_column(name)
    for one in way.hops:
        links = ", ".join(sorted({trace[:8] for trace, _ in one.links}))
        table.add_row(one.service, one.name.replace("lead.referral.v1.", ""), one.trace[:8], links)
    return Claim("11a", text, holds=True, table=table)


def _swept(story: Story) -> Iterator[Claim]:
    for letter, (kind, paths) in zip("cde", files(story.exchange.layout).items(), strict=True):
        swept = sweep(paths, story.canaries)
        where = f": found in {', '.join(swept.found)}" if swept.found else ""
        amount = f"{swept.files} files, {swept.size:,} bytes"
        text = f"No {kind} hold any of {len(story.canaries)} personal facts ({amount}){where}"
        yield Claim(f"11{letter}", text, bool(story.canaries) and swept.size > 0 and not swept.found)


def _refused(story: Story, person: Person) -> Claim:
    tried = list(errors(story, person))
    wrong = [what for what, status, raw in tried if not 400 <= status < 500 or holds_any(raw, story.canaries)]
    where = f": not so for {', '.join(wrong)}" if wrong else ""
    return Claim("11f", f"No refusal echoes what it was given ({len(tried)} ways to be refused){where}", not wrong)
