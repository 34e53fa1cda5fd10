"""Outcomes of a small cohort: who may ask, what is refused, what is published, and that no few people are ever told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.command.demo import drafts, journey
from services.command.demo.client import Answer, Client, bearer, grpc_channel
from services.command.demo.drafts import Draft
from services.command.demo.rms import Rms
from services.command.demo.sample_data import Message
from services.command.demo.story import Person, Story
from tests.scenario.attempts import CANARY, Tried, ask

pytestmark = pytest.mark.timeout(180)
SITE, POLICE, COURTS = "santa-fe", "sample-santa-fe-police", "sample-santa-fe-prosecutor"
REARREST, FUNNEL = "/v1/outcomes/rearrest", "/v1/outcomes/funnel"
# Enough to be told of as a whole; of those with an event there are too few.
ARRESTED, WITH_EVENT, APPROACHED = 15, 2, 3
LONG_AGO = timedelta(days=400)
OTHERS = (
    ("police_officer", POLICE),
    ("police_liaison", POLICE),
    ("prosecutor", COURTS),
    ("case_manager", "sample-santa-fe-outreach"),
    ("auditor", "sample-auditor"),
)
LIVE = (("program_manager", "sample-santa-fe-office"), ("evaluator", "sample-evaluator"))
_COUNT = re.compile(r"[\d,]+")


@dataclass
class Cohort:
    """Who was referred, what everybody else was answered before anything was published, and the published report."""

    people: list[Person] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    before: list[Answer] = field(default_factory=list)


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried) -> Iterator[None]:
    yield
    tried.logs_are_clean()


def referred(number: int, door: str, at: datetime) -> tuple[Person, Draft]:
    person = Person("Cohorta", f"Sample-{door.title()}-{number}", f"{1960 + number}-03-04", "sample-santa-fe-outreach")
    draft = drafts.referral(person, door, None, at + timedelta(minutes=30))
    seen = {"amenable": "YES", "exploits_minors": "NO", "promotes_prostitution": "NO", "for_profit": "NO"}
    draft |= {
        "siteId": SITE,
        "incidentTime": drafts.rfc3339(at),
        "observations": [{"name": name, "answer": f"OBSERVATION_ANSWER_{said}"} for name, said in seen.items()],
        "attestations": [{"rule": "conviction", "answer": "ATTESTATION_ANSWER_CLEAR", "checkedTime": drafts.ago()}],
        "source": {"system": "sample-archive", "recordId": f"{door}-{number}", "version": "1"},
    }
    draft["person"]["localIds"] = [{"agencyId": POLICE, "id": f"{door}-{number}"}]
    if door == "ARREST_DIVERSION":
        draft["charges"][0]["statute"] = "NMSA 30-31-23"
        draft["incidentNumber"] = f"SMALL-{number}"
    return person, draft


def arrested(number: int, place: int, person: Person, at: datetime) -> Draft:
    return {
        "source": {"system": "sample-arrests", "recordId": f"SMALL-{number}/{place}", "version": "1"},
        "kind": "JUSTICE_EVENT_KIND_ARREST",
        "time": drafts.rfc3339(at),
        "offenceTime": drafts.rfc3339(at),
        "warrantKind": "WARRANT_KIND_NONE",
        "incidentNumber": f"SMALL-{number}" + (f"-{place}" if place else ""),
        "person": {**drafts.person_facts(person), "localId": f"ARREST_DIVERSION-{number}"},
    }


@pytest.fixture(scope="module")
def cohort(story: Story, client: Callable[..., Client]) -> Cohort:
    """A few people of Santa Fe, all that followed, and a feed that is declared complete."""
    start = datetime.now(UTC) - LONG_AGO
    sent = [referred(number, "ARREST_DIVERSION", start) for number in range(ARRESTED)]
    met = [referred(number, "SOCIAL_CONTACT", start) for number in range(APPROACHED)]
    exchange = story.exchange
    with grpc_channel(exchange.grpc_target, exchange.ca_path) as channel:
        rms = Rms(channel, bearer(exchange.token("police_rms", agency=POLICE)))
        messages = [Message(draft["source"]["recordId"], draft, "") for _, draft in (*sent, *met)]
        made = {one.key: one.referral_id for one in rms.send(messages)}
    _approve(story, client("prosecutor", COURTS), [made[f"ARREST_DIVERSION-{number}"] for number in range(ARRESTED)])
    events = [arrested(number, 0, person, start) for number, (person, _) in enumerate(sent)]
    events += [arrested(number, 1, sent[number][0], start + timedelta(days=40)) for number in range(WITH_EVENT)]
    feed = client("police_rms", POLICE)
    journey.done("report", feed.post("/v1/justiceEvents", {"events": events}))
    found = Cohort([person for person, _ in (*sent, *met)])
    found.names = {*made.values(), *made, *(name for person in found.people for name in drafts.known_facts(person))}
    found.before = [client(*other).get(REARREST, siteId=SITE) for other in OTHERS]
    until = {"completeFrom": drafts.rfc3339(start - LONG_AGO), "completeThrough": drafts.ago()}
    journey.done("declare", feed.post("/v1/justiceEvents", until))
    assert story.eventually(lambda: _everybody(client(*LIVE[0])), 20)
    return found


def _approve(story: Story, prosecutor: Client, referral_ids: list[str]) -> None:
    for referral_id in referral_ids:
        path = f"/v1/referrals/{referral_id}"
        seen = story.eventually(lambda path=path: (answer := prosecutor.get(path)).status == 200 and answer)  # type: ignore[misc]
        etag = journey.done("read", seen or None)["referral"]["etag"]
        journey.done("approve", prosecutor.post(f"{path}:approve", {"etag": etag}))


def _everybody(office: Client) -> bool:
    """Tell whether everybody of the cohort has arrived: then there are enough to be told of."""
    report = office.get(REARREST, siteId=SITE)["report"]
    return any(cell.get("number") == ARRESTED for row in rows_of(report) for cell in row)


def rows_of(report: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for table in report.get("tables", []):
        for row in table["rows"]:
            yield row["cells"]


def tells_of_few(report: Mapping[str, Any]) -> list[Any]:
    """Return the rows in which a count is shown that could be of fewer than 11, as rounded to 5."""
    counts = [(row, int(cell["text"].replace(",", ""))) for row in rows_of(report) for cell in row if _is_count(cell)]
    return [row for row, count in counts if count < 10 or count % 5]


def _is_count(cell: Mapping[str, Any]) -> bool:
    return "number" in cell and _COUNT.fullmatch(cell["text"]) is not None


# Who may ask


def test_until_something_is_published_it_is_there_for_nobody_else(cohort: Cohort, tried: Tried) -> None:
    for answer in cohort.before:
        tried.refused(answer, 404, reason="NOT_FOUND")


@pytest.mark.parametrize(
    ("role", "agency"),
    [
        ("police_rms", POLICE),
        ("defender", "sample-defender"),
        ("provider_staff", "sample-housing"),
        ("provider_system", "sample-housing"),
        ("operator", "sample-operator"),
    ],
)
def test_whom_outcomes_are_not_for_is_told_so(
    role: str, agency: str, client: Callable[..., Client], tried: Tried
) -> None:
    for path in (REARREST, FUNNEL):
        tried.refused(client(role, agency).get(path), 403)
    for other in (*OTHERS, (role, agency)):
        tried.refused(ask(client(*other), "POST", "/v1/evaluationEntries", json={}), 403)


def test_another_site_is_as_absent_as_none(client: Callable[..., Client], tried: Tried) -> None:
    office, officer = client("program_manager", "sample-office"), client("police_officer", "sample-police")
    for caller in (office, officer):
        for path in (REARREST, FUNNEL):
            first, second = (caller.get(path, siteId=site) for site in (SITE, CANARY))
            for answer in (first, second):
                tried.refused(answer, 400, "siteId")
            assert first["violations"] == second["violations"]
    # Whoever works at two sites says which.
    for caller in (client("evaluator", "sample-evaluator"), client("auditor", "sample-auditor")):
        tried.refused(caller.get(FUNNEL), 400, "siteId")


@pytest.mark.parametrize(("role", "agency"), [*LIVE, OTHERS[0], OTHERS[-1]])
def test_words_that_no_report_knows_are_refused(
    role: str, agency: str, client: Callable[..., Client], tried: Tried
) -> None:
    caller = client(role, agency)
    is_live = (role, agency) in LIVE
    words = {"window": CANARY, "definition": f"OUTCOME_DEFINITION_{CANARY}", "population": CANARY, "clock": CANARY}
    for path, asked, paths in (
        (REARREST, words, tuple(words)),
        (REARREST, {"window": "12m", "definition": "arr_all", "population": "itt", "clock": "LIBERTY"}, tuple(words)),
        (REARREST, {"snapshot": f"2026-Q5{CANARY}", "window": "6m "}, ("snapshot", "window")),
        (REARREST, {"asOfTime": "2999-01-01T00:00:00Z"}, ("asOfTime",)),
        (REARREST, {"asOfTime": "1000-01-01T00:00:00Z"}, ("asOfTime",)),
        (REARREST, {"asOfTime": CANARY}, ("asOfTime",)),
        (REARREST, {"asOfTime": drafts.ago(days=1), "snapshot": "latest"}, ("asOfTime",)),
        (REARREST, {"snapshot": "latest", "clock": "liberty"}, ("clock",)),
        (REARREST, {"door": CANARY, "race": CANARY, "agencyId": CANARY}, ("door", "race", "agencyId")),
        (FUNNEL, {"window": "6m", "ageFrom": "18"}, ("window", "ageFrom")),
        (FUNNEL, {"snapshot": CANARY}, ("snapshot",)),
    ):
        tried.refused(caller.get(path, siteId=SITE, **asked), 400, *paths)
    frozen_only = caller.get(REARREST, siteId=SITE, clock="liberty")
    assert frozen_only.status == (200 if is_live else 400), frozen_only.raw


# What is told of few


@pytest.mark.parametrize(("role", "agency"), LIVE)
def test_no_figure_of_few_people_is_told(role: str, agency: str, cohort: Cohort, client: Callable[..., Client]) -> None:
    caller = client(role, agency)
    asked: list[dict[str, str]] = [
        {"definition": definition, "population": population, "window": window}
        for definition, population, window in (
            ("ARR_OR_DIVERTED", "ITT", "6m"),
            ("ARR_NEWCONDUCT", "LANDMARK", "6m"),
            ("ARR_ALL", "COMPLETERS", "calendar"),
            ("CHG_FELONY", "ITT", "24m"),
        )
    ]
    asked.append({"clock": "liberty"})
    # On the day before the first of the two events, between them and later: no difference of two reports is a person.
    asked += [{"asOfTime": drafts.ago(days=days)} for days in (399, 361, 359, 210)]
    reports = [caller.get(REARREST, siteId=SITE, **each) for each in asked] + [caller.get(FUNNEL, siteId=SITE)]
    for answer in reports:
        assert answer.status == 200, answer.raw
        assert tells_of_few(answer["report"]) == []
        text = answer.raw.decode()
        assert not [name for name in cohort.names if name in text]
        assert not re.search(r"(ref|jev|stu|sub|eve)_[0-9a-f]{4}", text)
    events = [
        row
        for row in rows_of(reports[0]["report"])
        if [cell.get("text") for cell in row[:2]] == ["Arrest diversion", "LEAD"]
    ]
    # Two had an event: neither they nor the others beside them are told, nor is a share that gives them away.
    assert events
    assert not any(cell.get("number") in (WITH_EVENT, ARRESTED - WITH_EVENT) for row in events for cell in row)
    assert not any("%" in cell.get("text", "") for row in events for cell in row)
    # Of the three of the other door nothing is.
    met = [row for row in rows_of(reports[-1]["report"]) if row[0].get("text") == "Social contact"]
    assert met
    assert not any("number" in cell for row in met for cell in row)


# What is published


def test_everybody_else_reads_one_frozen_report_that_nothing_changes(
    cohort: Cohort, story: Story, client: Callable[..., Client], tried: Tried
) -> None:
    def published() -> Answer | None:
        answer = client(*OTHERS[0]).get(REARREST, siteId=SITE)
        return answer if answer.status == 200 else None

    first = story.eventually(published, 30)
    assert first is not None
    report = first["report"]
    assert report["frozenTime"]
    assert tells_of_few(report) == []
    for path in (REARREST, FUNNEL):
        told = [client(*other).get(path, siteId=SITE) for other in OTHERS]
        assert {answer.raw for answer in told} == {told[0].raw}
        named = [client(*each).get(path, siteId=SITE, snapshot=report["snapshotId"]) for each in (*LIVE, OTHERS[0])]
        assert {answer.raw for answer in named} == {told[0].raw}
        assert tells_of_few(told[0]["report"]) == []
    for each in (*OTHERS, *LIVE):
        tried.refused(client(*each).get(REARREST, siteId=SITE, snapshot="1999-Q1"), 404, reason="NOT_FOUND")
    assert all("frozenTime" not in client(*each).get(REARREST, siteId=SITE)["report"] for each in LIVE)
    # Another arrest, of long ago, changes what is live, and nothing that was published.
    late = arrested(WITH_EVENT, 2, cohort.people[WITH_EVENT], datetime.now(UTC) - LONG_AGO + timedelta(days=50))
    journey.done("report", client("police_rms", POLICE).post("/v1/justiceEvents", {"events": [late]}))
    again = client(*OTHERS[1]).get(REARREST, siteId=SITE)
    assert again.raw == first.raw
    assert json.loads(again.raw)["report"]["digest"] == report["digest"]
