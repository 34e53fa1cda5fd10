"""The public face of provider: validate, convert, call, convert."""

from __future__ import annotations

import grpc
from google.protobuf.message import Message
from lead.provider.v1 import provider_pb2 as wire
from lead.provider.v1 import provider_service_pb2 as pb
from lead.provider.v1 import provider_service_pb2_grpc as grpc_face

from services.provider import convert, validate, vsp, words
from services.provider.convert_batch import batch_to_wire
from services.provider.convert_enrolment import attendance_from_wire, enrolment_to_wire
from services.provider.handlers import attendance, batch, enrolments, referrals, services
from services.provider.handlers.desk import Desk
from services.provider.handlers.referrals import Asked, Move
from services.provider.paging import place_of
from services.provider.scope import CASE_ROLES
from services.shared.db import idempotency
from services.shared.db.idempotency import Key
from services.shared.rpc.caller import current_caller
from services.shared.sharing.assertion import Caller
from services.shared.wire import moment

_SERVICE = "lead.provider.v1.ProviderService"


class ProviderServicer(grpc_face.ProviderServiceServicer):
    """Ten lines a method; what happens is in `handlers`."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def ListServices(self, request: pb.ListServicesRequest, _: grpc.ServicerContext) -> pb.ListServicesResponse:
        """List what is offered at the caller's sites."""
        validate.list_services(request)
        kind, after = words.SERVICE_KINDS.word(request.kind), place_of(request.page_token)
        size = request.page_size or validate.PAGE_DEFAULT
        found, token = services.listed(self._desk, current_caller(), request.agency_id, kind, after, size)
        rows = [convert.service_to_wire(each) for each in found]
        return pb.ListServicesResponse(services=rows, next_page_token=token or None)

    def CreateService(self, request: pb.CreateServiceRequest, _: grpc.ServicerContext) -> pb.CreateServiceResponse:
        """Offer something."""
        caller = current_caller()
        validate.create_service(request, caller.site_ids)
        draft, key = convert.service_from_wire(request, caller.site_ids), self._key(caller, "CreateService", request)
        created = services.create(self._desk, caller, draft, key)
        return pb.CreateServiceResponse(service=convert.service_to_wire(created))

    def UpdateService(self, request: pb.UpdateServiceRequest, _: grpc.ServicerContext) -> pb.UpdateServiceResponse:
        """Change what is offered."""
        validate.update_service(request)
        draft = convert.change_from_wire(request)
        updated = services.update(self._desk, current_caller(), request.id, request.etag, draft)
        return pb.UpdateServiceResponse(service=convert.service_to_wire(updated))

    def RecordServiceTotal(
        self, request: pb.RecordServiceTotalRequest, _: grpc.ServicerContext
    ) -> pb.RecordServiceTotalResponse:
        """Record how many a service served."""
        caller = current_caller()
        validate.total(request, self._desk.now())
        total, key = convert.total_from_wire(request), self._key(caller, "RecordServiceTotal", request)
        recorded = services.record_total(self._desk, caller, request.id, total, key)
        return pb.RecordServiceTotalResponse(service=convert.service_to_wire(recorded))

    def CreateServiceReferral(
        self, request: pb.CreateServiceReferralRequest, _: grpc.ServicerContext
    ) -> pb.CreateServiceReferralResponse:
        """Ask for a service."""
        caller = current_caller()
        validate.create_referral(request)
        asked = Asked(
            service_id=request.service_id,
            participant_id=request.participant_id,
            needs=tuple(words.NEEDS.word(each) for each in request.needs),
        )
        shown = referrals.create(self._desk, caller, asked, self._key(caller, "CreateServiceReferral", request))
        return pb.CreateServiceReferralResponse(service_referral=_referral(shown))

    def ListServiceReferrals(
        self, request: pb.ListServiceReferralsRequest, _: grpc.ServicerContext
    ) -> pb.ListServiceReferralsResponse:
        """List what the caller's agency asked for, or is asked for."""
        validate.listed(request, self._desk.now())
        since, after = moment(request, "updated_after"), place_of(request.page_token)
        size = request.page_size or validate.PAGE_DEFAULT
        found, token = referrals.listed(self._desk, current_caller(), since, request.participant_id, after, size)
        rows = [_referral(each) for each in found]
        return pb.ListServiceReferralsResponse(service_referrals=rows, next_page_token=token or None)

    def OfferServiceReferral(
        self, request: pb.OfferServiceReferralRequest, _: grpc.ServicerContext
    ) -> pb.OfferServiceReferralResponse:
        """Offer a place."""
        vsp.check(current_caller(), "id")
        validate.offer(request, self._desk.now())
        what = Move(name="offer", hold_until=moment(request, "hold_until_time"))
        return pb.OfferServiceReferralResponse(service_referral=self._moved(request.id, request.etag, what))

    def AcceptServiceReferral(
        self, request: pb.AcceptServiceReferralRequest, _: grpc.ServicerContext
    ) -> pb.AcceptServiceReferralResponse:
        """Take the place, or the person."""
        vsp.check(current_caller(), "id")
        validate.etag(request.etag)
        moved = self._moved(request.id, request.etag, Move(name="accept"))
        return pb.AcceptServiceReferralResponse(service_referral=moved)

    def DeclineServiceReferral(
        self, request: pb.DeclineServiceReferralRequest, _: grpc.ServicerContext
    ) -> pb.DeclineServiceReferralResponse:
        """Decline, with the reason of the caller's own side."""
        caller = current_caller()
        vsp.check(caller, "id")
        asks = caller.role in CASE_ROLES
        validate.decline(request, asks=asks)
        own = words.REQUEST_REASONS.word(request.request_reason) if asks else words.ANSWER_REASONS.word(request.reason)
        moved = self._moved(request.id, request.etag, Move(name="decline", reason=own))
        return pb.DeclineServiceReferralResponse(service_referral=moved)

    def WaitlistServiceReferral(
        self, request: pb.WaitlistServiceReferralRequest, _: grpc.ServicerContext
    ) -> pb.WaitlistServiceReferralResponse:
        """Put on a list until there is a place."""
        vsp.check(current_caller(), "id")
        validate.etag(request.etag)
        moved = self._moved(request.id, request.etag, Move(name="waitlist"))
        return pb.WaitlistServiceReferralResponse(service_referral=moved)

    def CancelServiceReferral(
        self, request: pb.CancelServiceReferralRequest, _: grpc.ServicerContext
    ) -> pb.CancelServiceReferralResponse:
        """Ask no longer."""
        validate.etag(request.etag)
        moved = self._moved(request.id, request.etag, Move(name="cancel"))
        return pb.CancelServiceReferralResponse(service_referral=moved)

    def CreateEnrollment(
        self, request: pb.CreateEnrollmentRequest, _: grpc.ServicerContext
    ) -> pb.CreateEnrollmentResponse:
        """Record an enrolment."""
        caller = current_caller()
        vsp.check_message(caller, request.enrollment)
        key = self._key(caller, "CreateEnrollment", request)
        created = enrolments.create(self._desk, caller, request.enrollment, key)
        return pb.CreateEnrollmentResponse(enrollment=_enrolment(created))

    def BatchEnrollments(
        self, request: pb.BatchEnrollmentsRequest, _: grpc.ServicerContext
    ) -> pb.BatchEnrollmentsResponse:
        """Take in a file of enrolments."""
        caller = current_caller()
        vsp.check(caller, "file")
        key, file = self._key(caller, "BatchEnrollments", request), request.file
        return batch_to_wire(batch.batch(self._desk, caller, file.content_type, file.data, key))

    def ListEnrollments(
        self, request: pb.ListEnrollmentsRequest, _: grpc.ServicerContext
    ) -> pb.ListEnrollmentsResponse:
        """List the own enrolments, and those that a release opens."""
        validate.listed(request, self._desk.now())
        since, after = moment(request, "updated_after"), place_of(request.page_token)
        size = request.page_size or validate.PAGE_DEFAULT
        found, token = enrolments.listed(self._desk, current_caller(), since, request.participant_id, after, size)
        rows = [_enrolment(each) for each in found]
        return pb.ListEnrollmentsResponse(enrollments=rows, next_page_token=token or None)

    def GetEnrollment(self, request: pb.GetEnrollmentRequest, _: grpc.ServicerContext) -> pb.GetEnrollmentResponse:
        """Show one enrolment."""
        found = enrolments.get(self._desk, current_caller(), request.id)
        return pb.GetEnrollmentResponse(enrollment=_enrolment(found))

    def UpdateEnrollment(
        self, request: pb.UpdateEnrollmentRequest, _: grpc.ServicerContext
    ) -> pb.UpdateEnrollmentResponse:
        """Change an enrolment."""
        caller = current_caller()
        vsp.check_message(caller, request)
        validate.update_enrollment(request, self._desk.now())
        change = enrolments.Change(
            status=words.STATUSES.word(request.status),
            started_at=moment(request, "start_time"),
            ended_at=moment(request, "end_time"),
        )
        updated = enrolments.update(self._desk, caller, request.id, request.etag, change)
        return pb.UpdateEnrollmentResponse(enrollment=_enrolment(updated))

    def RecordAttendance(
        self, request: pb.RecordAttendanceRequest, _: grpc.ServicerContext
    ) -> pb.RecordAttendanceResponse:
        """Record one day."""
        caller = current_caller()
        vsp.check_message(caller, request)
        validate.attendance(request, self._desk.now())
        told, key = attendance_from_wire(request), self._key(caller, "RecordAttendance", request)
        recorded = attendance.record(self._desk, caller, request.id, told, key)
        return pb.RecordAttendanceResponse(enrollment=_enrolment(recorded))

    def _key(self, caller: Caller, method: str, request: Message) -> Key | None:
        secret = self._desk.secrets.idempotency
        return idempotency.key_of(secret, caller.agency_id, f"{_SERVICE}/{method}", request)

    def _moved(self, referral_id: str, etag: str, what: Move) -> wire.ServiceReferral:
        return _referral(referrals.move(self._desk, current_caller(), referral_id, etag, what))


def _referral(shown: referrals.Shown) -> wire.ServiceReferral:
    return convert.referral_to_wire(shown.request, shown.answer, shown.told)


def _enrolment(shown: enrolments.Shown) -> wire.Enrollment:
    return enrolment_to_wire(shown.enrolment, shown.days)
