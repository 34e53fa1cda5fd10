"""Justice events with valid defaults, for the tests of the feed. All people are made up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from lead.referral.v1 import justice_pb2 as pb
from lead.referral.v1 import referral_pb2
from lead.referral.v1 import referral_service_pb2 as service

from services.shared.sharing.assertion import Caller
from services.shared.wire import stamp
from tests.unit.referral.builders import NOW, a_caller, changed

JAIL = "sample-jail"
DAY = timedelta(days=1)


def at(days: float) -> Timestamp:
    """So many days before the tests' now, or after it."""
    return stamp(NOW + DAY * days)


def a_source(record_id: str = "A-1", version: int = 1) -> referral_pb2.Source:
    source = referral_pb2.Source(system="sample-rms", record_id=record_id)
    if version:
        source.version = version
    return source


def an_event(kind: str = "ARREST", record_id: str = "A-1", version: int = 1, **changes: Any) -> pb.JusticeEventDraft:
    """An event of this kind that nothing is wrong with."""
    draft = pb.JusticeEventDraft(
        source=a_source(record_id, version),
        kind=pb.JusticeEventKind.Value(f"JUSTICE_EVENT_KIND_{kind}"),
        time=at(-3),
        person=pb.JusticePerson(given_name="Testa", family_name="Sample", birth_date="1990-05-17", local_id="L-77"),
    )
    needed: dict[str, Any] = {
        "ARREST": {"warrant_kind": pb.WARRANT_KIND_NONE, "incident_number": "26-000123"},
        "BOOKING": {"booking_number": "B-1"},
        "RELEASE": {"booking_number": "B-1"},
        "CHARGE_FILED": {"level": pb.JUSTICE_LEVEL_FELONY},
    }
    return changed(changed(draft, needed.get(kind, {})), changes)


def a_deletion(record_id: str = "A-1", version: int = 0) -> pb.JusticeEventDraft:
    return pb.JusticeEventDraft(source=a_source(record_id, version), action=pb.JUSTICE_ACTION_DELETE)


def a_request(
    *events: pb.JusticeEventDraft,
    begin: Timestamp | None = None,
    through: Timestamp | None = None,
    key: str = "",
) -> service.RecordJusticeEventsRequest:
    request = service.RecordJusticeEventsRequest(events=events, complete_from=begin, complete_through=through)
    if key:
        request.request_id = key
    return request


def a_reporter(agency: str = "sample-police", kind: str = "police") -> Caller:
    return a_caller("police_rms", agency, agency_kind=kind)


def outcomes(results: Iterable[service.JusticeEventResult]) -> list[str]:
    return [service.JusticeEventOutcome.Name(each.outcome).removeprefix("JUSTICE_EVENT_OUTCOME_") for each in results]
