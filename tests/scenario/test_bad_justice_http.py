"""Wrong justice events, declarations, comparisons, match decisions and cursors: named, never echoed, not half kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.command.demo import drafts, journey
from services.command.demo.client import Client
from services.command.demo.drafts import Draft
from services.command.demo.story import Person, Story
from services.shared.ids import new_id
from tests.scenario.attempts import CANARY, JSON, Tried, ask, held, named, wrong
from tests.scenario.conftest import put_to_the_office

pytestmark = pytest.mark.timeout(180)
JAIL, COURT, OFFICE = "sample-jail", "sample-court", "sample-office"
PATH, ENTRIES, MATCHES = "/v1/justiceEvents", "/v1/evaluationEntries", "/v1/personMatches"
AHEAD, YEAR_1000 = "2999-01-01T00:00:00Z", "1000-01-01T00:00:00Z"
Values = Mapping[str, Any]


@pytest.fixture(scope="module")
def jail(client: Callable[..., Client]) -> Client:
    return client("police_rms", JAIL)


@pytest.fixture(scope="module")
def office(client: Callable[..., Client]) -> Client:
    return client("program_manager", OFFICE)


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried, office: Client) -> Iterator[None]:
    yield
    tried.still_serves(office)
    tried.logs_are_clean()


def arrest(**more: Any) -> Draft:
    return {
        "source": {"system": "sample-bookings", "recordId": f"BAD-{new_id('evt')}", "version": "1"},
        "kind": "JUSTICE_EVENT_KIND_ARREST",
        "time": drafts.ago(hours=3),
        "warrantKind": "WARRANT_KIND_NONE",
        "person": {"givenName": "Testa", "familyName": "Sample-Booked", "birthDate": "1970-01-01"},
        **more,
    }


def outcomes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(row["outcome"]).removeprefix("JUSTICE_EVENT_OUTCOME_") for row in rows]


# What no event can be: the whole request is refused

FORMS: Mapping[str, Values] = {
    "types": {"kind": [CANARY], "time": 5, "person": CANARY, "source": {"version": CANARY}, "level": 2.5},
    "words": {"kind": CANARY, "warrantKind": 99, "level": -1, "action": f"JUSTICE_ACTION_{CANARY}"},
    "unknown": {"nickname": CANARY, "person.height": CANARY, "charges": [CANARY], "id": f"jev_{CANARY}"},
    "never carried": {"person.fbiNumber": CANARY, "person.sid": CANARY, "ncicNumber": CANARY, "rapSheet": CANARY},
    "no calendar": {"time": "2026-02-30T00:00:00Z", "offenceTime": f"{CANARY}T00:00:00Z"},
    "characters": {"incidentNumber": f"{CANARY}\0", "person.givenName": f"{CANARY}\0"},
}


@pytest.mark.parametrize("name", FORMS)
def test_an_event_that_is_none_refuses_the_request_and_nothing_of_it_is_kept(
    name: str, jail: Client, tried: Tried
) -> None:
    good, values = arrest(), FORMS[name]
    paths = [f"events[1].{'source.version' if path == 'source' else path}" for path in values]
    answer = jail.post(PATH, {"events": [good, wrong(arrest(), values)], "completeThrough": drafts.ago(days=900)})
    tried.refused(answer, 400, *paths, reason="INVALID_FIELDS")
    # The good one beside it was not kept either.
    assert outcomes(tried.results(jail.post(PATH, {"events": [good]}))) == ["CREATED"]


BODIES: Mapping[str, tuple[bytes, Sequence[str]]] = {
    "empty": (b"", ("events",)),
    "a list": (b"[]", ("",)),
    "no list": (f'{{"events":"{CANARY}","completeThrough":7}}'.encode(), ("events", "completeThrough")),
    "cut": (f'{{"events":[{{"kind":"{CANARY}'.encode(), ("",)),
    "no UTF-8": (b'{"events":[{"incidentNumber":"' + CANARY.encode() + b'\xff"}]}', ("",)),
    "UTF-16": (f'{{"{CANARY}":1}}'.encode("utf-16"), ("",)),
    "deep": (b'{"events":' * 3_000 + b"1" + b"}" * 3_000, ("",)),
    "names twice": (
        b'{"events":[],"events":[{"incidentNumber":"zqcanaria","incidentNumber":"zqcanaria"}]}',
        ("events", "events[0].incidentNumber"),
    ),
    "5,001 events": (json.dumps({"events": [{"incidentNumber": CANARY}] * 5_001}).encode(), ("events",)),
    "nothing": (b"{}", ("events",)),
}


def test_a_body_that_is_no_feed_is_refused(jail: Client, tried: Tried) -> None:
    for body, paths in BODIES.values():
        tried.refused(ask(jail, "POST", PATH, content=body, headers=JSON), 400, *paths)
    large = b'{"events":[' + b" " * (16 * 1024 * 1024) + b"]}"
    tried.refused(ask(jail, "POST", PATH, content=large, headers=JSON), 413, reason="BODY_TOO_LARGE")
    other = ask(jail, "POST", PATH, content=b"<events/>", headers={"content-type": "application/xml"})
    tried.refused(other, 415, reason="UNSUPPORTED_MEDIA_TYPE")


# What cannot be: told event by event

ROWS: Mapping[str, tuple[Values, Sequence[str]]] = {
    "nothing": (
        {"source": {}, "kind": "JUSTICE_EVENT_KIND_UNSPECIFIED", "time": None, "person": {}},
        [
            *("source.system", "source.recordId", "source.version"),
            *("kind", "time", "person.givenName", "person.familyName"),
        ],
    ),
    "shapes": (
        {
            "person.givenName": f"{CANARY} FBI no. 123456AB7",
            "person.familyName": f"{CANARY} SID: 1234567",
            "person.localId": "".join(chr(ord(one) + 0xFEE0) for one in "WA12345678"),
        },
        ["person.givenName", "person.familyName", "person.localId"],
    ),
    "ahead": ({"time": AHEAD, "offenceTime": AHEAD}, ["time", "offenceTime"]),
    "long ago": ({"time": YEAR_1000, "person.birthDate": "1066-10-14"}, ["time", "person.birthDate"]),
    "births": ({"person.birthDate": "1990-02-30"}, ["person.birthDate"]),
    "unborn": ({"person.birthDate": "2999"}, ["person.birthDate"]),
    "no date": ({"person.birthDate": CANARY}, ["person.birthDate"]),
    "half a name": ({"person.familyName": " "}, ["person.familyName"]),
    "no version": ({"source.version": "-1"}, ["source.version"]),
    "names": (
        {"source.system": f"{CANARY} Bookings", "source.recordId": f" {CANARY}", "incidentNumber": f"{CANARY} "},
        ["source.system", "source.recordId", "incidentNumber"],
    ),
    "long": (
        {"incidentNumber": CANARY * 20, "bookingNumber": CANARY * 20, "person.givenName": CANARY * 20},
        ["incidentNumber", "bookingNumber", "person.givenName"],
    ),
    "no basis": ({"warrantKind": "WARRANT_KIND_UNSPECIFIED"}, ["warrantKind"]),
    "no booking": ({"kind": "JUSTICE_EVENT_KIND_RELEASE"}, ["bookingNumber"]),
    "no level": ({"kind": "JUSTICE_EVENT_KIND_CHARGE_FILED"}, ["level"]),
    "a charge of the dead": ({"kind": "JUSTICE_EVENT_KIND_DEATH"}, ["warrantKind"]),
    "before the deed": ({"offenceTime": drafts.ago(hours=1)}, ["offenceTime"]),
    "before the warrant": (
        {"warrantKind": "WARRANT_KIND_FTA", "warrantTime": drafts.ago(hours=1)},
        ["warrantTime"],
    ),
    "of no warrant": ({"warrantTime": drafts.ago(hours=9)}, ["warrantTime"]),
    "never sent": ({"action": "JUSTICE_ACTION_DELETE"}, ["source.recordId"]),
}


def test_a_bad_event_names_its_fields_and_the_others_stand(jail: Client, tried: Tried) -> None:
    bad = [wrong(arrest(), values) for values, _ in ROWS.values()]
    rows = tried.results(jail.post(PATH, {"events": [arrest(), *bad, arrest()]}))
    assert outcomes(rows) == ["CREATED", *["REJECTED"] * len(bad), "CREATED"]
    for row, (name, (_, paths)) in zip(rows[1:], ROWS.items(), strict=False):
        assert sorted(named(row)) == sorted(paths), name
        assert "justiceEventId" not in row


def test_what_was_rejected_left_nothing_behind(jail: Client, tried: Tried) -> None:
    bad = [wrong(arrest(), {"time": AHEAD}) for _ in range(3)]
    assert outcomes(tried.results(jail.post(PATH, {"events": bad}))) == ["REJECTED"] * 3
    mended = [each | {"time": drafts.ago(hours=2)} for each in bad]
    assert outcomes(tried.results(jail.post(PATH, {"events": mended}))) == ["CREATED"] * 3
    assert outcomes(tried.results(jail.post(PATH, {"events": mended}))) == ["UNCHANGED"] * 3


def test_events_out_of_order_are_told_by_their_version(jail: Client, tried: Tried) -> None:
    first = arrest()

    def version(number: int, **more: Any) -> Draft:
        return {**first, "source": {**first["source"], "version": str(number)}, **more}

    earlier = {"time": drafts.ago(hours=5)}
    gone = {"action": "JUSTICE_ACTION_DELETE"}
    sent = [
        *(version(2), version(2), version(2, **earlier), version(1), version(3, **earlier)),
        *(version(2, **gone), version(4, **gone), version(4, **gone), version(3, **earlier)),
    ]
    rows = tried.results(jail.post(PATH, {"events": sent}))
    wished = ["CREATED", "UNCHANGED", "REJECTED", "STALE", "REPLACED", "STALE", "WITHDRAWN", "UNCHANGED", "STALE"]
    assert outcomes(rows) == wished
    assert named(rows[2]) == named(rows[3]) == {"source.version"}
    assert len({row["justiceEventId"] for row in rows}) == 1


# How far a feed is complete


def test_a_declaration_follows_on_what_was_declared(client: Callable[..., Client], tried: Tried) -> None:
    court, now = client("police_rms", COURT), datetime.now(UTC)

    def declare(start: float | None, end: float, *events: Draft) -> Any:
        days = {name: drafts.rfc3339(now - timedelta(days=each)) for name, each in (("f", start or 0), ("t", end))}
        begin = {} if start is None else {"completeFrom": days["f"]}
        return court.post(PATH, {"events": list(events), **begin, "completeThrough": days["t"]})

    # The first one needs a beginning; none runs backwards or ahead, and none lacks its end.
    tried.refused(declare(None, 60), 400, "completeFrom")
    tried.refused(declare(60, 90), 400, "completeThrough")
    tried.refused(declare(60, -2), 400, "completeThrough")
    tried.refused(court.post(PATH, {"completeFrom": drafts.ago(days=9)}), 400, "events", "completeThrough")
    wild = {"completeFrom": YEAR_1000, "completeThrough": "0001-01-01T00:00:00Z"}
    tried.refused(court.post(PATH, wild), 400, "completeFrom", "completeThrough")
    assert "gaps" not in journey.done("declare", declare(90, 60))["feed"]
    # What is declared is not taken back, and the events beside it are not kept.
    beside = arrest()
    tried.refused(declare(120, 70, beside), 400, "completeThrough")
    assert outcomes(tried.results(court.post(PATH, {"events": [beside]}))) == ["CREATED"]
    # A stretch that was left out is a gap until it is closed.
    assert len(journey.done("declare", declare(30, 20))["feed"]["gaps"]) == 1
    assert len(journey.done("declare", declare(50, 10))["feed"]["gaps"]) == 1
    assert "gaps" not in journey.done("declare", declare(70, 9))["feed"]
    # Of a request that lacks an event nothing is declared.
    held_back = declare(None, 1, arrest(), wrong(arrest(), {"time": AHEAD}))
    assert outcomes(tried.results(held_back)) == ["CREATED", "REJECTED"]
    assert held_back["feed"]["completeThrough"] == drafts.rfc3339(now - timedelta(days=9))
    assert held_back["feed"]["note"]
    late = tried.results(court.post(PATH, {"events": [arrest(time=drafts.ago(days=80))]}))
    assert (outcomes(late), named(late[0])) == (["CREATED"], {"time"})


# Comparisons


def test_a_comparison_names_all_that_it_lacks_and_is_not_half_kept(office: Client, tried: Tried) -> None:
    index = {"agencyId": "sample-police", "system": "sample-arrests", "recordId": f"IDX-{new_id('evt')}"}
    fine = {"siteId": "seattle", "arm": "ARM_COMPARISON", "indexEvent": index}
    for values, paths in (
        ({"siteId": 7, "arm": [CANARY], "indexEvent": CANARY}, ("siteId", "arm", "indexEvent")),
        ({"arm": CANARY, "start": CANARY, "person": {"familyName": CANARY}}, ("arm", "start", "person")),
        ({"indexEvent.recordId": f"{CANARY}\0", "indexEvent.time": CANARY}, ("indexEvent.recordId", "indexEvent.time")),
        ({"siteId": "santa-fe", "indexEvent.agencyId": CANARY}, ("siteId", "indexEvent.agencyId")),
        ({"indexEvent.agencyId": "sample-santa-fe-police"}, ("indexEvent.agencyId",)),
        ({"indexEvent.agencyId": "sample-outreach"}, ("indexEvent.agencyId",)),
        ({"siteId": CANARY, "indexEvent.agencyId": CANARY}, ("siteId", "indexEvent.agencyId")),
        (
            {"indexEvent.system": f" {CANARY}", "indexEvent.recordId": CANARY * 20, "arm": "ARM_UNSPECIFIED"},
            ("indexEvent.system", "indexEvent.recordId", "arm"),
        ),
    ):
        tried.refused(office.post(ENTRIES, wrong(fine, values)), 400, *paths)
    tried.refused(
        office.post(ENTRIES, {}),
        400,
        *("siteId", "arm", "indexEvent.agencyId", "indexEvent.system", "indexEvent.recordId"),
    )
    # Had one of them been kept, this would be another arm of the same.
    made = journey.done("register", office.post(ENTRIES, fine | {"arm": "ARM_CONTROL"}))["entry"]
    assert journey.done("register", office.post(ENTRIES, fine | {"arm": "ARM_CONTROL"}))["entry"]["id"] == made["id"]
    tried.refused(office.post(ENTRIES, fine), 409, reason="ENTRY_REGISTERED")


# Matches


@pytest.fixture(scope="module")
def task(story: Story, beta: Person) -> Mapping[str, Any]:
    """A question that is put to the programme office: whether somebody who was arrested is a participant."""
    return put_to_the_office(story, beta)


def test_a_match_is_decided_once_by_its_etag(task: Mapping[str, Any], office: Client, tried: Tried) -> None:
    before, path = held(office, MATCHES, "matches"), f"{MATCHES}/{task['id']}"
    for sent, paths in (
        ({}, ("etag",)),
        ({"etag": 7, "note": CANARY}, ("etag", "note")),
        ({"etag": [CANARY], "state": CANARY, "confirmedBy": CANARY}, ("etag", "state", "confirmedBy")),
    ):
        for verb in ("confirm", "reject"):
            tried.refused(office.post(f"{path}:{verb}", sent), 400, *paths)
    doubled = f'{{"etag":"{task["etag"]}","etag":"{CANARY}"}}'.encode()
    tried.refused(ask(office, "POST", f"{path}:confirm", content=doubled, headers=JSON), 400, "etag")
    tried.refused(office.post(f"{path}:confirm", {"etag": CANARY}), 409, reason="STALE_ETAG")
    assert held(office, MATCHES, "matches") == before
    decided = journey.done("reject", office.post(f"{path}:reject", {"etag": task["etag"]}))["match"]
    # Its names are gone with the decision, and the decision stands.
    assert not any("familyName" in decided.get(side, {}) for side in ("known", "found"))
    tried.refused(office.post(f"{path}:confirm", {"etag": decided["etag"]}), 409, reason="ILLEGAL_MOVE")
    tried.refused(office.post(f"{path}:confirm", {"etag": task["etag"]}), 409, reason="STALE_ETAG")
    query = f"state={CANARY}&pageSize=0&nickname={CANARY}"
    tried.refused(ask(office, "GET", f"{MATCHES}?{query}"), 400, "state", "nickname")
    tried.refused(ask(office, "GET", f"{MATCHES}?pageToken={CANARY}"), 400, "pageToken")


# Cursors of what happens live


@pytest.mark.parametrize("where", ["the address", "the header"])
def test_a_cursor_that_is_none_is_refused(where: str, client: Callable[..., Client], tried: Tried) -> None:
    officer, path = client("police_officer", "sample-police"), "/v1/events"
    cursors = [CANARY, "A" * 4_000, "é", f"{CANARY}\u00a0", "0", "Begin"]
    for cursor in cursors:
        header = {"last-event-id": cursor.encode()}
        answer: httpx.Response = (
            ask(officer, "GET", path, params={"cursor": cursor})
            if where == "the address"
            else ask(officer, "GET", path, headers=header)
        )
        tried.refused(answer, 400, "cursor")
    if where == "the address":
        for query in ("cursor=%ff", "cursor=begin&cursor=begin"):
            tried.refused(ask(officer, "GET", f"{path}?{query}"), 400, "cursor")
