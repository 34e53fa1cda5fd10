"""Absent and withheld are one answer, byte for byte, for every read and every move that a role may call (P2-02).

The calls are those of the contract: a new one is tried here as soon as it is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import grpc
import httpx
import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor
from lead.options.v1 import words_pb2

from services.command.demo import drafts, journey
from services.command.demo.calls import reads
from services.command.demo.client import Client, bearer, grpc_channel
from services.command.demo.story import Person, Story
from services.command.exchange import Exchange
from services.shared import labels
from services.shared.ids import new_id
from tests.scenario.attempts import Tried, ask
from tests.scenario.conftest import on_the_way, put_to_the_office

pytestmark = pytest.mark.timeout(180)
_HTTP: Any = annotations_pb2.http
_FIELD = re.compile(r"([A-Za-z]+)/\{([a-z_]+)\}")
# The directory is everybody's.
_PUBLIC = frozenset({"sites"})
COUNSELLING = "sample-counselling"
_PREFIXES = {
    "referrals": "ref",
    "reviews": "rev",
    "charges": "chg",
    "handoffs": "hof",
    "participants": "par",
    "consents": "con",
    "incidents": "inc",
    "accounts": "acc",
    "services": "srv",
    "serviceReferrals": "srf",
    "enrollments": "enr",
    "personMatches": "mat",
}


@dataclass(frozen=True)
class Stranger:
    """Somebody who may make calls of his role and has nothing to do with the person."""

    role: str
    kind: str
    agency: str = ""
    # In a release that was revoked: its rows are found, and the decision withholds them.
    was_named: bool = False

    def __str__(self) -> str:
        return f"{self.role}@{self.agency or 'beta'}"


STRANGERS = (
    Stranger("police_officer", "police", "sample-sheriff"),
    Stranger("police_officer", "police", "sample-santa-fe-police"),
    Stranger("police_liaison", "police", "sample-santa-fe-police"),
    Stranger("police_rms", "police", "sample-sheriff"),
    Stranger("prosecutor", "prosecutor", "sample-county-prosecutor"),
    Stranger("prosecutor", "prosecutor", "sample-santa-fe-prosecutor"),
    Stranger("defender", "defender", "sample-defender", was_named=True),
    Stranger("case_manager", "case_management", "sample-second-outreach", was_named=True),
    Stranger("case_supervisor", "case_management", "sample-recovery-outreach"),
    Stranger("program_manager", "program_office", "sample-santa-fe-office"),
    Stranger("provider_staff", "sud_treatment", "sample-treatment"),
    Stranger("provider_staff", "housing", "sample-housing"),
    Stranger("provider_system", "health_care", "sample-clinic"),
    Stranger("provider_staff", "victim_services", "sample-victim-services"),
    Stranger("evaluator", "evaluator", "sample-evaluator"),
    Stranger("auditor", "auditor", "sample-auditor"),
    Stranger("participant", ""),
)
# A body that each move takes; whatever is wrong with it besides the record is wrong for every record alike.
MOVES: Mapping[str, Any] = {
    "ApproveReferral": {"etag": "a"},
    "DeclineReferral": {"reason": "No room.", "etag": "a"},
    "WithdrawReferral": {},
    "RecordOffer": {"outcome": "OFFER_OUTCOME_NOT_MADE", "etag": "a"},
    "RecordHandover": {"time": drafts.ago(minutes=1), "etag": "a"},
    "ReferIncident": {"siteId": "seattle", "door": "DOOR_ARREST_DIVERSION", "person": {"familyName": "X"}, "etag": "a"},
    "AcceptHandoff": {"etag": "a"},
    "ArriveHandoff": {"etag": "a"},
    "CompleteHandoff": {"person": {"givenName": "Testa", "familyName": "Sample"}, "etag": "a"},
    "FailHandoff": {"reason": "FAIL_REASON_NO_ANSWER", "etag": "a"},
    "CompleteIntake": {"etag": "a"},
    "CreateConsent": {"type": "CONSENT_TYPE_NAMED"},
    "RevokeConsent": {},
    "DisableAccount": {},
    "DecideCharge": {"decision": "DECISION_VALUE_FILE", "etag": "a"},
    "UpdateService": {"openPlaces": 1, "etag": "a"},
    "RecordServiceTotal": {"periodStart": "2026-01-01", "periodEnd": "2026-03-31", "people": 20},
    "OfferServiceReferral": {"etag": "a"},
    "AcceptServiceReferral": {"etag": "a"},
    "WaitlistServiceReferral": {"etag": "a"},
    "CancelServiceReferral": {"etag": "a"},
    "UpdateEnrollment": {"status": "ENROLLMENT_STATUS_COMPLETED", "endTime": drafts.ago(minutes=1), "etag": "a"},
    "RecordAttendance": {"date": drafts.ago()[:10], "status": "ATTENDANCE_STATUS_MISSED"},
    "ConfirmPersonMatch": {"etag": "a"},
    "RejectPersonMatch": {"etag": "a"},
}
# What each side says when it declines.
_NO = {
    "case_manager": {"requestReason": "REQUEST_DECLINE_REASON_OTHER", "etag": "a"},
    "provider_staff": {"reason": "ANSWER_DECLINE_REASON_OTHER", "etag": "a"},
}
DECLINES: Mapping[str, Any] = _NO | {"case_supervisor": _NO["case_manager"], "provider_system": _NO["provider_staff"]}
Ids = Mapping[str, str]


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried) -> Iterator[None]:
    yield
    tried.logs_are_clean()


@pytest.fixture(scope="module")
def withheld(story: Story, alpha: Person, gamma: Person) -> Ids:
    """Ids of records that are there, of people and of agencies that no stranger has to do with."""
    review = journey.review_of(story, alpha)
    # Of the strangers, only the programme manager of the other site may disable accounts; none of these is of his.
    accounts = story.caller("operator", "sample-operator").get("/v1/accounts")["accounts"]
    return {
        "referrals": alpha.referral_id,
        "participants": alpha.participant_id,
        "handoffs": alpha.handoff_id,
        "reviews": review["id"],
        "charges": review["charges"][0]["chargeId"],
        "consents": alpha.consents["narrow"],
        "incidents": _imported(story),
        "accounts": next(one["id"] for one in accounts if one["agencyId"] == "sample-police"),
        "services": story.services[COUNSELLING],
        "serviceReferrals": gamma.services[f"asked {COUNSELLING}"],
        "enrollments": gamma.services[f"enrolled {COUNSELLING}"],
        "personMatches": put_to_the_office(story, alpha)["id"],
    }


def _imported(story: Story) -> str:
    sample = (files("services.command") / "sample" / "nibrs_incident.xml").read_bytes()
    client = story.caller("police_rms", "sample-rms-police")
    answer = journey.done("import a file", client.send("/v1/incidents:import", sample, "application/xml"))
    return str(answer["results"][0]["incidentId"])


def absent() -> Ids:
    return {collection: new_id(prefix) for collection, prefix in _PREFIXES.items()}


def misformed() -> Ids:
    return dict.fromkeys(_PREFIXES, "nobody")


@cache
def moves(role: str) -> tuple[tuple[MethodDescriptor, str, str], ...]:
    """Return every POST and PATCH of a role that is about a record, with its verb and path."""
    number = words_pb2.Role.Value(f"ROLE_{role.upper()}")
    found = []
    for rpc in labels.public_methods():
        access, http = labels.access(rpc), rpc.GetOptions().Extensions[_HTTP]
        template = str(http.post or http.patch)
        if access is not None and number in access.roles and "{" in template:
            found.append((rpc, "POST" if http.post else "PATCH", template))
    return tuple(found)


def body_of(role: str, rpc: MethodDescriptor) -> Any:
    return DECLINES[role] if rpc.name == "DeclineServiceReferral" else MOVES[rpc.name]


def filled(template: str, ids: Ids) -> str:
    return _FIELD.sub(lambda match: f"{match[1]}/{ids[match[1]]}", template)


def told(response: httpx.Response) -> tuple[int, dict[str, str], str]:
    """Return all of an answer but the two things that no two answers share."""
    request_id = response.headers["x-request-id"]
    beside = {name: value for name, value in response.headers.items() if name not in ("date", "x-request-id")}
    return response.status_code, beside, response.text.replace(request_id, "")


def the_client(client: Callable[..., Client], stranger: Stranger, beta: Person) -> Client:
    return client(stranger.role, stranger.agency, "" if stranger.agency else beta.participant_id)


@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
def test_a_read_tells_withheld_from_absent_by_nothing(
    stranger: Stranger, client: Callable[..., Client], withheld: Ids, beta: Person
) -> None:
    caller = the_client(client, stranger, beta)
    for read in reads(stranger.role, stranger.kind):
        collections = {name for name, _ in _FIELD.findall(read.template)}
        if not collections or collections & _PUBLIC:
            continue
        if stranger.was_named and read.rpc.name == "ListConsents":
            # Who was named may know of that release, and that it is over: the last test here.
            continue
        for purpose in read.purposes:
            headers = {"x-purpose-of-use": purpose}
            first, *others = (
                told(ask(caller, "GET", filled(read.template, ids), headers=headers))
                for ids in (withheld, absent(), misformed())
            )
            assert all(other == first for other in others), (read.template, purpose, first, others)
            assert first[0] == 404 or first[2] == "{}", (read.template, first)


@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
def test_a_move_tells_withheld_from_absent_by_nothing(
    stranger: Stranger, client: Callable[..., Client], withheld: Ids, alpha: Person, beta: Person
) -> None:
    caller = the_client(client, stranger, beta)
    revoked = {**withheld, "consents": alpha.consents["second"]}
    for rpc, verb, template in moves(stranger.role):
        bodies: tuple[Any, ...] = (body_of(stranger.role, rpc), {})
        for body in bodies:
            first, *others = (
                told(ask(caller, verb, filled(template, ids), json=body))
                for ids in (withheld, revoked, absent(), misformed())
            )
            assert all(other == first for other in others), (template, first, others)
            assert first[0] in {400, 404}, (template, first)


@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
def test_a_list_shows_no_hidden_row_and_counts_none(
    stranger: Stranger, client: Callable[..., Client], withheld: Ids, alpha: Person, beta: Person
) -> None:
    caller = the_client(client, stranger, beta)
    known = {**withheld, "services": ""}
    hidden = [*filter(None, known.values()), *alpha.consents.values(), *drafts.known_facts(alpha)]
    for read in reads(stranger.role, stranger.kind):
        if not read.is_list or not read.is_about_people or "{" in read.template:
            continue
        for purpose in read.purposes:
            token = ""
            while True:
                query = {"pageSize": "500"} | ({"pageToken": token} if token else {})
                answer = caller.get(read.template, purpose=purpose, **query)
                assert answer.status == 200, (read.template, answer.raw)
                assert not any(one.encode() in answer.raw for one in hidden), (read.template, purpose)
                rows = [name for name, value in answer.body.items() if isinstance(value, list)]
                assert set(answer.body) <= {*rows, "nextPageToken", "accompaniment"}
                assert len(rows) <= 1
                token = answer.body.get("nextPageToken", "")
                if not token:
                    break


@pytest.mark.parametrize("agency", ["sample-second-outreach", "sample-defender"])
def test_hidden_rows_make_no_page_of_their_own(
    agency: str, client: Callable[..., Client], alpha: Person, story: Story
) -> None:
    role = "defender" if agency == "sample-defender" else "case_manager"
    path = "/v1/referrals" if role == "defender" else "/v1/participants"
    # Its release was revoked, so its row is found by the area and withheld by the decision.
    before = told(ask(client(role, agency), "GET", path, params={"pageSize": "1"}))
    assert before[0] == 200
    assert "nextPageToken" not in before[2], before[2]


def test_a_row_before_hidden_ones_has_no_page_behind_it(client: Callable[..., Client], story: Story) -> None:
    shown = on_the_way(story, "Shown", "1979-09-09", "sample-second-outreach")
    hidden = on_the_way(story, "Hidden", "1978-08-08")
    journey.release(story, hidden, "gone", recipientAgencyIds=["sample-second-outreach"])
    case_manager = client("case_manager", "sample-second-outreach")
    stop = f"/v1/consents/{hidden.consents['gone']}:revoke"
    journey.done("revoke", journey.case_manager(story, hidden).post(stop, {}))
    rows, token = list[str](), ""
    while True:
        page = case_manager.get("/v1/participants", pageSize="1", **({"pageToken": token} if token else {}))
        # What other tests left is there too: a token leads to a row, never to a hidden one alone.
        assert len(page["participants"]) == 1
        rows.append(page["participants"][0]["id"])
        if not (token := page.body.get("nextPageToken", "")):
            break
    assert shown.participant_id in rows
    assert hidden.participant_id not in rows


def test_a_participant_sees_nothing_of_another(client: Callable[..., Client], alpha: Person, beta: Person) -> None:
    me = client("participant", "", beta.participant_id)
    his = f"/v1/participants/{alpha.participant_id}"
    assert me.get(his).status == 404
    assert me.get(f"/v1/referrals/{alpha.referral_id}").status == 404
    assert me.get(f"{his}/disclosures").status == 404
    assert me.get(f"{his}/consents").body == {}
    assert me.post(f"/v1/consents/{alpha.consents['narrow']}:revoke", {}).status == 404
    assert me.post(f"{his}/consents", drafts.narrow_release(alpha)).status == 404
    assert {row["id"] for row in me.pages("/v1/participants", "participants")} == {beta.participant_id}
    assert {row["id"] for row in me.pages("/v1/referrals", "referrals")} == {beta.referral_id}
    own = client("participant", "", alpha.participant_id).get(f"{his}/consents")
    states = {row["id"]: row["state"] for row in own["consents"]}
    assert states[alpha.consents["narrow"]] == "CONSENT_STATE_ACTIVE"


@pytest.mark.parametrize(
    ("role", "agency", "method", "collection"),
    [
        ("police_officer", "sample-sheriff", "referral.v1.ReferralService/GetReferral", "referrals"),
        ("defender", "sample-defender", "referral.v1.ReferralService/GetReferral", "referrals"),
        ("prosecutor", "sample-county-prosecutor", "review.v1.ReviewService/GetReview", "reviews"),
        ("case_manager", "sample-second-outreach", "casework.v1.CaseworkService/GetParticipant", "participants"),
        ("provider_staff", "sample-housing", "provider.v1.ProviderService/GetEnrollment", "enrollments"),
        ("case_manager", "sample-outreach", "provider.v1.ProviderService/GetEnrollment", "enrollments"),
    ],
)
def test_a_status_over_grpc_tells_withheld_from_absent_by_nothing(
    role: str, agency: str, method: str, collection: str, exchange: Exchange, withheld: Ids
) -> None:
    beside = bearer(exchange.token(role, agency=agency))
    with grpc_channel(exchange.grpc_target, exchange.ca_path) as channel:
        call: Any = channel.unary_unary(f"/lead.{method}", None, None)
        seen = []
        for ids in (withheld, absent()):
            # Field 1 of each request is the id.
            data = b"\x0a" + bytes([len(ids[collection])]) + ids[collection].encode()
            with pytest.raises(grpc.RpcError) as raised:
                call(data, timeout=20, metadata=beside)
            error: Any = raised.value
            trailing = dict(error.trailing_metadata())
            request_id = trailing.pop("x-request-id")
            seen.append((error.code(), error.details(), str(trailing).replace(request_id, "")))
    assert seen[0] == seen[1]
    assert seen[0][0] is grpc.StatusCode.NOT_FOUND


def test_who_was_named_in_a_release_learns_that_it_is_over_and_of_no_other(
    client: Callable[..., Client], alpha: Person
) -> None:
    path = f"/v1/participants/{alpha.participant_id}/consents"
    (known,) = client("case_manager", "sample-second-outreach").get(path)["consents"]
    assert known["id"] == alpha.consents["second"]
    assert known["state"] == "CONSENT_STATE_REVOKED"
    assert known["recipientAgencyIds"] == ["sample-second-outreach"]


def test_a_recipient_learns_of_no_other_not_even_that_it_was_stopped(
    client: Callable[..., Client], story: Story, beta: Person
) -> None:
    named = ["sample-second-outreach", "sample-recovery-outreach"]
    consent_id = journey.release(story, beta, "two", recipientAgencyIds=named)
    stop = {"recipientAgencyIds": named[1:]}
    journey.done("revoke", journey.case_manager(story, beta).post(f"/v1/consents/{consent_id}:revoke", stop))
    path = f"/v1/participants/{beta.participant_id}/consents"
    (first,), (second,) = (client("case_manager", agency).get(path)["consents"] for agency in named)
    assert (first["state"], second["state"]) == ("CONSENT_STATE_ACTIVE", "CONSENT_STATE_REVOKED")
    assert "revocations" not in first
    assert first["recipientAgencyIds"] == named[:1]
    assert [one["recipientAgencyIds"] for one in second["revocations"]] == [named[1:]]
