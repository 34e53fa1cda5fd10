"""The casework area on a real SQLite file, called as the gateway would call it; consent and the log are stand-ins."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from google.protobuf.message import Message
from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1 import casework_service_pb2 as service
from lead.consent.v1.consent_internal_service_pb2 import (
    LinkSubjectsRequest,
    ScopeFact,
    ScopeStatement,
    StateScopeRequest,
)
from lead.referral.v1 import referral_events_pb2, referral_pb2

from services.casework.consumers import handoff_requested
from services.casework.index.consumers import Linker
from services.casework.index.publish import Publishing, forget
from services.casework.index.tokens import Tokens
from services.casework.models import CIPHER, METADATA
from services.casework.servicer import CaseworkServicer
from services.shared.events.delivery import Delivery, OpenedPart
from services.shared.events.publisher import OutgoingEvent, Prepared, Publisher
from services.shared.events.split import split
from services.shared.ids import Ids
from services.shared.rpc.caller import RequestInfo, acting
from services.shared.sharing.assertion import Caller
from services.shared.wire import stamp
from tests.support.clock import FakeClock
from tests.support.parts import fake_parts
from tests.unit.casework.builders import AGENCY, OTHER, POLICE, SITE
from tests.unit.casework.registry import a_registry

KEY = b"k" * 32
PERSON = pb.ParticipantPerson(given_name="Testa", family_name="Sample", birth_date="1990-05")


def a_case_manager(agency_id: str = AGENCY, purpose: str = "HANDOFF") -> Caller:
    """Return a case manager of an agency."""
    return Caller(f"{agency_id}-case-manager", agency_id, "case_management", "case_manager", purpose, (SITE,))


def a_participant_caller(participant_id: str) -> Caller:
    """Return a participant, signed in himself."""
    return Caller("self", "", "", "participant", "PATRQT", (), participant_id)


class Recorder:
    """A publisher that seals as the real one does, and remembers what was said in clear."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.said: list[OutgoingEvent] = []
        # Called before a change is written: what another call does meanwhile.
        self.meanwhile: Callable[[], object] = lambda: None

    def prepare(self, events: Sequence[OutgoingEvent]) -> Prepared:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        prepared = self._publisher.prepare(events)
        self.said += events
        return prepared


class Desk:
    """One running area with what it told others."""

    def __init__(self, folder: Path) -> None:
        CIPHER.load(KEY)
        self.clock = FakeClock()
        parts = fake_parts(folder, "casework", METADATA, self.clock)
        self.recorder = Recorder(parts.publisher)
        self.consent: Any = cast(Any, parts.consent)
        self.parts = replace(parts, publisher=self.recorder)  # type: ignore[arg-type]
        self.consent.agencies = a_registry()
        self.publishing = Publishing(self.parts)
        self.linker = Linker(Tokens(KEY), self.parts.ids)
        self._servicer = CaseworkServicer(self.parts, self.publishing)
        self.stranger = a_case_manager(OTHER, "CAREMGT")
        self._ids, self._versions = Ids(), itertools.count(1)

    def close(self) -> None:
        self.parts.relay.stop()
        self.parts.db.engine.dispose()

    def call(self, method: str, request: Message, caller: Caller | None = None) -> Any:
        """Call a method as somebody, by default as a case manager of the sample agency."""
        with acting(caller or a_case_manager(), RequestInfo("req_1", "gateway")):
            return getattr(self._servicer, method)(request, None)

    def request(self, **changes: Any) -> referral_events_pb2.HandoffRequested:
        """Return what an officer says who calls a case manager."""
        now = self.clock.now()
        defaults: dict[str, Any] = {
            "referral_id": "ref_x",
            "site_id": SITE,
            "door": referral_pb2.DOOR_ARREST_DIVERSION,
            "dispatch_agency_id": AGENCY,
            "call_time": stamp(now),
            "window_end_time": stamp(now + timedelta(hours=72)),
            "intake_due_time": stamp(now + timedelta(days=30)),
            "referral_time": stamp(now),
            "person": referral_pb2.Person(given_name="Testa", family_name="Sample"),
            "contact": referral_pb2.Contact(phones=["206-555-0100"], where_found="Sample Park"),
            "meet_at": "Sample Corner",
            "officer": referral_pb2.Officer(name="Officer Sample"),
            "screening_result": referral_pb2.SCREENING_RESULT_ELIGIBLE,
        }
        return referral_events_pb2.HandoffRequested(**(defaults | changes))

    def delivery(
        self,
        message: referral_events_pb2.HandoffRequested,
        handoff_id: str = "",
        *,
        subject_id: str = "",
        version: int = 0,
        agencies: Sequence[str] = (AGENCY,),
        categories: Sequence[int] = (),
        source: str = POLICE,
    ) -> Delivery[referral_events_pb2.HandoffRequested]:
        """Return the delivery of a request, of the named categories or of all, opened for these agencies."""
        record_id = handoff_id or self._ids.new("hof")
        parts = [
            OpenedPart(part.category, part.record_id, part.payload, frozenset(agencies), "", 0)
            for part in split(message, record_id)
            if not categories or part.category in categories
        ]
        return Delivery(
            message_class=type(message),
            event_id=f"evt_{next(self._versions)}",
            topic="referral",
            record_id=record_id,
            subject_id=subject_id or self._ids.new("sub"),
            source_agency_id=source,
            version=version or next(self._versions),
            time=self.clock.now(),
            parts=tuple(parts),
            late=False,
        )

    def deliver(self, *deliveries: Delivery[referral_events_pb2.HandoffRequested]) -> None:
        """Apply deliveries, each in a transaction."""
        for each in deliveries:
            with self.parts.db.write() as connection:
                handoff_requested(connection, each)

    def asked(self, handoff_id: str = "", subject_id: str = "", **changes: Any) -> pb.Handoff:
        """Ask for a hand-off, and return it as its agency sees it."""
        agency = changes.get("dispatch_agency_id", AGENCY)
        delivery = self.delivery(self.request(**changes), handoff_id, subject_id=subject_id, agencies=[agency])
        self.deliver(delivery)
        return next(each for each in self.handoffs(a_case_manager(agency)) if each.id == delivery.record_id)

    def handoffs(self, caller: Caller | None = None, **filters: Any) -> list[pb.Handoff]:
        """All hand-offs of the caller's, in pages of two."""
        return self._all("ListHandoffs", service.ListHandoffsRequest, "handoffs", caller, **filters)

    def participants(self, caller: Caller | None = None) -> list[pb.Participant]:
        """All participants of the caller's, in pages of two."""
        caller = caller or a_case_manager(purpose="CAREMGT")
        return self._all("ListParticipants", service.ListParticipantsRequest, "participants", caller)

    def get(self, participant_id: str, caller: Caller | None = None) -> pb.Participant:
        request = service.GetParticipantRequest(id=participant_id)
        found: pb.Participant = self.call("GetParticipant", request, caller).participant
        return found

    def accept(self, handoff: pb.Handoff, caller: Caller | None = None) -> pb.Handoff:
        request = service.AcceptHandoffRequest(id=handoff.id, etag=handoff.etag)
        return self._handoff("AcceptHandoff", request, caller)

    def arrive(self, handoff: pb.Handoff, caller: Caller | None = None) -> pb.Handoff:
        request = service.ArriveHandoffRequest(id=handoff.id, etag=handoff.etag)
        return self._handoff("ArriveHandoff", request, caller)

    def complete(self, handoff: pb.Handoff, caller: Caller | None = None, **said: Any) -> pb.Handoff:
        if "participant_id" not in said:
            said = {"person": PERSON, **said}
        request = service.CompleteHandoffRequest(id=handoff.id, etag=handoff.etag, **said)
        return self._handoff("CompleteHandoff", request, caller)

    def fail(self, handoff: pb.Handoff, reason: pb.FailReason.ValueType) -> pb.Handoff:
        request = service.FailHandoffRequest(id=handoff.id, etag=handoff.etag, reason=reason)
        return self._handoff("FailHandoff", request, None)

    def arrived(self, caller: Caller | None = None, **changes: Any) -> pb.Handoff:
        """Return a hand-off whose case manager is there."""
        return self.arrive(self.accept(self.asked(**changes), caller), caller)

    def joined(self, caller: Caller | None = None, **said: Any) -> pb.Participant:
        """Return a new participant."""
        agency = (caller or a_case_manager()).agency_id
        done = self.complete(self.arrived(caller, dispatch_agency_id=agency), caller, **said)
        return self.get(done.participant_id, caller)

    def take_in(self, participant: pb.Participant, caller: Caller | None = None, **said: Any) -> pb.Participant:
        request = service.CompleteIntakeRequest(id=participant.id, etag=participant.etag, **said)
        found: pb.Participant = self.call("CompleteIntake", request, caller).participant
        return found

    def stated(self, fact: str) -> list[ScopeStatement]:
        """The statements of this fact that reached consent, oldest first."""
        requests = [StateScopeRequest.FromString(body) for kind, body in self.consent.delivered if kind == "StateScope"]
        found = [each for request in requests for each in request.statements]
        return [each for each in found if each.fact == ScopeFact.Value(f"SCOPE_FACT_{fact}")]

    def links(self) -> list[LinkSubjectsRequest]:
        """The links that reached consent, oldest first."""
        return [LinkSubjectsRequest.FromString(body) for kind, body in self.consent.delivered if kind == "LinkSubjects"]

    def forget(self, days: int) -> int:
        """Do the chore of the look-back."""
        return forget(self.parts, timedelta(days=days))

    def stored(self) -> bytes:
        """Everything that lies in the database's files."""
        name = str(self.parts.db.engine.url.database)
        files = [Path(name + end) for end in ("", "-wal")]
        return b"".join(each.read_bytes() for each in files if each.exists())

    def _handoff(self, method: str, request: Message, caller: Caller | None) -> pb.Handoff:
        found: pb.Handoff = self.call(method, request, caller).handoff
        return found

    def _all(self, method: str, request: Any, field: str, caller: Caller | None, **filters: Any) -> list[Any]:
        found: list[Any] = []
        token = ""
        while True:
            page = self.call(method, request(page_size=2, page_token=token, **filters), caller)
            found += getattr(page, field)
            token = page.next_page_token
            if not token:
                return found
