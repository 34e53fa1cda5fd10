"""14: a provider's system sends its enrolments as a CSV file; the same file again changes nothing."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from services.command.demo import drafts, journey, services
from services.command.demo.claim import Claim
from services.command.demo.client import Answer
from services.command.demo.story import Story

_AGENCY = "sample-housing"
_COLUMNS = ("recordId", "system", "serviceReferralId", "status", "startTime", "endTime")
_GOOD = 6
# What is wrong with the rows behind the good ones: a word, a referral that is nobody's, an end before the start, a
# formula in the place of a name, and a row that lacks its last cells. Each refusal names its columns.
_WRONG: tuple[tuple[dict[str, str], frozenset[str]], ...] = (
    ({"status": "LIVING_THERE"}, frozenset({"status"})),
    ({"serviceReferralId": "srf_01940000-0000-7000-8000-00000000abcd"}, frozenset({"serviceReferralId"})),
    ({"endTime": "2020-01-01"}, frozenset({"endTime"})),
    ({"system": "=HYPERLINK()"}, frozenset({"system"})),
)


def play(story: Story) -> Iterator[Claim]:
    """Send the file, send it again, send it with one row corrected."""
    rows = _rows(story)
    first, again = _send(story, rows), _send(story, rows)
    yield _each_row_by_itself(first)
    yield _the_same_again(story, first, again)
    corrected = [{**rows[0], "status": "COMPLETED", "endTime": drafts.ago(minutes=1)}, *rows[1:]]
    yield _corrected(_send(story, corrected))


def _rows(story: Story) -> list[dict[str, str]]:
    person = story.people["loop"]
    fine = {
        "system": "sample-rooms",
        "serviceReferralId": person.services[f"asked {_AGENCY}"],
        "status": "ENROLLED",
        "startTime": "2026-11-01",
        "endTime": "",
    }
    good = [{**fine, "recordId": f"ROOM-{number}"} for number in range(1, _GOOD + 1)]
    wrong = [{**fine, "recordId": f"ODD-{number}", **changed} for number, (changed, _) in enumerate(_WRONG, 1)]
    return [*good, *wrong]


def _send(story: Story, rows: Sequence[dict[str, str]]) -> Answer:
    file = io.StringIO()
    writer = csv.DictWriter(file, _COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    client = story.caller("provider_system", _AGENCY)
    return journey.done("send a file", client.send("/v1/enrollments:batch", file.getvalue().encode(), "text/csv"))


def _outcomes(answer: Answer) -> list[str]:
    return [each["outcome"].removeprefix("BATCH_OUTCOME_") for each in answer["results"]]


def _each_row_by_itself(first: Answer) -> Claim:
    refused = first["results"][_GOOD:]
    named = [frozenset(each["path"] for each in one.get("violations", [])) for one in refused]
    quiet = not any(value in first.raw.decode() for changed, _ in _WRONG for value in changed.values())
    table = Table("line", "record", "outcome", "column and wish")
    for one in first["results"]:
        wishes = "; ".join(f"{each['path']}: {each['wish']}" for each in one.get("violations", []))
        table.add_row(str(one["line"]), one.get("recordKey", ""), one["outcome"].removeprefix("BATCH_OUTCOME_"), wishes)
    text = f"Of a CSV file {_GOOD} rows are taken and {len(_WRONG)} refused, each with its columns and without a value"
    holds = _outcomes(first) == ["CREATED"] * _GOOD + ["REJECTED"] * len(_WRONG)
    return Claim("14a", text, holds and named == [paths for _, paths in _WRONG] and quiet, table)


def _the_same_again(story: Story, first: Answer, again: Answer) -> Claim:
    ids = [[each.get("enrollmentId") for each in one["results"][:_GOOD]] for one in (first, again)]
    listed = [row["id"] for row in services.staff(story, _AGENCY).pages("/v1/enrollments", "enrollments")]
    held = Counter(each for each in listed if each in ids[0])
    text = "The same file again changes nothing: the same enrolments, each held once"
    holds = _outcomes(again) == ["UNCHANGED"] * _GOOD + ["REJECTED"] * len(_WRONG)
    return Claim("14b", text, holds and ids[0] == ids[1] and set(held.values()) == {1} and len(held) == _GOOD)


def _corrected(answer: Answer) -> Claim:
    counts: dict[str, Any] = {name: answer.body.get(name, 0) for name in ("replaced", "unchanged", "rejected")}
    text = "A row that its provider corrected is an update; the others stay as they are"
    holds = counts == {"replaced": 1, "unchanged": _GOOD - 1, "rejected": len(_WRONG)}
    return Claim("14c", text, holds and _outcomes(answer)[0] == "REPLACED")
