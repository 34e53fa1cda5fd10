"""16: what became of the people: tables at six and 24 months, each figure with what it was counted by."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from services.command.demo import cohort, drafts, journey
from services.command.demo.chapters.arrests import report
from services.command.demo.claim import Claim
from services.command.demo.client import Answer, Client, bearer, grpc_channel
from services.command.demo.cohort import Cohort
from services.command.demo.rms import Rms
from services.command.demo.sample_data import Message
from services.command.demo.story import Story

_OFFICE, _EVALUATOR = "sample-office", "sample-evaluator"
_BATCH, _AT_ONCE = 100, 4
_NO_EFFECT = "No comparison group: this is not an effect."
_DEFINITIONS = ("ARR_OR_DIVERTED", "ARR_NEWCONDUCT")
# Some hundreds of sealed events travel, and a report takes a moment to make: so it isn't asked for all the time.
_ARRIVE_SECONDS, _LOOK_SECONDS = 60.0, 0.5
_WINDOWS = {"6m": cohort.HALF_YEAR, "24m": cohort.TWO_YEARS}


def play(story: Story) -> Iterator[Claim]:
    """Send a cohort and all that followed; compare the reports with what anybody can count."""
    everybody = cohort.beginning()
    _refer(story, everybody)
    _report(story, everybody)
    office = story.caller("program_manager", _OFFICE)
    reports = _settled(story, office, everybody)
    yield _as_counted(everybody, reports)
    yield _with_its_definition(reports)
    yield _suppressed(reports["24m"])
    yield _no_effect(office)
    yield _published(story)


def _refer(story: Story, everybody: Cohort) -> None:
    """Push the referrals of both doors, and have the programme office approve them."""
    people = (*everybody.referred, *everybody.approached)
    for one in people:
        story.canaries |= drafts.known_facts(one.person) | {one.local_id}
    messages = [
        Message(one.local_id, cohort.referral(one, "SOCIAL_CONTACT" if one.arm == "SOCIAL" else "ARREST_DIVERSION"), "")
        for one in people
    ]
    exchange = story.exchange
    with grpc_channel(exchange.grpc_target, exchange.ca_path) as channel:
        sent = Rms(channel, bearer(exchange.token("police_rms", agency=cohort.POLICE))).send(messages)
    office = story.caller("program_manager", _OFFICE)

    def approve(referral_id: str) -> None:
        path = f"/v1/referrals/{referral_id}"
        etag = journey.done("read a referral", office.get(path))["referral"]["etag"]
        journey.done("approve a referral", office.post(f"{path}:approve", {"etag": etag}))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(approve, [each.referral_id for each in sent]))


def _report(story: Story, everybody: Cohort) -> None:
    """Send every arrest, and declare the feed complete until now."""
    events = [told for member in everybody.referred for told in cohort.reported(member)]
    for start in range(0, len(events), _BATCH):
        journey.done("report arrests", report(story, cohort.POLICE, events[start : start + _BATCH]))
    until = {
        "completeFrom": drafts.rfc3339(everybody.complete_from),
        "completeThrough": drafts.rfc3339(datetime.now(UTC)),
    }
    journey.done("declare the feed", report(story, cohort.POLICE, [], **until))


def _rearrest(client: Client, **asked: str) -> dict[str, Any]:
    answer = client.get("/v1/outcomes/rearrest", siteId=drafts.SITE, **asked)
    found: dict[str, Any] = journey.done("read a report", answer)["report"]
    return found


def _settled(story: Story, office: Client, everybody: Cohort) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the reports by window and definition, as soon as every sealed event has arrived and is linked."""
    wished = _by_hand(everybody, "ARR_OR_DIVERTED", "24m")
    story.eventually(lambda: _counted(_rearrest(office, window="24m")) == wished, _ARRIVE_SECONDS, _LOOK_SECONDS)
    return {
        window: {each: _rearrest(office, window=window, definition=each) for each in _DEFINITIONS}
        for window in _WINDOWS
    }


def _by_hand(everybody: Cohort, definition: str, window: str) -> tuple[int, int]:
    had = sum(one.had(definition, _WINDOWS[window]) for one in everybody.referred)
    return _rounded(had), _rounded(len(everybody.referred) - had)


def _row(report_: dict[str, Any], table: str, *first: str) -> dict[str, dict[str, Any]]:
    """Return the row of a table that begins with these cells, by column."""
    for one in report_.get("tables", []):
        if one["id"] == table:
            for row in one["rows"]:
                cells = dict(zip(one["columns"], row["cells"], strict=True))
                if tuple(cell.get("text") for cell in row["cells"][: len(first)]) == first:
                    return cells
    return {}


def _counted(report_: dict[str, Any]) -> tuple[int, int] | None:
    """Return how many of the arrested LEAD arm had an event and how many had none, None where it isn't shown."""
    row = _row(report_, "events", "Arrest diversion", "LEAD")
    shown = [row.get(name, {}).get("number") for name in ("With event", "Event-free")]
    return None if None in shown else (int(shown[0] or 0), int(shown[1] or 0))


def _rounded(count: int) -> int:
    return (2 * count + 5) // 10 * 5


def _as_counted(everybody: Cohort, reports: dict[str, dict[str, dict[str, Any]]]) -> Claim:
    table, holds = Table("window", "definition", "with event", "event-free", "counted by hand"), True
    for window, days in _WINDOWS.items():
        for definition, found in reports[window].items():
            had = sum(one.had(definition, days) for one in everybody.referred)
            shown = _counted(found)
            holds &= shown == _by_hand(everybody, definition, window)
            with_event, free = shown or ("-", "-")
            table.add_row(window, definition, str(with_event), str(free), f"{had} and {len(everybody.referred) - had}")
    text = "At six and at 24 months the tables say what counting by hand says, rounded to 5, by two definitions"
    return Claim("16a", text, holds, table)


def _with_its_definition(reports: dict[str, dict[str, dict[str, Any]]]) -> Claim:
    told = [
        {one["name"]: one["value"] for one in found["facts"]} for each in reports.values() for found in each.values()
    ]
    wished = ("definition", "sha-256", "population", "t0", "window", "observed until", "suppress")
    named = [[any(word in f"{name} {value}".lower() for name, value in one.items()) for word in wished] for one in told]
    text = (
        "Each report names definition and digest, population, t0 rule, window, completeness of the feeds, suppression"
    )
    digests = all(any(len(value) >= 12 for value in one.values()) for one in told)
    return Claim("16b", text, digests and all(all(each) for each in named))


def _suppressed(reports: dict[str, dict[str, Any]]) -> Claim:
    row = _row(reports["ARR_OR_DIVERTED"], "events", "Social contact", "LEAD")
    hidden = [cell for cell in row.values() if cell.get("suppressed")]
    text = (
        f"Of the {cohort.APPROACHED} people of another door nothing is shown: cells under 11 and what gives them away"
    )
    shown = [cell for name, cell in row.items() if name in ("With event", "Event-free") and "number" in cell]
    return Claim("16c", text, bool(hidden) and not shown)


def _no_effect(office: Client) -> Claim:
    found = _rearrest(office, window="24m")
    said = [*found.get("notes", []), *(one["value"] for one in found["facts"])]
    text = f"Without a comparison the report says: “{_NO_EFFECT}”"
    has_effects = any(one["id"] == "effects" for one in found["tables"])
    return Claim("16d", text, any(_NO_EFFECT in each for each in said) and not has_effects)


def _published(story: Story) -> Claim:
    officer, evaluator = story.caller("police_officer", drafts.POLICE), story.caller("evaluator", _EVALUATOR)

    def look() -> Answer | None:
        answer = officer.get("/v1/outcomes/rearrest", siteId=drafts.SITE, window="24m")
        return answer if answer.status == 200 else None

    first = story.eventually(look, _ARRIVE_SECONDS, _LOOK_SECONDS)
    again = officer.get("/v1/outcomes/rearrest", siteId=drafts.SITE, window="24m")
    live = evaluator.get("/v1/outcomes/rearrest", siteId=drafts.SITE, window="24m")
    frozen = first is not None and "frozenTime" in first["report"] and first.body == again.body
    text = "Everyone else reads the quarter's frozen snapshot, the same bytes each time; the evaluator reads it live"
    return Claim("16e", text, frozen and live.status == 200 and "frozenTime" not in live["report"])
