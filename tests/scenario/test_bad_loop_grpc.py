"""Wrong calls of the loop over gRPC: providers, justice feeds, comparisons, matches and live delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message
from lead.casework.v1 import casework_service_pb2 as casework
from lead.events.v1.events_service_pb2 import SubscribeRequest
from lead.outcomes.v1 import outcomes_service_pb2 as outcomes
from lead.provider.v1 import provider_pb2, provider_service_pb2
from lead.referral.v1 import justice_pb2, referral_service_pb2

from services.command.demo.client import Client
from services.command.demo.story import Person
from services.shared.ids import new_id
from tests.scenario.attempts import CANARY, Tried, held
from tests.scenario.wire import NO_TEXT, UNKNOWN_FIELD, Wire, refused

pytestmark = pytest.mark.timeout(180)
HOUSING, INVALID = "sample-housing", grpc.StatusCode.INVALID_ARGUMENT
PROVIDER, REFERRAL = "/lead.provider.v1.ProviderService", "/lead.referral.v1.ReferralService"
OUTCOMES, CASEWORK = "/lead.outcomes.v1.OutcomesService", "/lead.casework.v1.CaseworkService"
FAR = 10**15


@pytest.fixture(scope="module")
def staff(client: Callable[..., Client]) -> Client:
    return client("provider_staff", HOUSING)


@pytest.fixture(scope="module", autouse=True)
def _nothing_written_down(tried: Tried, staff: Client) -> Iterator[None]:
    yield
    tried.still_serves(staff)
    tried.logs_are_clean()


@pytest.fixture
def unchanged(staff: Client, delta: Person) -> Iterator[None]:
    def seen() -> list[object]:
        return [held(staff, f"/v1/{each}", each) for each in ("services", "serviceReferrals", "enrollments")]

    before = seen()
    yield
    assert seen() == before


STAFF, CASE_MANAGER = ("provider_staff", HOUSING), ("case_manager", "sample-outreach")
JAIL, OFFICE = ("police_rms", "sample-jail"), ("program_manager", "sample-office")
# Who calls a method, its path, a message in which something is wrong, and where.
Case = tuple[tuple[str, str], str, Message, list[str]]


def _with(message: Any, **values: Any) -> Any:
    for path, value in values.items():
        *steps, last = path.split("__")
        inside = message
        for step in steps:
            inside = getattr(inside, step)
        setattr(inside, last, value)
    return message


def _services() -> Iterator[tuple[str, Message, list[str]]]:
    pb = provider_service_pb2
    strange = _with(pb.CreateServiceRequest(name=f"{CANARY}\0", capacity=-1), kind=99, state=77)
    strange.MergeFromString(UNKNOWN_FIELD)
    yield "CreateService", strange, ["", "kind", "name", "state"]
    absurd = pb.CreateServiceRequest(name=f"{CANARY} SID WA12345678", capacity=-1, open_places=2**31 - 1)
    yield "CreateService", absurd, ["capacity", "kind", "name", "openPlaces"]
    yield "UpdateService", _with(pb.UpdateServiceRequest(id="x"), state=99), ["state"]
    yield "UpdateService", pb.UpdateServiceRequest(id=CANARY, capacity=-2, name=" "), ["capacity", "etag", "name"]
    total = pb.RecordServiceTotalRequest(id="x", period_start=CANARY, people=-1)
    yield "RecordServiceTotal", total, ["people", "periodEnd", "periodStart"]
    far = _with(pb.ListServiceReferralsRequest(), updated_after__seconds=FAR)
    yield "ListServiceReferrals", far, ["updatedAfter"]
    yield "ListServices", _with(pb.ListServicesRequest(page_size=501), kind=99), ["kind"]
    yield "ListServices", pb.ListServicesRequest(page_size=501), ["pageSize"]


def _enrolments() -> Iterator[tuple[str, Message, list[str]]]:
    pb = provider_service_pb2
    draft = _with(provider_pb2.EnrollmentDraft(participant_id=CANARY), status=99, start_time__seconds=FAR)
    draft.source.MergeFromString(UNKNOWN_FIELD)
    paths = [f"enrollment.{path}" for path in ("source", "startTime", "status")]
    yield "CreateEnrollment", pb.CreateEnrollmentRequest(enrollment=draft), paths
    draft = _with(provider_pb2.EnrollmentDraft(participant_id=CANARY, service_id=CANARY), start_time__seconds=2**35)
    draft.source.MergeFrom(provider_pb2.EnrollmentSourceDraft(system=f"={CANARY}", record_id=f"@{CANARY}", version=-1))
    paths = ["participantId", "serviceId", "source.recordId", "source.system", "source.version", "startTime", "status"]
    yield "CreateEnrollment", pb.CreateEnrollmentRequest(enrollment=draft), paths
    change = _with(pb.UpdateEnrollmentRequest(id="x"), end_time__seconds=-(2**40))
    yield "UpdateEnrollment", change, ["endTime"]
    yield "RecordAttendance", _with(pb.RecordAttendanceRequest(id="x", minutes=-1), status=9), ["status"]
    yield "RecordAttendance", pb.RecordAttendanceRequest(id="x", date=CANARY, minutes=-1), ["date", "minutes", "status"]
    hold = _with(pb.OfferServiceReferralRequest(id="x", etag="a"), hold_until_time__nanos=-1)
    yield "OfferServiceReferral", hold, ["holdUntilTime"]
    yield "DeclineServiceReferral", _with(pb.DeclineServiceReferralRequest(id="x"), reason=99), ["reason"]


def _others() -> Iterator[Case]:
    asked = provider_service_pb2.CreateServiceReferralRequest(service_id=CANARY, needs=[99])  # type: ignore[list-item]
    yield CASE_MANAGER, f"{PROVIDER}/CreateServiceReferral", asked, ["needs[0]"]
    entry = _with(outcomes.CreateEvaluationEntryRequest(site_id=CANARY), arm=99)
    yield OFFICE, f"{OUTCOMES}/CreateEvaluationEntry", entry, ["arm"]
    report = _with(outcomes.GetRearrestRequest(window=CANARY, clock=CANARY), as_of_time__seconds=2**35)
    yield OFFICE, f"{OUTCOMES}/GetRearrest", report, ["asOfTime", "clock", "window"]
    funnel = _with(outcomes.GetFunnelRequest(snapshot=CANARY), as_of_time__seconds=FAR)
    yield OFFICE, f"{OUTCOMES}/GetFunnel", funnel, ["asOfTime"]
    yield OFFICE, f"{CASEWORK}/ConfirmPersonMatch", casework.ConfirmPersonMatchRequest(id=CANARY), ["etag"]
    matches = _with(casework.ListPersonMatchesRequest(page_size=-1), state=99)
    yield OFFICE, f"{CASEWORK}/ListPersonMatches", matches, ["state"]
    event = _with(justice_pb2.JusticeEventDraft(incident_number=f"{CANARY}\0"), kind=99)
    feed = _with(referral_service_pb2.RecordJusticeEventsRequest(events=[event]), complete_from__seconds=FAR)
    paths = ["completeFrom", "events[0].incidentNumber", "events[0].kind"]
    yield JAIL, f"{REFERRAL}/RecordJusticeEvents", feed, paths


CASES: list[Case] = [
    *((STAFF, f"{PROVIDER}/{name}", message, paths) for name, message, paths in (*_services(), *_enrolments())),
    *_others(),
]


@pytest.mark.usefixtures("unchanged")
def test_what_is_wrong_is_named_by_its_path(wire: Wire) -> None:
    for caller, path, message, paths in CASES:
        refused(partial(wire.call, path, message, wire.beside(*caller)), INVALID, *paths)


@pytest.mark.parametrize(
    "data",
    [NO_TEXT, b"\x0a\x20a", b"\xff" * 50, b"\x9b\x06" * 3_000],
    ids=["no UTF-8", "cut", "garbage", "groups"],
)
@pytest.mark.usefixtures("unchanged")
def test_bytes_that_are_no_such_message_are_refused(data: bytes, wire: Wire) -> None:
    for caller, path in {(caller, path) for caller, path, _, _ in CASES}:
        refused(partial(wire.call, path, data, wire.beside(*caller)), INVALID, "")


@pytest.mark.usefixtures("unchanged")
def test_a_file_over_grpc_is_judged_as_over_http(wire: Wire) -> None:
    path, beside = f"{PROVIDER}/BatchEnrollments", wire.beside("provider_system", HOUSING)

    def sent(kind: str, data: bytes) -> provider_service_pb2.BatchEnrollmentsRequest:
        return provider_service_pb2.BatchEnrollmentsRequest(file=HttpBody(content_type=kind, data=data))

    for kind, data in (("text/csv", b""), ("text/csv", CANARY.encode()), ("application/json", b"\xff" * 9)):
        with pytest.raises(grpc.RpcError) as raised:
            wire.call(path, sent(kind, data), beside)
        assert raised.value.code() is INVALID
        assert CANARY not in str(raised.value)
    for kind in ("", "text/html", CANARY):
        refused(partial(wire.call, path, sent(kind, b"[]"), beside), INVALID)
    refused(partial(wire.call, path, sent("application/json", b"[" + b"{}," * 5_000 + b"{}]"), beside), INVALID, "file")
    row = f'[{{"status":"{CANARY}","source":{{"recordId":"={CANARY}"}}}},{{}}]'.encode()
    answer = wire.call(path, sent("application/json", row), beside)
    assert CANARY.encode() not in answer.lower()
    found = provider_service_pb2.BatchEnrollmentsResponse.FromString(answer)
    assert (found.rejected, len(found.results)) == (2, 2)
    assert {"status", "source.recordId"} < {each.path for each in found.results[0].violations}


def test_a_bad_event_over_grpc_is_told_beside_the_good_ones(wire: Wire) -> None:
    fine = justice_pb2.JusticeEventDraft(kind=justice_pb2.JUSTICE_EVENT_KIND_CITATION, booking_number="B-1")
    fine.source.system, fine.source.record_id, fine.source.version = "sample-wire", new_id("evt"), 1
    fine.time.GetCurrentTime()
    fine.person.local_id = "L-1"
    bad = justice_pb2.JusticeEventDraft()
    bad.CopyFrom(fine)
    bad.time.seconds, bad.source.record_id = 2**35, new_id("evt")
    bad.person.family_name = f"{CANARY} FBI 123456AB7"
    request = referral_service_pb2.RecordJusticeEventsRequest(events=[bad, fine])
    answer = wire.call(f"{REFERRAL}/RecordJusticeEvents", request, wire.beside(*JAIL))
    assert CANARY.encode() not in answer.lower()
    rows = referral_service_pb2.RecordJusticeEventsResponse.FromString(answer).results
    assert {each.path for each in rows[0].violations} == {"time", "person.familyName"}
    assert not rows[0].justice_event_id
    assert rows[1].justice_event_id
    assert not rows[1].violations


def test_a_cursor_that_is_none_is_refused_over_grpc(wire: Wire) -> None:
    beside = wire.beside("prosecutor", "sample-city-attorney")
    for data, path in (
        (SubscribeRequest(cursor=CANARY).SerializeToString(), "cursor"),
        (SubscribeRequest(cursor="A" * 4_000).SerializeToString(), "cursor"),
        (SubscribeRequest(cursor=f"{CANARY}\0").SerializeToString(), "cursor"),
        (NO_TEXT, ""),
        (UNKNOWN_FIELD, ""),
    ):
        refused(partial(next, wire.follow(data, beside)), INVALID, path)
    for role, agency in (("police_rms", "sample-jail"), ("evaluator", "sample-evaluator")):
        refused(partial(next, wire.follow(b"", wire.beside(role, agency))), grpc.StatusCode.PERMISSION_DENIED)
    refused(partial(next, wire.follow(b"", ())), grpc.StatusCode.UNAUTHENTICATED)
