"""9: the person's own statement of who received what, on which rule, law and release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.table import Table

from services.command.demo.claim import Claim
from services.command.demo.drafts import OFFICE, POLICE
from services.command.demo.story import Person, Story
from services.command.demo.witness import take_checkpoint

Line = dict[str, Any]
# The two that looked at what they had been asked.
_PROVIDERS = ("sample-treatment", "sample-housing")
_SHOWN = 12
_NOBODY = "par_01940000-0000-7000-8000-000000000000"


def play(story: Story) -> Iterator[Claim]:
    """Read the statement of the person of chapters 7 and 8, and try to read it as somebody else."""
    person, other = story.people["sight"], story.people["sight_part2"]
    path = f"/v1/participants/{person.participant_id}/disclosures"
    own = story.caller("participant", participant=person.participant_id)
    lines = list(own.pages(path, "disclosures", pageSize="100"))
    yield _based(lines, person)
    yield _complete(lines, person, other)
    times = [datetime.fromisoformat(line["time"]) for line in lines]
    yield Claim("9c", "The newest disclosure comes first", bool(times) and times == sorted(times, reverse=True))
    yield _nobody_elses(story, person, other, path)
    take_checkpoint(story)


def _based(lines: Sequence[Line], person: Person) -> Claim:
    full = person.consents["full"]
    rested = [line for line in lines if "consent" in line.get("basis", {}).get("rule", "")]
    holds = (
        all(line.get("basis", {}).get("rule") and line["basis"].get("law") for line in lines)
        and all(line["basis"].get("consentId") == full and int(line["basis"]["consentVersion"]) > 0 for line in rested)
        and all("consentId" not in line["basis"] for line in lines if line not in rested)
        # Both kinds occur, or nothing was shown.
        and 0 < len(rested) < len(lines)
    )
    text = (
        f"Each of the {len(lines)} lines names rule and law; the {len(rested)} that rest on the release name it and "
        "its version"
    )
    return Claim("9a", text, holds, _table(lines))


def _complete(lines: Sequence[Line], person: Person, other: Person) -> Claim:
    """Those who read in chapter 7 and saw something that is not their own, and nobody besides.

    The other one's case agency is among them: the release named it too, so the person stood in its lists.
    """
    agencies = {person.case_agency, other.case_agency, "sample-second-outreach"}
    readers = agencies | {POLICE, OFFICE, "sample-defender", "sample-office", *_PROVIDERS}
    told = {line.get("recipientAgencyId") for line in lines}
    return Claim("9b", "It names every agency that was shown what is another's, and no other one", told == readers)


def _nobody_elses(story: Story, person: Person, other: Person, path: str) -> Claim:
    client = story.caller("participant", participant=other.participant_id)
    withheld, absent = client.get(path), client.get(path.replace(person.participant_id, _NOBODY))
    holds = withheld.status == absent.status == 404
    return Claim("9d", "For another participant the statement does not exist, like that of nobody", holds)


def _table(lines: Sequence[Line]) -> Table:
    """Return the newest lines that differ in more than their time."""
    told = dict.fromkeys(_told(line) for line in lines)
    table = Table(title=f"{_SHOWN} of {len(told)} different lines", box=box.SIMPLE_HEAD, title_justify="left")
    for name in ("recipient", "source", "categories", "rule", "law"):
        table.add_column(name, overflow="fold")
    for row in list(told)[:_SHOWN]:
        table.add_row(*row)
    return table


def _told(line: Line) -> tuple[str, ...]:
    basis = line.get("basis", {})
    words = ", ".join(word.removeprefix("CATEGORY_").lower().replace("_", " ") for word in line.get("categories", []))
    rule = basis.get("rule", "") + (f", version {basis['consentVersion']}" if "consentId" in basis else "")
    return line.get("recipientAgencyId", ""), line.get("sourceAgencyId", ""), words, rule, basis.get("law", "")
