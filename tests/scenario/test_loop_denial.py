"""Providers, jails and courts: what is not theirs is not there, by every method and in the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx
import pytest
from google.api import annotations_pb2

from services.command.demo import drafts, services
from services.command.demo.client import Client
from services.command.demo.drafts import PROVIDERS
from services.command.demo.story import Person, Story
from services.shared import labels
from services.shared.ids import new_id
from tests.scenario.attempts import CANARY, Tried, ask

pytestmark = pytest.mark.timeout(180)
_HTTP: Any = annotations_pb2.http
VICTIMS, DAY = "sample-victim-services", drafts.ago()[:10]
# Methods on each kind of record; bodies that their records would take.
METHODS: Sequence[tuple[str, str, str, Mapping[str, Any]]] = (
    ("PATCH", "services", "", {"openPlaces": 1, "etag": "a"}),
    ("POST", "services", "/totals", {"periodStart": "2026-01-01", "periodEnd": "2026-03-31", "people": 20}),
    ("POST", "serviceReferrals", ":offer", {"etag": "a"}),
    ("POST", "serviceReferrals", ":accept", {"etag": "a"}),
    ("POST", "serviceReferrals", ":waitlist", {"etag": "a"}),
    ("POST", "serviceReferrals", ":decline", {"reason": "ANSWER_DECLINE_REASON_OTHER", "etag": "a"}),
    ("GET", "enrollments", "", {}),
    ("PATCH", "enrollments", "", {"status": "ENROLLMENT_STATUS_ACTIVE", "etag": "a"}),
    ("POST", "enrollments", "/attendance", {"date": DAY, "status": "ATTENDANCE_STATUS_ATTENDED"}),
)
_PREFIXES = {"services": "srv", "serviceReferrals": "srf", "enrollments": "enr"}
_PURPOSES = {"sample-treatment": ("CAREMGT", "TREAT"), "sample-housing": ("CAREMGT", "HOUSING_PLACE")}


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried) -> Iterator[None]:
    yield
    tried.logs_are_clean()


def ids_at(story: Story, person: Person, agency: str) -> Mapping[str, str]:
    return {
        "services": services.service(story, agency),
        "serviceReferrals": person.services[f"asked {agency}"],
        "enrollments": person.services[f"enrolled {agency}"],
    }


def told(response: httpx.Response) -> tuple[int, str]:
    """Return what an answer says, but for what no two answers share."""
    return response.status_code, response.text.replace(response.headers["x-request-id"], "")


def call(client: Client, method: tuple[str, str, str, Mapping[str, Any]], record_id: str) -> tuple[int, str]:
    verb, collection, move, body = method
    sent = {} if verb == "GET" else {"json": body}
    return told(ask(client, verb, f"/v1/{collection}/{record_id}{move}", **sent))


@pytest.mark.parametrize("agency", PROVIDERS)
def test_no_record_of_another_provider_is_there_by_any_method(
    agency: str, client: Callable[..., Client], story: Story, gamma: Person
) -> None:
    caller = client("provider_staff", agency)
    for method in METHODS:
        absent = call(caller, method, new_id(_PREFIXES[method[1]]))
        assert absent[0] == 404
        for other in PROVIDERS:
            if other != agency:
                assert call(caller, method, ids_at(story, gamma, other)[method[1]]) == absent, (method, other)


@pytest.mark.parametrize("agency", PROVIDERS)
def test_a_provider_without_a_release_sees_nothing_of_what_it_is_asked(
    agency: str, client: Callable[..., Client], gamma: Person
) -> None:
    asked, enrolled = gamma.services[f"asked {agency}"], gamma.services[f"enrolled {agency}"]
    for role in ("provider_staff", "provider_system"):
        caller = client(role, agency)
        for purpose in _PURPOSES.get(agency, ("CAREMGT",)):
            for query in ({}, {"updatedAfter": drafts.ago(days=1)}, {"participantId": gamma.participant_id}):
                rows = _one_by_one(caller, purpose, query)
                assert asked not in json.dumps(rows)
                assert gamma.participant_id not in json.dumps(rows)
    # Its own enrolment it has, without the request that it may not know.
    shown = client("provider_staff", agency).get(f"/v1/enrollments/{enrolled}")
    assert shown["enrollment"]["id"] == enrolled
    assert asked.encode() not in shown.raw


def _one_by_one(client: Client, purpose: str, query: Mapping[str, str]) -> list[Any]:
    """Return the service referrals that a client sees, after checking that no page is for what it does not see."""
    rows: list[Any] = []
    token = ""
    while True:
        more = {"pageToken": token} if token else {}
        answer = client.get("/v1/serviceReferrals", purpose=purpose, pageSize="1", **query, **more)
        assert answer.status == 200, answer.raw
        page = answer.body.get("serviceReferrals", [])
        token = answer.body.get("nextPageToken", "")
        assert len(page) == 1 or not (rows or token)
        rows += page
        if not token:
            return rows


@pytest.mark.parametrize("agency", PROVIDERS)
def test_a_provider_without_a_release_cannot_answer_nor_tell_the_request_from_none(
    agency: str, client: Callable[..., Client], story: Story, gamma: Person, tried: Tried
) -> None:
    caller, asked = client("provider_staff", agency), gamma.services[f"asked {agency}"]
    for method in METHODS:
        if method[1] == "serviceReferrals":
            assert call(caller, method, asked) == call(caller, method, new_id("srf"))
            assert call(caller, method, asked)[0] == 404
    takes_in = {"status": "ENROLLMENT_STATUS_ENROLLED", "startTime": drafts.ago(minutes=1)}
    hidden, absent = (
        told(ask(caller, "POST", "/v1/enrollments", json={**takes_in, "serviceReferralId": each}))
        for each in (asked, new_id("srf"))
    )
    assert hidden == absent
    assert hidden[0] == 400
    source = {"system": "sample-records", "recordId": new_id("evt")}
    files = [{**takes_in, "serviceReferralId": each, "source": source} for each in (asked, new_id("srf"))]
    results = [tried.results(caller.post("/v1/enrollments:batch", {"enrollments": [each]})) for each in files]
    assert results[0] == results[1]
    assert results[0][0]["outcome"] == "BATCH_OUTCOME_REJECTED"


def test_a_participant_of_others_is_nobody_to_ask_about(
    client: Callable[..., Client], story: Story, gamma: Person, alpha: Person
) -> None:
    asks = {"serviceId": services.service(story, "sample-housing")}
    takes_in = {"status": "ENROLLMENT_STATUS_ENROLLED", "startTime": drafts.ago(minutes=1), **asks}
    other, housing = client("case_manager", "sample-second-outreach"), client("provider_staff", "sample-housing")
    for caller, path, body in ((other, "serviceReferrals", asks), (housing, "enrollments", takes_in)):
        # Alpha was never brought to the housing provider, nor is he of the other agency's caseload.
        withheld, absent, misformed = (
            told(ask(caller, "POST", f"/v1/{path}", json={**body, "participantId": each}))
            for each in (alpha.participant_id, new_id("par"), CANARY)
        )
        assert withheld == absent == misformed
        assert withheld[0] == 400
        listed = [
            told(ask(caller, "GET", f"/v1/{path}?participantId={each}"))
            for each in (alpha.participant_id, new_id("par"))
        ]
        assert listed[0] == listed[1] == (200, "{}")


# Jails and courts


@pytest.mark.parametrize("agency", ["sample-jail", "sample-court"])
def test_a_jail_and_a_court_post_what_they_did_and_call_nothing_else(
    agency: str, client: Callable[..., Client], tried: Tried
) -> None:
    caller = client("police_rms", agency)
    for rpc in labels.public_methods():
        http = rpc.GetOptions().Extensions[_HTTP]
        verb = http.WhichOneof("pattern")
        if not verb:
            continue
        path = getattr(http, verb).replace("{", "").replace("}", "")
        answer = ask(caller, verb.upper(), path, **({} if verb == "get" else {"json": {}}))
        if rpc.name == "RecordJusticeEvents":
            tried.refused(answer, 400, "events")
        else:
            tried.refused(answer, 403)
    for purpose in ("DIVERSION_COORD", "DIVERSION_ELIG"):
        answer = ask(caller, "POST", "/v1/justiceEvents", json={}, headers={"x-purpose-of-use": purpose})
        tried.refused(answer, 400, "events")


@pytest.mark.parametrize(
    ("role", "agency"),
    [
        ("police_officer", "sample-police"),
        ("prosecutor", "sample-city-attorney"),
        ("defender", "sample-defender"),
        ("case_manager", "sample-outreach"),
        ("provider_staff", "sample-housing"),
        ("evaluator", "sample-evaluator"),
        ("auditor", "sample-auditor"),
        ("operator", "sample-operator"),
    ],
)
def test_nobody_else_reports_events_or_decides_matches(
    role: str, agency: str, client: Callable[..., Client], tried: Tried
) -> None:
    caller = client(role, agency)
    tried.refused(ask(caller, "GET", "/v1/personMatches"), 403)
    for path in (f"personMatches/{new_id('mat')}:confirm", f"personMatches/{new_id('mat')}:reject", "justiceEvents"):
        tried.refused(ask(caller, "POST", f"/v1/{path}", json={}), 403)


# Victim services


def test_a_victim_service_provider_tells_and_is_told_of_nobody(
    client: Callable[..., Client], story: Story, delta: Person, tried: Tried
) -> None:
    service, reason = services.service(story, VICTIMS), "VSP_NO_PERSON_DATA"
    draft = {
        "serviceId": service,
        "participantId": delta.participant_id,
        "source": {"system": CANARY, "recordId": CANARY},
        "status": "ENROLLMENT_STATUS_ENROLLED",
        "startTime": drafts.ago(),
    }
    told_of = ("serviceId", "participantId", "source.system", "source.recordId", "status", "startTime")
    for role in ("provider_staff", "provider_system"):
        caller = client(role, VICTIMS)
        tried.refused(caller.post("/v1/enrollments", draft), 400, *told_of, reason=reason)
        tried.refused(caller.send("/v1/enrollments:batch", CANARY.encode(), "text/csv"), 400, "file", reason=reason)
        for other in (delta.services["enrolled sample-housing"], new_id("enr")):
            path = f"/v1/enrollments/{other}"
            change = {"status": "ENROLLMENT_STATUS_COMPLETED", "endTime": drafts.ago(), "etag": "a"}
            tried.refused(caller.patch(path, change), 400, "status", "endTime", reason=reason)
            day = {"date": DAY, "status": "ATTENDANCE_STATUS_ATTENDED", "minutes": 5}
            tried.refused(caller.post(f"{path}/attendance", day), 400, "date", "status", "minutes", reason=reason)
        for other in (delta.services["asked sample-housing"], new_id("srf")):
            for verb in ("offer", "accept", "waitlist", "decline"):
                sent = caller.post(f"/v1/serviceReferrals/{other}:{verb}", {"etag": "a"})
                tried.refused(sent, 400, "id", reason=reason)
        for path in ("/v1/enrollments", "/v1/serviceReferrals"):
            assert caller.get(path).body == {}
    asked = {"serviceId": service, "participantId": delta.participant_id, "needs": ["NEED_LEGAL"]}
    answer = client("case_manager", delta.case_agency).post("/v1/serviceReferrals", asked)
    assert "participantId" in {one["path"] for one in answer["violations"]}
    assert (answer.status, answer["reason"]) == (400, reason)
