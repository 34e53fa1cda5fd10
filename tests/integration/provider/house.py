"""The provider area on a real SQLite file, called as the gateway would call it; consent and the log are stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message
from lead.casework.v1 import casework_events_pb2, casework_pb2
from lead.consent.v1.consent_internal_service_pb2 import ScopeFact, ScopeStatement, StateScopeRequest
from lead.provider.v1 import provider_pb2 as pb
from lead.provider.v1 import provider_service_pb2 as service

from services.provider import consumers
from services.provider.handlers.desk import Desk
from services.provider.models import CIPHER, METADATA
from services.provider.sealed import secrets_of
from services.provider.servicer import ProviderServicer
from services.shared.events.delivery import Delivery, OpenedPart
from services.shared.events.publisher import OutgoingEvent, Prepared, Publisher
from services.shared.events.split import split
from services.shared.ids import Ids
from services.shared.rpc.caller import RequestInfo, acting
from services.shared.sharing.assertion import Caller
from services.shared.wire import stamp
from tests.support.clock import FakeClock
from tests.support.parts import fake_parts
from tests.unit.provider.builders import HOUSING, OUTREACH, SHELTER, SITE, TREATMENT, a_wire_draft

KEY = b"k" * 32
KINDS = {
    TREATMENT: "sud_treatment",
    HOUSING: "housing",
    SHELTER: "victim_services",
    "sample-clinic": "health_care",
    "sample-counsel": "mental_health",
    "sample-works": "job_training",
}


def a_case_manager(agency_id: str = OUTREACH, sites: Sequence[str] = (SITE,)) -> Caller:
    """Return a case manager of an agency."""
    return Caller(f"{agency_id}-cm", agency_id, "case_management", "case_manager", "CAREMGT", tuple(sites))


def a_provider(agency_id: str = TREATMENT, role: str = "provider_staff", sites: Sequence[str] = (SITE,)) -> Caller:
    """Return somebody of a provider."""
    return Caller(f"{agency_id}-staff", agency_id, KINDS[agency_id], role, "CAREMGT", tuple(sites))


@dataclass(frozen=True)
class Resolved:
    """Obeys what consent answers about a participant."""

    subject_id: str
    caseload_agency_id: str


@dataclass
class FakeConsent:
    """Consent's face towards the area: knows participants, releases and whom the area addressed."""

    subjects: dict[str, Resolved] = field(default_factory=dict)
    granted: dict[str, set[str]] = field(default_factory=dict)
    # Participants whom consent was asked about, in order.
    asked: list[str] = field(default_factory=list)
    delivered: list[tuple[str, bytes]] = field(default_factory=list)

    def granted_subjects(self, caller: Caller) -> frozenset[str]:
        """Return the subjects that ever named the caller's agency."""
        return frozenset(self.granted.get(caller.agency_id, set()))

    def resolve_participant(self, caller: Caller, participant_id: str) -> Resolved | None:
        """Return whose it is, to who has him on its caseload or was addressed about him."""
        self.asked.append(participant_id)
        found = self.subjects.get(participant_id)
        if found is None:
            return None
        knows = caller.agency_id == found.caseload_agency_id or self._addressed(caller.agency_id, found.subject_id)
        return found if knows else None

    def _addressed(self, agency_id: str, subject_id: str) -> bool:
        stated = (each for each in statements(self.delivered) if each.fact == ScopeFact.SCOPE_FACT_ADDRESSED)
        return any((each.agency_id, each.subject_id) == (agency_id, subject_id) for each in stated)


def statements(delivered: Iterable[tuple[str, bytes]]) -> list[ScopeStatement]:
    """Return the facts that reached consent, oldest first."""
    requests = [StateScopeRequest.FromString(body) for kind, body in delivered if kind == "StateScope"]
    return [each for request in requests for each in request.statements]


class Recorder:
    """A publisher that seals as the real one does, and remembers what was said in clear."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.said: list[OutgoingEvent] = []
        # Events sealed together, one number per lease of keys.
        self.leases: list[int] = []
        # Called before a change is written: what another call does meanwhile.
        self.meanwhile: Callable[[], object] = lambda: None

    def prepare(self, events: Sequence[OutgoingEvent]) -> Prepared:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        prepared = self._publisher.prepare(events)
        self.said += events
        self.leases += [len(events)] if events else []
        return prepared


@dataclass(frozen=True)
class Person:
    """Somebody on a caseload."""

    participant_id: str
    subject_id: str


class House:
    """One running area with what it told others."""

    def __init__(self, folder: Path) -> None:
        CIPHER.load(KEY)
        self.clock, self.ids = FakeClock(), Ids()
        parts = fake_parts(folder, "provider", METADATA, self.clock)
        self.recorder = Recorder(parts.publisher)
        self.consent = FakeConsent(delivered=parts.consent.delivered)  # type: ignore[attr-defined]
        self.parts = replace(parts, publisher=self.recorder, consent=self.consent)  # type: ignore[arg-type]
        self.desk = Desk(self.parts, secrets_of(KEY))
        self._servicer = ProviderServicer(self.desk)
        self._handler = consumers.handlers(self.clock)["ParticipantRecorded"]

    def close(self) -> None:
        self.parts.relay.stop()
        self.parts.db.engine.dispose()

    def call(self, method: str, request: Message, caller: Caller) -> Any:
        """Call a method as somebody."""
        with acting(caller, RequestInfo("req_1", "gateway")):
            return getattr(self._servicer, method)(request, None)

    def stated(self, fact: str) -> list[ScopeStatement]:
        """The statements of this fact that reached consent, oldest first."""
        return [
            each for each in statements(self.consent.delivered) if each.fact == ScopeFact.Value(f"SCOPE_FACT_{fact}")
        ]

    def said(self, name: str) -> list[OutgoingEvent]:
        """The events of this name, oldest first."""
        return [each for each in self.recorder.said if each.message.DESCRIPTOR.name == name]

    # People

    def a_person(self, agency_id: str = OUTREACH, releases_to: Sequence[str] = (TREATMENT, OUTREACH)) -> Person:
        """Return somebody on this agency's caseload whose release names these agencies."""
        person = Person(self.ids.new("par"), self.ids.new("sub"))
        self.consent.subjects[person.participant_id] = Resolved(person.subject_id, agency_id)
        for each in releases_to:
            self.consent.granted.setdefault(each, set()).add(person.subject_id)
        return person

    def told(
        self,
        person: Person,
        *,
        agencies: Sequence[str] = (TREATMENT,),
        categories: Sequence[int] = (),
        version: int = 1,
        source: str = OUTREACH,
        **changes: Any,
    ) -> None:
        """Deliver what casework tells of somebody, of the named categories or of all, opened for these agencies."""
        defaults: dict[str, Any] = {
            "given_name": "Testa",
            "family_name": "Sample",
            "birth_date": "1990-05",
            "needs": [casework_pb2.NEED_TREATMENT],
            "intake_confirmed_time": stamp(self.clock.now()),
        }
        message = casework_events_pb2.ParticipantRecorded(**(defaults | changes))
        parts = [
            OpenedPart(part.category, part.record_id, part.payload, frozenset(agencies), "con_1", 1)
            for part in split(message, person.participant_id)
            if not categories or part.category in categories
        ]
        delivery = Delivery(
            message_class=type(message),
            event_id=self.ids.new("evt"),
            topic="casework",
            record_id=person.participant_id,
            subject_id=person.subject_id,
            source_agency_id=source,
            version=version,
            time=self.clock.now(),
            parts=tuple(parts),
            late=False,
        )
        with self.parts.db.write() as connection:
            self._handler.apply(connection, delivery)

    # Services

    def a_service(self, agency_id: str = TREATMENT, **said: Any) -> pb.Service:
        """Return a new service of an agency."""
        defaults: dict[str, Any] = {
            "name": "Sample Day Program",
            "kind": pb.SERVICE_KIND_OTHER,
            "capacity": 20,
            "open_places": 3,
        }
        request = service.CreateServiceRequest(**(defaults | said))
        found: pb.Service = self.call("CreateService", request, a_provider(agency_id)).service
        return found

    def services(self, caller: Caller, **filters: Any) -> list[pb.Service]:
        """All services that somebody may see, in pages of two."""
        return self._all("ListServices", service.ListServicesRequest, "services", caller, **filters)

    # Service referrals

    def asked(
        self, person: Person | None = None, offered: pb.Service | None = None, caller: Caller | None = None, **said: Any
    ) -> pb.ServiceReferral:
        """Return a new service referral, as who asked sees it."""
        person, offered = person or self.a_person(), offered or self.a_service()
        request = service.CreateServiceReferralRequest(
            service_id=offered.id,
            participant_id=person.participant_id,
            **{"needs": [casework_pb2.NEED_TREATMENT], **said},
        )
        found: pb.ServiceReferral = self.call(
            "CreateServiceReferral", request, caller or a_case_manager()
        ).service_referral
        return found

    def referrals(self, caller: Caller, **filters: Any) -> list[pb.ServiceReferral]:
        """All service referrals that somebody may see, in pages of two."""
        return self._all(
            "ListServiceReferrals", service.ListServiceReferralsRequest, "service_referrals", caller, **filters
        )

    def seen(self, referral_id: str, caller: Caller) -> pb.ServiceReferral:
        """Return one of them."""
        return next(each for each in self.referrals(caller) if each.id == referral_id)

    def move(self, name: str, referral: pb.ServiceReferral, caller: Caller, **said: Any) -> pb.ServiceReferral:
        """Move the caller's own side, by the etag that it has in `referral`."""
        own = referral.etag if caller.role == "case_manager" else referral.answer.etag
        request_class = getattr(service, f"{name}ServiceReferralRequest")
        request = request_class(**{"id": referral.id, "etag": own, **said})
        found: pb.ServiceReferral = self.call(f"{name}ServiceReferral", request, caller).service_referral
        return found

    # Enrolments

    def enrolled(self, caller: Caller | None = None, request_id: str = "", **said: Any) -> pb.Enrollment:
        """Return a new enrolment."""
        request = service.CreateEnrollmentRequest(enrollment=a_wire_draft(**said), request_id=request_id or None)
        found: pb.Enrollment = self.call("CreateEnrollment", request, caller or a_provider()).enrollment
        return found

    def update(self, enrollment: pb.Enrollment, caller: Caller | None = None, **said: Any) -> pb.Enrollment:
        request = service.UpdateEnrollmentRequest(**{"id": enrollment.id, "etag": enrollment.etag, **said})
        found: pb.Enrollment = self.call("UpdateEnrollment", request, caller or a_provider()).enrollment
        return found

    def attended(self, enrollment_id: str, caller: Caller | None = None, **said: Any) -> pb.Enrollment:
        defaults = {"date": "2026-03-01", "status": pb.ATTENDANCE_STATUS_ATTENDED}
        request = service.RecordAttendanceRequest(**{"id": enrollment_id, **defaults, **said})
        found: pb.Enrollment = self.call("RecordAttendance", request, caller or a_provider()).enrollment
        return found

    def get(self, enrollment_id: str, caller: Caller) -> pb.Enrollment:
        request = service.GetEnrollmentRequest(id=enrollment_id)
        found: pb.Enrollment = self.call("GetEnrollment", request, caller).enrollment
        return found

    def enrolments(self, caller: Caller, **filters: Any) -> list[pb.Enrollment]:
        """All enrolments that somebody may see, in pages of two."""
        return self._all("ListEnrollments", service.ListEnrollmentsRequest, "enrollments", caller, **filters)

    def sent(
        self, data: str | bytes, kind: str = "text/csv", caller: Caller | None = None, request_id: str = ""
    ) -> service.BatchEnrollmentsResponse:
        """Send a file."""
        raw = data.encode() if isinstance(data, str) else data
        file = HttpBody(content_type=kind, data=raw)
        request = service.BatchEnrollmentsRequest(file=file, request_id=request_id or None)
        found: service.BatchEnrollmentsResponse = self.call("BatchEnrollments", request, caller or a_provider())
        return found

    def _all(self, method: str, request: Any, field: str, caller: Caller, **filters: Any) -> list[Any]:
        found: list[Any] = []
        token = ""
        while True:
            page = self.call(method, request(page_size=2, page_token=token or None, **filters), caller)
            found += getattr(page, field)
            token = page.next_page_token
            if not token:
                return found
