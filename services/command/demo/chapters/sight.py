"""7: who sees what of one person, with and without a release, of an agency that is a Part 2 program and of one not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx

from services.command.demo import journey, services
from services.command.demo.claim import Claim
from services.command.demo.drafts import OFFICE, PART2_AGENCIES, PROVIDERS, SITE
from services.command.demo.expected import PRESENCE, Release
from services.command.demo.story import Person, Story
from services.command.demo.tables import Sight, look
from services.command.demo.witness import take_checkpoint

_WORDS: dict[Release, str] = {"without_release": "Without any release", "full_release": "With the full release"}

_WARMING_TRIES = 3


def play(story: Story) -> Iterator[Claim]:
    """Show four tables: two people, each before and after signing the widest release."""
    warming = _warm(story)
    people = {
        "sight": Person("Visibla", "Sighttest", "1987-03-21", "sample-outreach"),
        "sight_part2": Person("Discreta", "Presencetest", "1992-11-05", "sample-recovery-outreach"),
    }
    story.people |= people
    letters, sights = iter("abcd"), list[Sight]()
    for person in people.values():
        bring(story, person)
        warming.join()
        for release in _WORDS:
            if release == "full_release":
                journey.full_release(story, person)
            sights.append(look(story, person, release))
            yield _claim(f"7{next(letters)}", sights[-1], person, release)
    yield _presence_alone(sights)
    take_checkpoint(story)


def bring(story: Story, person: Person) -> None:
    """Bring a person from the referral to providers and the office's decision, without any release. Raises StepError.

    A provider that sees nothing of the request yet takes the person in all the same: the case manager called it.
    """
    journey.refer(story, person)
    journey.offer(story, person)
    journey.hand_over(story, person)
    journey.complete_intake(story, person)
    serve(story, person)
    review = journey.review_of(story, person)
    note = f"{person.given_name} keeps away from the library."
    story.canaries.add(note)
    for charge in review["charges"]:
        path = f"/v1/reviews/{review['id']}/charges/{charge['chargeId']}:decide"
        sent = {"decision": "DECISION_VALUE_DIVERT_CONFIRM", "note": note, "etag": review["etag"]}
        review = journey.done("decide a charge", story.caller("prosecutor", OFFICE).post(path, sent))["review"]


def serve(story: Story, person: Person) -> None:
    """Have every kind of provider asked about the person, and take the person in. Raises StepError."""
    for agency in PROVIDERS:
        services.ask(story, person, agency)
        services.enrol(story, person, agency, is_released=False)


def _warm(story: Story) -> threading.Thread:
    """Ask for the sharing matrix beside the story: consent works it out for seconds, once, for whoever asks first."""
    client, office = story.caller("auditor", "sample-auditor"), story.caller("program_manager", "sample-office")

    def ask() -> None:
        for _ in range(_WARMING_TRIES):
            with suppress(httpx.HTTPError):
                # So does outcomes with what it counts with: its first report waits for that.
                office.get("/v1/outcomes/rearrest", siteId=SITE)
                if client.get("/v1/policy/matrix").status == 200:
                    return

    asking = threading.Thread(target=ask, name="matrix", daemon=True)
    asking.start()
    return asking


def _claim(number: str, sight: Sight, person: Person, release: Release) -> Claim:
    class_ = "a Part 2 program" if person.case_agency in PART2_AGENCIES else "not a Part 2 program"
    title = f"{_WORDS[release]}; the case agency is {class_}"
    text = f"{_WORDS[release]} everyone sees what the matrix foretells and nothing else ({class_})"
    return Claim(number, text, sight.holds, sight.table(title))


def _presence_alone(sights: list[Sight]) -> Claim:
    plain, treated = sights[:2], sights[2:]
    holds = len(treated) == len(plain) and all(
        first.seen[name] <= row and row - first.seen[name] <= {PRESENCE}
        for first, second in zip(plain, treated, strict=True)
        for name, row in second.seen.items()
    )
    return Claim("7e", "That the agency is a Part 2 program adds SUD_PRESENCE and changes nothing else", holds)
