"""Wrong calls of providers and to them: a 4xx that names every wrong path, nothing stored or echoed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.command.demo import drafts, journey, services
from services.command.demo.client import Client
from services.command.demo.story import Person, Story
from services.shared.ids import new_id
from tests.scenario.attempts import CANARY, JSON, Tried, ask, held, wrong

pytestmark = pytest.mark.timeout(180)
HOUSING = "sample-housing"
LISTS = {"/v1/services": "services", "/v1/serviceReferrals": "serviceReferrals", "/v1/enrollments": "enrollments"}
Values = Mapping[str, Any]
AHEAD, YEAR_1000 = "2999-01-01T00:00:00Z", "1000-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def staff(client: Callable[..., Client]) -> Client:
    return client("provider_staff", HOUSING)


@pytest.fixture(scope="module")
def case_manager(client: Callable[..., Client], delta: Person) -> Client:
    return client("case_manager", delta.case_agency)


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried, staff: Client) -> Iterator[None]:
    yield
    tried.still_serves(staff)
    tried.logs_are_clean()


@pytest.fixture
def unchanged(staff: Client, case_manager: Client, delta: Person) -> Iterator[None]:
    """Neither side sees anything else after a refused call."""

    def seen() -> list[object]:
        return [held(each, path, rows) for each in (staff, case_manager) for path, rows in LISTS.items()]

    before = seen()
    yield
    assert seen() == before


def asked_path(person: Person) -> str:
    return f"/v1/serviceReferrals/{person.services[f'asked {HOUSING}']}"


def enrolled_path(person: Person) -> str:
    return f"/v1/enrollments/{person.services[f'enrolled {HOUSING}']}"


# Services

OFFER: Values = {"name": "Sample rooms", "kind": "SERVICE_KIND_HOUSING", "capacity": 9, "openPlaces": 5}
DESCRIBED: Mapping[str, Values] = {
    "types": {"name": 7, "description": {CANARY: CANARY}, "capacity": CANARY, "openPlaces": 2.5, "state": True},
    "unknown": {"nickname": CANARY, "agencyId": CANARY, "totals": [{"people": 3}], "updateTime": CANARY},
    "never carried": {"fbiNumber": CANARY, "sid": CANARY, "hivStatus": CANARY, "psychotherapyNotes": CANARY},
    "shapes": {"name": f"{CANARY} SID WA12345678", "description": f"{CANARY} is HIV positive"},
    "amounts": {"capacity": -1, "openPlaces": 100_001},
    "absurd": {"capacity": 10**30, "openPlaces": -(10**30), "state": 99},
    "lengths": {"name": CANARY * 30, "description": CANARY * 300},
    "characters": {"name": f"{CANARY}\u0007", "description": f"{CANARY}\0"},
    "places": {"openPlaces": 10},
}
NEW: Mapping[str, tuple[Values, Sequence[str]]] = {
    "words": ({"kind": f"SERVICE_KIND_{CANARY}", "state": -1}, ("kind", "state")),
    "nothing": ({"name": " \t", "kind": "SERVICE_KIND_UNSPECIFIED"}, ("name", "kind")),
    "a list": ({"siteIds": CANARY, "kind": [CANARY]}, ("siteIds", "kind")),
    "sites": (
        {"siteIds": [CANARY, "seattle", "seattle", "santa-fe"]},
        ("siteIds[0]", "siteIds[1]", "siteIds[2]", "siteIds[3]"),
    ),
}


@pytest.mark.parametrize("name", [*DESCRIBED, *NEW])
@pytest.mark.usefixtures("unchanged")
def test_every_wrong_field_of_a_service_is_named_at_once(name: str, staff: Client, tried: Tried) -> None:
    values, paths = NEW.get(name, (DESCRIBED.get(name, {}), tuple(DESCRIBED.get(name, {}))))
    tried.refused(staff.post("/v1/services", wrong(OFFER, values)), 400, *paths, reason="INVALID_FIELDS")


@pytest.mark.usefixtures("unchanged")
def test_every_wrong_field_of_a_change_is_named_at_once(story: Story, staff: Client, tried: Tried) -> None:
    path = f"/v1/services/{services.service(story, HOUSING)}"
    for values in (*DESCRIBED.values(), {"name": " "}):
        answer = staff.patch(path, {"etag": CANARY, **values})
        if values == DESCRIBED["places"]:
            # What is wrong with it lies in the record, which is shown by its etag first.
            tried.refused(answer, 409, reason="STALE_ETAG")
            continue
        tried.refused(answer, 400, *values)
    tried.refused(staff.patch(path, {}), 400, "etag")
    tried.refused(staff.patch(path, {"kind": "SERVICE_KIND_SHELTER", "siteIds": ["seattle"]}), 400, "kind", "siteIds")


TOTALS: Mapping[str, Values] = {
    "ahead": {"periodStart": "2999-01-01", "periodEnd": "2999-02-01", "people": -1},
    "no calendar": {"periodStart": "2026-02-30", "periodEnd": CANARY, "people": 1_000_001},
    "long ago": {"periodStart": "1899-12-31", "periodEnd": "0000-01-01"},
    "types": {"periodStart": 20260101, "periodEnd": [CANARY], "people": CANARY},
    "unknown": {"names": [CANARY], "participantIds": [CANARY]},
    "backwards": {"periodEnd": "2025-12-31"},
}


@pytest.mark.usefixtures("unchanged")
def test_every_wrong_field_of_a_total_is_named_at_once(story: Story, staff: Client, tried: Tried) -> None:
    path = f"/v1/services/{services.service(story, HOUSING)}/totals"
    for values in TOTALS.values():
        sent = {"periodStart": "2026-01-01", "periodEnd": "2026-03-31", "people": 5, **values}
        tried.refused(staff.post(path, sent), 400, *values)
    tried.refused(staff.post(path, {}), 400, "periodStart", "periodEnd", "people")


# Service referrals


@pytest.mark.usefixtures("unchanged")
def test_every_wrong_field_of_a_service_referral_is_named_at_once(
    story: Story, case_manager: Client, delta: Person, tried: Tried
) -> None:
    fine = {"serviceId": services.service(story, HOUSING), "participantId": delta.participant_id}
    cases: Sequence[tuple[Values, Sequence[str]]] = (
        ({"serviceId": 1, "participantId": [CANARY], "needs": CANARY}, ("serviceId", "participantId", "needs")),
        ({"needs": ["NEED_HOUSING", CANARY, 99]}, ("needs[1]", "needs[2]")),
        ({"needs": ["NEED_LEGAL", "NEED_HOUSING", "NEED_LEGAL"]}, ("needs[0]", "needs[2]")),
        ({"narrative": CANARY, "state": CANARY, "person": {"familyName": CANARY}}, ("narrative", "state", "person")),
        ({"serviceId": CANARY, "participantId": CANARY}, ("serviceId", "participantId")),
        ({"serviceId": new_id("srv"), "participantId": new_id("par")}, ("serviceId", "participantId")),
    )
    for values, paths in cases:
        tried.refused(case_manager.post("/v1/serviceReferrals", wrong(fine, values)), 400, *paths)
    tried.refused(case_manager.post("/v1/serviceReferrals", {}), 400, "serviceId", "participantId")


@pytest.mark.usefixtures("unchanged")
def test_every_wrong_field_of_a_move_is_named_at_once(
    staff: Client, case_manager: Client, delta: Person, tried: Tried
) -> None:
    path, far = asked_path(delta), drafts.ago(days=-400)
    for sender, verb, sent, paths in (
        (staff, "offer", {}, ("etag",)),
        (staff, "offer", {"holdUntilTime": drafts.ago(minutes=1), "etag": "a"}, ("holdUntilTime",)),
        (staff, "offer", {"holdUntilTime": far}, ("holdUntilTime", "etag")),
        (staff, "offer", {"holdUntilTime": CANARY, "etag": 7, "note": CANARY}, ("holdUntilTime", "etag", "note")),
        (staff, "accept", {"etag": ""}, ("etag",)),
        (staff, "waitlist", {"place": 3}, ("place",)),
        (staff, "decline", {}, ("reason", "etag")),
        (staff, "decline", {"reason": f"ANSWER_DECLINE_REASON_{CANARY}", "etag": "a"}, ("reason",)),
        (
            staff,
            "decline",
            {"requestReason": "REQUEST_DECLINE_REASON_OTHER", "etag": "a"},
            ("reason", "requestReason"),
        ),
        (case_manager, "accept", {}, ("etag",)),
        (case_manager, "cancel", {"reason": CANARY}, ("reason",)),
        (case_manager, "decline", {"reason": "ANSWER_DECLINE_REASON_OTHER"}, ("requestReason", "reason", "etag")),
        (case_manager, "decline", {"requestReason": -4, "etag": "a"}, ("requestReason",)),
    ):
        tried.refused(sender.post(f"{path}:{verb}", sent), 400, *paths)


@pytest.mark.usefixtures("unchanged")
def test_a_move_of_the_other_side_or_out_of_turn_changes_nothing(
    staff: Client, case_manager: Client, delta: Person, tried: Tried
) -> None:
    path, row = asked_path(delta), services.asked(delta, HOUSING, staff) or {}
    for sender, verb in ((case_manager, "offer"), (case_manager, "waitlist"), (staff, "cancel")):
        tried.refused(sender.post(f"{path}:{verb}", {"etag": CANARY}), 403, reason="ROLE_NOT_ALLOWED")
    # The etag of one side is not that of the other.
    tried.refused(staff.post(f"{path}:offer", {"etag": row["etag"]}), 409, reason="STALE_ETAG")
    tried.refused(case_manager.post(f"{path}:accept", {"etag": row["answer"]["etag"]}), 409, reason="STALE_ETAG")
    no = {"reason": "ANSWER_DECLINE_REASON_OTHER", "etag": row["answer"]["etag"]}
    # Who takes part is no longer offered a place, nor declined.
    tried.refused(staff.post(f"{path}:offer", {"etag": row["answer"]["etag"]}), 409, reason="ILLEGAL_MOVE")
    tried.refused(staff.post(f"{path}:decline", no), 409, reason="ILLEGAL_MOVE")


# Enrolments

STAYS: Values = {"status": "ENROLLMENT_STATUS_ENROLLED", "startTime": drafts.ago(hours=2)}
ENROLMENTS: Mapping[str, Values] = {
    "types": {"status": [CANARY], "startTime": 7, "source": CANARY, "serviceId": {CANARY: 1}},
    "words": {"status": f"ENROLLMENT_STATUS_{CANARY}", "source.version": CANARY},
    "unknown": {"diagnosis": CANARY, "note": CANARY, "source.name": CANARY, "id": f"enr_{CANARY}", "etag": CANARY},
    "never carried": {"fbiNumber": CANARY, "hivStatus": CANARY, "source.sid": CANARY, "counsellingNotes": CANARY},
    "ahead": {"startTime": AHEAD, "endTime": AHEAD},
    "long ago": {"startTime": YEAR_1000, "endTime": YEAR_1000, "source.system": f"={CANARY}", "source.recordId": "@a"},
    "no calendar": {"startTime": "2026-02-30T00:00:00Z", "endTime": f"{CANARY}T00:00:00Z"},
    "source": {"source.system": f"{CANARY} Records", "source.recordId": f" {CANARY}", "source.version": "-1"},
    "whose": {"participantId": CANARY, "serviceReferralId": CANARY, "serviceId": CANARY},
    "both": {"participantId": CANARY},
    "an end": {"endTime": drafts.ago(hours=1)},
}


@pytest.mark.parametrize("name", ENROLMENTS)
@pytest.mark.usefixtures("unchanged")
def test_every_wrong_field_of_an_enrolment_is_named_at_once(
    name: str, staff: Client, delta: Person, tried: Tried
) -> None:
    fine = {
        **STAYS,
        "serviceReferralId": delta.services[f"asked {HOUSING}"],
        "source": {"system": "sample-rooms", "recordId": f"BAD-{new_id('evt')}"},
    }
    answer = staff.post("/v1/enrollments", wrong(fine, ENROLMENTS[name]))
    tried.refused(answer, 400, *ENROLMENTS[name], reason="INVALID_FIELDS")


@pytest.mark.usefixtures("unchanged")
def test_an_enrolment_says_all_that_it_lacks(staff: Client, tried: Tried) -> None:
    tried.refused(staff.post("/v1/enrollments", {}), 400, "serviceReferralId", "serviceId", "status", "startTime")
    half = {"source": {"version": "1"}, "status": "ENROLLMENT_STATUS_UNSPECIFIED", "participantId": CANARY}
    paths = ("source.system", "source.recordId", "status", "startTime", "serviceId", "participantId")
    tried.refused(staff.post("/v1/enrollments", half), 400, *paths)


def test_a_version_is_sent_with_one_body_and_never_back(staff: Client, delta: Person, tried: Tried) -> None:
    source = {"system": "sample-rooms", "recordId": f"V-{new_id('evt')}", "version": "3"}
    sent = {**STAYS, "serviceReferralId": delta.services[f"asked {HOUSING}"], "source": source}
    made = journey.done("enrol", staff.post("/v1/enrollments", sent))["enrollment"]
    again = journey.done("enrol again", staff.post("/v1/enrollments", sent))["enrollment"]
    assert again == made
    changed = {**sent, "startTime": drafts.ago(hours=1)}
    tried.refused(staff.post("/v1/enrollments", changed), 409, reason="VERSION_REUSED")
    older = {**changed, "source": source | {"version": "2"}}
    tried.refused(staff.post("/v1/enrollments", older), 409, reason="STALE_VERSION")
    none = {**changed, "source": {name: source[name] for name in ("system", "recordId")}}
    tried.refused(staff.post("/v1/enrollments", none), 400, "source.version")
    assert staff.get(f"/v1/enrollments/{made['id']}")["enrollment"] == made


def test_a_key_that_came_with_another_body_is_refused(staff: Client, delta: Person, tried: Tried) -> None:
    enrolled = {**STAYS, "serviceReferralId": delta.services[f"asked {HOUSING}"]}
    for path, sent, change in (
        ("/v1/services", OFFER, {"name": CANARY}),
        ("/v1/enrollments", enrolled, {"startTime": drafts.ago(hours=3)}),
    ):
        key = {"idempotency-key": new_id("evt")}
        first, again = (staff.post(path, sent, headers=key) for _ in range(2))
        assert first.status == again.status == 200, first.raw
        assert first.body == again.body
        before = [held(staff, each, rows) for each, rows in LISTS.items()]
        tried.refused(staff.post(path, {**sent, **change}, headers=key), 409, reason="IDEMPOTENCY_KEY_REUSED")
        assert [held(staff, each, rows) for each, rows in LISTS.items()] == before


@pytest.mark.usefixtures("unchanged")
def test_every_wrong_field_of_a_changed_enrolment_is_named_at_once(staff: Client, delta: Person, tried: Tried) -> None:
    path = enrolled_path(delta)
    etag = staff.get(path)["enrollment"]["etag"]
    over = {"status": "ENROLLMENT_STATUS_COMPLETED", "etag": etag}
    for sent, paths in (
        ({}, ("etag",)),
        ({"status": CANARY, "startTime": [CANARY], "etag": 7}, ("status", "startTime", "etag")),
        ({"status": 99, "note": CANARY, "participantId": CANARY}, ("status", "note", "participantId")),
        ({"startTime": AHEAD, "endTime": YEAR_1000}, ("startTime", "endTime", "etag")),
        ({"endTime": drafts.ago(), "etag": etag}, ("endTime",)),
        ({"endTime": "1950-01-01T00:00:00Z", **over}, ("endTime",)),
    ):
        tried.refused(staff.patch(path, sent), 400, *paths)
    tried.refused(staff.patch(path, over | {"etag": CANARY}), 409, reason="STALE_ETAG")


@pytest.mark.usefixtures("unchanged")
def test_every_wrong_field_of_an_attendance_is_named_at_once(staff: Client, delta: Person, tried: Tried) -> None:
    path, missed = f"{enrolled_path(delta)}/attendance", "ATTENDANCE_STATUS_MISSED"
    for sent, paths in (
        ({}, ("date", "status")),
        ({"date": 20260101, "status": [CANARY], "minutes": CANARY}, ("date", "status", "minutes")),
        ({"date": CANARY, "status": 99}, ("status",)),
        ({"date": "2999-01-01", "minutes": -1}, ("date", "status", "minutes")),
        ({"date": CANARY, "status": missed, "minutes": 1_441}, ("date", "minutes")),
        ({"date": drafts.ago()[:10], "status": missed, "minutes": 5}, ("minutes",)),
        ({"date": "2001-01-01", "status": missed}, ("date",)),
        ({"date": "2001-01-01", "status": missed, "note": CANARY, "said": CANARY}, ("note", "said")),
    ):
        tried.refused(staff.post(path, sent), 400, *paths)


def test_an_enrolment_that_is_over_begins_no_more(staff: Client, delta: Person, tried: Tried) -> None:
    sent = {**STAYS, "serviceReferralId": delta.services[f"asked {HOUSING}"]}
    made = journey.done("enrol", staff.post("/v1/enrollments", sent))["enrollment"]
    path = f"/v1/enrollments/{made['id']}"
    over = {"status": "ENROLLMENT_STATUS_COMPLETED", "endTime": drafts.ago(), "etag": made["etag"]}
    ended = journey.done("end", staff.patch(path, over))["enrollment"]
    again = {"status": "ENROLLMENT_STATUS_ACTIVE", "etag": ended["etag"]}
    assert "nothing" in tried.refused(staff.patch(path, again), 409, reason="ILLEGAL_MOVE")["detail"]
    tried.refused(staff.patch(path, over), 409, reason="STALE_ETAG")
    assert staff.get(path)["enrollment"] == ended


# Bodies and queries

BODIES: Mapping[str, tuple[bytes, Sequence[str]]] = {
    "a list": (b"[]", ("",)),
    "cut": (f'{{"etag":"{CANARY}'.encode(), ("",)),
    "no UTF-8": (b'{"etag":"' + CANARY.encode() + b'\xff\xfe"}', ("",)),
    "UTF-16": (f'{{"etag":"{CANARY}"}}'.encode("utf-16"), ("",)),
    "deep": (b'{"etag":' * 2_000 + b"1" + b"}" * 2_000, ("",)),
    "brackets": (b"[" * 100_000, ("",)),
}


@pytest.mark.usefixtures("unchanged")
def test_a_body_that_is_no_object_is_refused_by_every_write(
    story: Story, staff: Client, case_manager: Client, delta: Person, tried: Tried
) -> None:
    service, asked, enrolled = services.service(story, HOUSING), asked_path(delta), enrolled_path(delta)
    writes = (
        (staff, "POST", "/v1/services", "name"),
        (staff, "PATCH", f"/v1/services/{service}", "etag"),
        (staff, "POST", f"/v1/services/{service}/totals", "periodStart"),
        (case_manager, "POST", "/v1/serviceReferrals", "participantId"),
        (staff, "POST", f"{asked}:offer", "etag"),
        (case_manager, "POST", f"{asked}:cancel", "etag"),
        (staff, "POST", "/v1/enrollments", "participantId"),
        (staff, "PATCH", enrolled, "etag"),
        (staff, "POST", f"{enrolled}/attendance", "date"),
    )
    for sender, verb, path, field in writes:
        for body, paths in BODIES.values():
            tried.refused(ask(sender, verb, path, content=body, headers=JSON), 400, *paths)
        doubled = f'{{"{field}":"a","{field}":"{CANARY}"}}'.encode()
        tried.refused(ask(sender, verb, path, content=doubled, headers=JSON), 400, field)
        large = ask(sender, verb, path, content=b" " * (1024 * 1024 + 1), headers=JSON)
        tried.refused(large, 413, reason="BODY_TOO_LARGE")
        other = ask(sender, verb, path, content=b"{}", headers={"content-type": "text/plain"})
        tried.refused(other, 415, reason="UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("path", LISTS)
def test_a_wrong_query_is_refused_by_its_parameters(path: str, staff: Client, tried: Tried) -> None:
    dated = path != "/v1/services"
    for query, paths in (
        ("pageSize=0", ("pageSize",)),
        ("pageSize=501", ("pageSize",)),
        (f"nickname={CANARY}&pageSize={CANARY}", ("nickname", "pageSize")),
        (f"pageToken={CANARY}", ("pageToken",)),
        ("pageToken=%ff", ("pageToken",)),
        *(((f"kind={CANARY}", ("kind",)),) if not dated else ()),
        *(((f"updatedAfter={CANARY}", ("updatedAfter",)),) if dated else ()),
        *((("updatedAfter=2999-01-01T00:00:00Z", ("updatedAfter",)),) if dated else ()),
    ):
        tried.refused(ask(staff, "GET", f"{path}?{query}"), 400, *paths)


# Values of every kind where an enrolment has others; each text holds the canary. Names are told, values never.
_NAMES = st.sampled_from(["id", "system", "version", "seconds", "nickname", "", "ü", "a b"])
_TEXTS = st.text(max_size=20).map(lambda text: CANARY + text)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3), max_leaves=5
)
_PLACES = st.sampled_from(
    [
        *("serviceId", "serviceReferralId", "participantId", "source", "status", "startTime", "endTime"),
        *("source.system", "source.recordId", "source.version"),
    ]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(_PLACES, _VALUES, min_size=1, max_size=4))
def test_no_enrolment_however_wrong_is_answered_by_a_5xx(
    values: Values, staff: Client, delta: Person, tried: Tried
) -> None:
    fine = {**STAYS, "serviceReferralId": delta.services[f"asked {HOUSING}"], "source": {"system": "sample-rooms"}}
    try:
        body = wrong(fine, values)
    except (TypeError, AttributeError, KeyError):
        # Two places of which one lies in what the other replaced.
        return
    answer = staff.post("/v1/enrollments", body)
    if answer.status != 200:
        tried.refused(answer, 400, *(one["path"] for one in answer["violations"]))
