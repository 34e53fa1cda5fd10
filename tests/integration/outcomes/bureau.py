"""A running outcomes area but for its edges: events come opened, consent and the log are fakes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message
from lead.casework.v1 import casework_pb2
from lead.casework.v1.casework_events_pb2 import (
    STUDY_TARGET_JUSTICE_EVENT,
    STUDY_TARGET_REFERRAL,
    HandoffMeasured,
    IntakeConfirmed,
    StudyLinked,
)
from lead.consent.v1.consent_internal_service_pb2 import ReadRegistryResponse, RegisteredAgency
from lead.options.v1 import words_pb2
from lead.outcomes.v1 import outcomes_service_pb2 as service
from lead.referral.v1 import justice_pb2, referral_pb2
from lead.referral.v1.justice_events_pb2 import JusticeEventReported, JusticeFeedDeclared
from lead.referral.v1.referral_events_pb2 import ReferralFollowed
from sqlalchemy import Connection

from services.outcomes import consumers
from services.outcomes.handlers import Desk
from services.outcomes.models import METADATA
from services.outcomes.reports import Reports
from services.outcomes.servicer import OutcomesServicer
from services.shared.area import Fact
from services.shared.events.delivery import Delivery, OpenedPart
from services.shared.events.split import split
from services.shared.rpc.caller import RequestInfo, acting
from services.shared.sharing.assertion import Caller
from services.shared.wire import filled
from tests.support.clock import FakeClock
from tests.support.parts import fake_parts

T = TypeVar("T")

SITE, OTHER_SITE = "seattle", "santa-fe"
POLICE, JAIL, OFFICE = "sample-police", "sample-jail", "sample-office"
EVALUATOR, OTHER_EVALUATOR = "sample-evaluator", "sample-second-evaluator"
APPROVAL = "sample-research-approval"
TODAY = datetime(2027, 2, 1, 12, tzinfo=UTC)
START = datetime(2024, 1, 1, tzinfo=UTC)
_RESEARCH = words_pb2.CATEGORY_LINKED_RESEARCH


def a_caller(role: str, agency_id: str, kind: str, sites: tuple[str, ...] = (SITE,)) -> Caller:
    return Caller(f"acc_{role}", agency_id, kind, role, "HRESCH", sites)


RESEARCHER = a_caller("evaluator", EVALUATOR, "evaluator")
OTHER_RESEARCHER = a_caller("evaluator", OTHER_EVALUATOR, "evaluator")
MANAGER = a_caller("program_manager", OFFICE, "program_office")
OFFICER = a_caller("police_officer", POLICE, "police")


class Bureau:
    """The area, its clock, what it announced, and what other areas tell it."""

    def __init__(self, folder: Path) -> None:
        """Make an empty database in the folder, by the migrations."""
        self.clock = FakeClock(TODAY)
        self.parts = fake_parts(folder, "outcomes", METADATA, self.clock)
        self.db = self.parts.db
        self.facts: list[Fact] = []
        self.registry = a_registry()
        # Approvals that are registered today, by evaluator.
        self.approved = {EVALUATOR: APPROVAL}
        self.handlers = consumers.handlers(self.clock)
        self.reports = Reports(self.clock, 5.0, 60.0)
        self.desk = Desk(
            db=self.db,
            commit=self.commit,
            clock=self.clock,
            ids=self.parts.ids,
            registry=lambda: self.registry,
            approved=lambda _site: self.approved,
            sites=self.parts.sites,
            reports=self.reports,
            secret=bytes(32),
        )
        self.servicer: Any = OutcomesServicer(self.desk)

    def close(self) -> None:
        """End what runs."""
        self.parts.relay.stop()
        self.db.engine.dispose()

    def commit(self, facts: Sequence[Fact], write: Callable[[Connection], T]) -> T:
        """Commit as the area does, and remember what was announced."""
        done = self.parts.commit(facts, write)
        self.facts += facts
        return done

    def tell(self, *deliveries: Delivery[Any]) -> None:
        """Deliver as the consumer loop does, in one transaction."""
        with self.db.write() as connection:
            for each in deliveries:
                self.handlers[each.event_name].apply(connection, each)

    def calling(self, caller: Caller) -> AbstractContextManager[None]:
        """Act as this caller."""
        return acting(caller, RequestInfo("req_1", "gateway"))

    def rearrest(self, caller: Caller = RESEARCHER, **asked: Any) -> Any:
        """Ask for a report; times as aware datetimes."""
        with self.calling(caller):
            request = filled(service.GetRearrestRequest(), **{"site_id": SITE, **asked})
            return self.servicer.GetRearrest(request, None).report

    def funnel(self, caller: Caller = RESEARCHER, **asked: Any) -> Any:
        """Ask for the funnel."""
        with self.calling(caller):
            request = filled(service.GetFunnelRequest(), **{"site_id": SITE, **asked})
            return self.servicer.GetFunnel(request, None).report


def a_registry() -> ReadRegistryResponse:
    """Return a registry of two evaluators, an office, and agencies that report."""
    kinds = {
        POLICE: words_pb2.AGENCY_KIND_POLICE,
        JAIL: words_pb2.AGENCY_KIND_JAIL,
        OFFICE: words_pb2.AGENCY_KIND_PROGRAM_OFFICE,
        EVALUATOR: words_pb2.AGENCY_KIND_EVALUATOR,
        OTHER_EVALUATOR: words_pb2.AGENCY_KIND_EVALUATOR,
    }
    agencies = [RegisteredAgency(agency_id=name, kind=kind, site_ids=[SITE]) for name, kind in kinds.items()]
    return ReadRegistryResponse(agencies=agencies)


def delivered(
    message: Message, record_id: str, subject_id: str, source: str = POLICE, version: int = 1,
    agencies: Collection[str] = (EVALUATOR,), approval: str = APPROVAL,
) -> Delivery[Any]:  # fmt: skip
    """Return an event with its research section opened for these evaluators, and nothing else of it."""
    parts = tuple(
        OpenedPart(part.category, part.record_id, part.payload, frozenset(agencies), "", 0, approval)
        for part in split(message, record_id)
        if part.category == _RESEARCH
    )
    return Delivery(
        message_class=type(message),
        event_id=f"evt_{record_id}_{version}",
        topic="referral",
        record_id=record_id,
        subject_id=subject_id,
        source_agency_id=source,
        version=version,
        time=TODAY,
        parts=parts,
        late=False,
    )


def a_referral(number: str, at: datetime, *, version: int = 1, **changes: Any) -> Delivery[Any]:
    """Return that a referral `ref_<number>` is followed: eligible, approved, offered and accepted."""
    facts = {
        "site_id": SITE,
        "door": referral_pb2.DOOR_ARREST_DIVERSION,
        "incident_time": at,
        "referral_time": at,
        "incident_key": f"incident-{number}",
        "screening_result": referral_pb2.SCREENING_RESULT_ELIGIBLE,
        "offer_time": at,
        "offer_outcome": referral_pb2.OFFER_OUTCOME_ACCEPTED,
        "approve_time": at + timedelta(hours=1),
        "state": referral_pb2.REFERRAL_STATE_APPROVED,
        "intake_clock_days": 30,
        **changes,
    }
    return delivered(filled(ReferralFollowed(), **facts), f"ref_{number}", f"sub_{number}", version=version)


def an_intake(number: str, at: datetime) -> Delivery[Any]:
    """Return that the intake of referral `number`'s person is complete."""
    message = IntakeConfirmed()
    message.intake_confirmed_time.FromDatetime(at)
    message.study_intake_time.FromDatetime(at)
    return delivered(message, f"par_{number}", f"sub_{number}", "sample-outreach")


def a_handoff(number: str, minutes: int) -> Delivery[Any]:
    """Return how long a hand-off took."""
    message = HandoffMeasured(minutes=minutes, target_minutes=30)
    return delivered(message, f"hof_{number}", f"sub_{number}", "sample-outreach")


def an_event(name: str, at: datetime, kind: str = "ARREST", *, version: int = 1, **changes: Any) -> Delivery[Any]:
    """Return a justice event `jev_<name>` of the police, on a subject of its own."""
    facts = {
        "kind": justice_pb2.JusticeEventKind.Value(f"JUSTICE_EVENT_KIND_{kind}"),
        "event_time": at,
        "site_ids": [SITE],
        "given_name": "Testa",
        **changes,
    }
    message = filled(JusticeEventReported(), **facts)
    return delivered(message, f"jev_{name}", f"sub_jev_{name}", version=version)


def a_link(record_id: str, study_id: str, *, version: int = 1, **changes: Any) -> Delivery[Any]:
    """Return that a record is one of this study id's, by local id unless changed."""
    is_referral = record_id.startswith("ref_")
    facts = {
        "study_id": study_id,
        "target": STUDY_TARGET_REFERRAL if is_referral else STUDY_TARGET_JUSTICE_EVENT,
        "record_id": record_id,
        "rule": casework_pb2.MATCH_RULE_LOCAL_ID,
        "score": 1.0,
        **changes,
    }
    score = facts.pop("score")
    message = filled(StudyLinked(), **facts)
    if score is not None:
        message.score = score
    subject = record_id.replace("ref_", "sub_") if is_referral else f"sub_{record_id}"
    return delivered(message, record_id, subject, OFFICE, version)


def a_feed(
    through: datetime, agency_id: str = POLICE, since: datetime = START - timedelta(days=1500), *, version: int = 1
) -> Delivery[Any]:
    """Return that an agency's feed is complete."""
    message = JusticeFeedDeclared(agency_id=agency_id, site_ids=[SITE])
    message.complete_from.FromDatetime(since)
    message.complete_through.FromDatetime(through)
    return delivered(message, f"feed_{agency_id}", f"sub_feed_{agency_id}", agency_id, version)
