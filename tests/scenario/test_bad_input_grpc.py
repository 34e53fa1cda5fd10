"""Wrong calls over gRPC: the same care as over HTTP, and a stream in which a bad record does not spoil the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from lead.casework.v1 import casework_service_pb2 as casework
from lead.consent.v1 import consent_service_pb2 as consent
from lead.referral.v1 import referral_pb2, referral_service_pb2
from lead.review.v1 import review_service_pb2 as review

from services.command.demo import drafts
from services.command.demo.client import Client, bearer
from services.command.demo.story import Person
from services.shared.ids import new_id
from tests.scenario.attempts import CANARY, Tried, held
from tests.scenario.wire import NO_TEXT, UNKNOWN_FIELD, Beside, Wire, refused

pytestmark = pytest.mark.timeout(180)
POLICE = "sample-sheriff"
SOMEBODY = Person("Testa", "Sample-Wire", "1985-05-05", "sample-outreach")
SUBMIT = "/lead.referral.v1.ReferralService/SubmitReferral"
GET = "/lead.referral.v1.ReferralService/GetReferral"
Change = Callable[[referral_pb2.ReferralDraft], object]


@pytest.fixture(scope="module")
def officer(wire: Wire) -> Beside:
    return wire.beside("police_officer", POLICE)


@pytest.fixture(scope="module")
def rms(wire: Wire) -> Beside:
    return wire.beside("police_rms", POLICE)


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried, client: Callable[..., Client]) -> Iterator[None]:
    yield
    tried.still_serves(client("police_officer", POLICE))
    tried.logs_are_clean()


@pytest.fixture
def unchanged(client: Callable[..., Client]) -> Iterator[None]:
    before = held(client("police_officer", POLICE), "/v1/referrals", "referrals")
    yield
    assert held(client("police_officer", POLICE), "/v1/referrals", "referrals") == before


def draft(change: Change = lambda _: None) -> referral_pb2.ReferralDraft:
    fine = drafts.referral(SOMEBODY, "ARREST_DIVERSION", None, None)
    message = json_format.ParseDict(fine, referral_pb2.ReferralDraft())
    change(message)
    return message


def submission(change: Change) -> bytes:
    return referral_service_pb2.SubmitReferralRequest(referral=draft(change)).SerializeToString()


# One call


@pytest.mark.usefixtures("unchanged")
def test_a_caller_who_proves_nothing_is_refused_before_his_request_is_read(wire: Wire, officer: Beside) -> None:
    for beside in ((), bearer(CANARY), (("authorization", "Basic x"),), (*officer, *officer)):
        for data in (submission(lambda _: None), NO_TEXT):
            refused(partial(wire.call, SUBMIT, data, beside), grpc.StatusCode.UNAUTHENTICATED)


def test_words_beside_a_call_are_checked_as_over_http(wire: Wire, officer: Beside) -> None:
    for name, text, code in (
        ("x-purpose-of-use", CANARY, grpc.StatusCode.INVALID_ARGUMENT),
        ("x-purpose-of-use", "WARRANT", grpc.StatusCode.PERMISSION_DENIED),
        ("x-purpose-of-use", "TREAT", grpc.StatusCode.PERMISSION_DENIED),
        ("x-role", CANARY, grpc.StatusCode.INVALID_ARGUMENT),
        ("x-role", "prosecutor", grpc.StatusCode.PERMISSION_DENIED),
    ):
        refused(partial(wire.call, GET, b"", (*officer, (name, text))), code)


@pytest.mark.parametrize(
    "path",
    [
        "/lead.referral.v1.ReferralService/Nothing",
        "/lead.consent.v1.ConsentInternalService/Decide",
        "/lead.audit.v1.AuditInternalService/AppendEntries",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ],
)
def test_what_is_not_public_is_not_there(path: str, wire: Wire, officer: Beside) -> None:
    refused(partial(wire.call, path, b"", officer), grpc.StatusCode.UNIMPLEMENTED)


@pytest.mark.parametrize(
    "data",
    [NO_TEXT, b"\x0a\x20a", b"\xff" * 50, b"\x9b\x06" * 3_000, b"\x0a" * 5_000, CANARY.encode()],
    ids=["no UTF-8", "cut", "garbage", "groups", "nested", "text"],
)
@pytest.mark.usefixtures("unchanged")
def test_bytes_that_are_no_such_message_are_refused(data: bytes, wire: Wire, officer: Beside) -> None:
    refused(partial(wire.call, GET, data, officer), grpc.StatusCode.INVALID_ARGUMENT, "")


def test_text_that_is_no_utf_8_is_refused_inside_a_message_too(wire: Wire, officer: Beside) -> None:
    data = submission(lambda one: one.person.__setattr__("given_name", CANARY)).replace(CANARY.encode(), b"\xff" * 9)
    refused(partial(wire.call, SUBMIT, data, officer), grpc.StatusCode.INVALID_ARGUMENT, "")


def _strange(one: referral_pb2.ReferralDraft) -> None:
    one.MergeFromString(UNKNOWN_FIELD)
    one.charges[0].MergeFromString(UNKNOWN_FIELD)
    one.door = 77  # type: ignore[assignment]
    one.charges[0].substances[0].unit = 99  # type: ignore[assignment]
    one.narrative = f"{CANARY}\0"
    one.incident_time.seconds = 10**15


def _absurd(one: referral_pb2.ReferralDraft) -> None:
    one.charges[0].substances[0].quantity = "-1"
    one.person.birth_date = "2999"
    one.incident_time.seconds = -62_135_596_800
    one.source.version = -1
    one.contact.address = f"{CANARY} SID WA12345678"


def _many(one: referral_pb2.ReferralDraft) -> None:
    one.charges.extend(referral_pb2.ChargeDraft(offense_code="35A") for _ in range(5_001))


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        (_strange, ["", ".charges[0]", ".charges[0].substances[0].unit", ".door", ".incidentTime", ".narrative"]),
        (_many, [".charges"]),
    ],
    ids=["strange", "many"],
)
@pytest.mark.usefixtures("unchanged")
def test_what_no_contract_has_is_named_by_its_path(
    change: Change, paths: list[str], wire: Wire, officer: Beside
) -> None:
    named = [f"referral{path}" for path in paths]
    refused(partial(wire.call, SUBMIT, submission(change), officer), grpc.StatusCode.INVALID_ARGUMENT, *named)


@pytest.mark.usefixtures("unchanged")
def test_what_cannot_be_is_named_by_its_path(wire: Wire, officer: Beside) -> None:
    paths = ["charges[0].substances[0].quantity", "contact.address", "incidentTime", "person.birthDate"]
    source = ["source.recordId", "source.system", "source.version"]
    call = partial(wire.call, SUBMIT, submission(_absurd), officer)
    refused(call, grpc.StatusCode.INVALID_ARGUMENT, *paths, *source)


def _far(message: Any, field: str) -> Any:
    getattr(message, field).seconds = 10**15
    return message


@pytest.mark.parametrize(
    ("path", "message", "field", "who"),
    [
        ("referral.v1.ReferralService/ListReferrals", referral_service_pb2.ListReferralsRequest(), "updated_after", 0),
        ("review.v1.ReviewService/ListReviews", review.ListReviewsRequest(), "due_before", 1),
        ("review.v1.ReviewService/DecideCharge", review.DecideChargeRequest(id="x", etag="a"), "defer_until", 1),
        ("casework.v1.CaseworkService/ArriveHandoff", casework.ArriveHandoffRequest(id="x", etag="a"), "time", 2),
        ("casework.v1.CaseworkService/CompleteIntake", casework.CompleteIntakeRequest(etag="a"), "intake_time", 2),
    ],
)
def test_a_time_out_of_the_calendar_is_refused(path: str, message: Any, field: str, who: int, wire: Wire) -> None:
    callers = (
        ("police_officer", POLICE),
        ("prosecutor", "sample-city-attorney"),
        ("case_manager", "sample-outreach"),
    )
    data, named = _far(message, field), message.DESCRIPTOR.fields_by_name[field].json_name
    beside = wire.beside(*callers[who])
    refused(partial(wire.call, f"/lead.{path}", data, beside), grpc.StatusCode.INVALID_ARGUMENT, named)


def test_a_release_of_no_time_is_refused(wire: Wire) -> None:
    request, beside = consent.PreviewConsentRequest(), wire.beside("case_manager", "sample-outreach")
    request.consent.signed_time.nanos, request.consent.expire_time.seconds = -1, 10**15
    paths = ("consent.expireTime", "consent.signedTime")
    path = "/lead.consent.v1.ConsentService/PreviewConsent"
    refused(partial(wire.call, path, request, beside), grpc.StatusCode.INVALID_ARGUMENT, *paths)


def test_a_page_size_is_from_1_to_500(wire: Wire, officer: Beside) -> None:
    for size in (0, -1, 501, 2**31 - 1):
        request = referral_service_pb2.ListReferralsRequest(page_size=size)
        path = "/lead.referral.v1.ReferralService/ListReferrals"
        refused(partial(wire.call, path, request, officer), grpc.StatusCode.INVALID_ARGUMENT, "pageSize")


@pytest.mark.usefixtures("unchanged")
def test_a_message_over_the_limit_is_refused(wire: Wire, officer: Beside) -> None:
    data = CANARY.encode() * 2_000_000
    refused(partial(wire.call, SUBMIT, data, officer), grpc.StatusCode.RESOURCE_EXHAUSTED)


# A stream


def record(key: str, change: Change = lambda _: None, action: int = 1) -> referral_service_pb2.PushReferralsRequest:
    sent = draft(change)
    if not sent.source.system:
        sent.source.MergeFrom(referral_pb2.Source(system="sample-rms", record_id=key, version=1))
    return referral_service_pb2.PushReferralsRequest(record_key=key, action=action, referral=sent)  # type: ignore[arg-type]


BAD: dict[str, tuple[Change, list[str]]] = {
    "absurd": (
        _absurd,
        ["charges[0].substances[0].quantity", "contact.address", "incidentTime", "person.birthDate"],
    ),
    "strange": (
        _strange,
        ["", "charges[0]", "charges[0].substances[0].unit", "door", "incidentTime", "narrative"],
    ),
    "many": (_many, ["charges"]),
    "nobody": (lambda one: one.ClearField("person"), ["person.familyName"]),
}


def test_a_bad_record_of_a_stream_is_rejected_by_its_paths_and_the_others_stand(
    wire: Wire, rms: Beside, client: Callable[..., Client]
) -> None:
    names = {name: f"{name}-{new_id('evt')}" for name in ("first", *BAD, "action", "unknown", "last")}
    records = [record(names["first"]).SerializeToString()]
    records += [record(names[name], change).SerializeToString() for name, (change, _) in BAD.items()]
    records.append(record(names["action"], action=99).SerializeToString())
    records.append(record(names["unknown"]).SerializeToString() + UNKNOWN_FIELD)
    records.append(record(names["last"]).SerializeToString())
    answers = {answer.record_key: answer for answer in wire.push(records, rms)}
    assert list(answers) == list(names.values())
    outcome = referral_service_pb2.PushOutcome.Name
    created = {key for key, answer in answers.items() if outcome(answer.outcome) == "PUSH_OUTCOME_CREATED"}
    assert created == {names["first"], names["last"]}
    wanted = {name: paths for name, (_, paths) in BAD.items()} | {"action": ["action"], "unknown": [""]}
    for name, paths in wanted.items():
        answer = answers[names[name]]
        assert outcome(answer.outcome) == "PUSH_OUTCOME_REJECTED"
        assert sorted({each.path for each in answer.violations}) == sorted(paths), name
        assert CANARY not in str(answer)
    rows = held(client("police_officer", POLICE), "/v1/referrals", "referrals")
    stored = {row["source"]["recordId"] for row in rows}
    assert stored & set(names.values()) == created


@pytest.mark.parametrize("broken", [NO_TEXT, b"\xff\xff\xff"], ids=["no UTF-8", "garbage"])
def test_a_stream_ends_at_what_cannot_be_read_after_all_before_it_is_acknowledged(
    broken: bytes, wire: Wire, rms: Beside
) -> None:
    keys = [new_id("evt") for _ in range(3)]
    records = [record(key).SerializeToString() for key in keys]
    answers = wire.push([*records[:2], broken, records[2]], rms)
    assert [next(answers).record_key for _ in range(2)] == keys[:2]
    refused(partial(next, answers), grpc.StatusCode.INVALID_ARGUMENT, "")


@pytest.mark.parametrize(
    ("role", "agency", "code"),
    [
        ("police_officer", POLICE, grpc.StatusCode.PERMISSION_DENIED),
        ("prosecutor", "sample-city-attorney", grpc.StatusCode.PERMISSION_DENIED),
        ("police_rms", "sample-jail", grpc.StatusCode.PERMISSION_DENIED),
        ("", "", grpc.StatusCode.UNAUTHENTICATED),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_who_may_not_push_is_told_so_however_much_he_sends(
    role: str, agency: str, code: grpc.StatusCode, wire: Wire
) -> None:
    beside = wire.beside(role, agency) if role else ()
    for count in (0, 1, 50):
        records = [record(new_id("evt")).SerializeToString()] * count
        refused(partial(next, wire.push(records, beside)), code)


def test_an_empty_stream_ends_well(wire: Wire, rms: Beside) -> None:
    assert list(wire.push([], rms)) == []


def test_more_streams_than_are_served_are_refused_and_short_calls_go_on(
    wire: Wire, rms: Beside, client: Callable[..., Client]
) -> None:
    over, opened = threading.Event(), list[Iterator[object]]()

    def endless() -> Iterator[bytes]:
        yield record(new_id("evt")).SerializeToString()
        over.wait(60)

    def opens() -> object:
        """Open one more stream; returns the code if it is refused."""
        stream = wire.push(endless(), rms)
        try:
            next(stream)
        except grpc.RpcError as error:
            return error.code()
        opened.append(stream)
        return None

    try:
        while (code := opens()) is None:
            assert len(opened) < 100
        assert client("police_officer", POLICE).get("/v1/referrals", pageSize="1").status == 200
    finally:
        over.set()
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(opened) > 5
    for stream in opened:
        assert list(stream) == []
