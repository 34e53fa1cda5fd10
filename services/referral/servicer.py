"""The public face of referral: validate, convert, call, convert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import grpc
from google.protobuf.message import Message
from lead.referral.v1 import referral_pb2 as wire
from lead.referral.v1 import referral_service_pb2 as pb
from lead.referral.v1 import referral_service_pb2_grpc as grpc_face

from services.referral import convert, validate
from services.referral.convert_incident import incident_to_wire, result_to_wire, violation_to_wire
from services.referral.convert_referral import offer_from_wire, reference, referral_to_wire, screening_to_wire
from services.referral.convert_site import site_to_wire
from services.referral.domain import Referral
from services.referral.handlers import imports, move, offer, push, read, refer, submit
from services.referral.handlers.desk import Desk, Whole
from services.referral.handlers.push import Acknowledgement, Pushed
from services.referral.justice import handlers as justice
from services.referral.justice.convert import recorded_to_wire
from services.referral.paging import id_of, place_of
from services.referral.records import Deletion
from services.referral.scope import require_police
from services.shared.db import idempotency
from services.shared.errors import not_found
from services.shared.rpc.caller import current_caller
from services.shared.sharing.assertion import Caller
from services.shared.wire import Words, filled, moment

_OUTCOMES = Words(pb.PushOutcome, "PUSH_OUTCOME_")


class ReferralServicer(grpc_face.ReferralServiceServicer):
    """Ten lines a method; what happens is in `handlers`."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def SubmitReferral(self, request: pb.SubmitReferralRequest, _: grpc.ServicerContext) -> pb.SubmitReferralResponse:
        """Record a referral and screen it."""
        caller = current_caller()
        key = self._key(caller, "SubmitReferral", request)
        return pb.SubmitReferralResponse(referral=self._whole(submit.submit(self._desk, caller, request.referral, key)))

    def GetReferral(self, request: pb.GetReferralRequest, _: grpc.ServicerContext) -> pb.GetReferralResponse:
        """Return one referral."""
        return pb.GetReferralResponse(referral=_to_wire(read.get(self._desk, current_caller(), request.id)))

    def ListReferrals(self, request: pb.ListReferralsRequest, _: grpc.ServicerContext) -> pb.ListReferralsResponse:
        """Return a page of referrals, by id."""
        validate.timestamps(request, self._desk.clock.now())
        size, after_id = validate.page_size(request.page_size), id_of(request.page_token)
        rows, token = read.listed(self._desk, current_caller(), moment(request, "updated_after"), after_id, size)
        return filled(pb.ListReferralsResponse(referrals=[_to_wire(each) for each in rows]), next_page_token=token)

    def ScreenReferral(self, request: pb.ScreenReferralRequest, _: grpc.ServicerContext) -> pb.ScreenReferralResponse:
        """Screen a draft. It is about nobody the exchange knows of, so its reference names its source alone."""
        caller = current_caller()
        screening = submit.dry_run(self._desk, caller, request.referral)
        draft = pb.ScreenedDraft(reference=reference("", caller.agency_id, ""), screening=screening_to_wire(screening))
        return pb.ScreenReferralResponse(draft=draft)

    def ApproveReferral(
        self, request: pb.ApproveReferralRequest, _: grpc.ServicerContext
    ) -> pb.ApproveReferralResponse:
        """Approve."""
        validate.approve(request, self._desk.clock.now())
        approved = move.approve(self._desk, current_caller(), request.id, request.etag)
        return pb.ApproveReferralResponse(referral=self._whole(approved))

    def DeclineReferral(
        self, request: pb.DeclineReferralRequest, _: grpc.ServicerContext
    ) -> pb.DeclineReferralResponse:
        """Decline."""
        validate.decline(request, self._desk.clock.now())
        declined = move.decline(self._desk, current_caller(), request.id, request.etag, request.reason.strip())
        return pb.DeclineReferralResponse(referral=self._whole(declined))

    def WithdrawReferral(
        self, request: pb.WithdrawReferralRequest, _: grpc.ServicerContext
    ) -> pb.WithdrawReferralResponse:
        """Withdraw."""
        withdrawn = move.withdraw(self._desk, current_caller(), request.id)
        return pb.WithdrawReferralResponse(referral=self._whole(withdrawn))

    def RecordOffer(self, request: pb.RecordOfferRequest, _: grpc.ServicerContext) -> pb.RecordOfferResponse:
        """Record the answer to the offer; an accepted one opens the hand-off."""
        now = self._desk.clock.now()
        validate.offer(request, now, self._desk.directory.sends_case_managers)
        given = offer_from_wire(request, now)
        recorded = offer.record_offer(self._desk, current_caller(), request.id, request.etag, given)
        return pb.RecordOfferResponse(referral=self._whole(recorded))

    def RecordHandover(self, request: pb.RecordHandoverRequest, _: grpc.ServicerContext) -> pb.RecordHandoverResponse:
        """Record the hand-over that the officer saw."""
        now = self._desk.clock.now()
        validate.handover(request, now)
        time = moment(request, "time") or now
        recorded = offer.record_handover(self._desk, current_caller(), request.id, request.etag, time)
        return pb.RecordHandoverResponse(referral=self._whole(recorded))

    def PushReferrals(
        self, request_iterator: Iterator[pb.PushReferralsRequest], _: grpc.ServicerContext
    ) -> Iterator[pb.PushReferralsResponse]:
        """Take in a stream of records. Who may not is told before the stream begins (`services.shared.rpc.chain`)."""
        caller = current_caller()
        require_police(caller)
        records = (self._pushed(caller, request) for request in request_iterator)
        return map(_acknowledgement, push.push(self._desk, caller, records))

    def ImportIncidents(
        self, request: pb.ImportIncidentsRequest, _: grpc.ServicerContext
    ) -> pb.ImportIncidentsResponse:
        """Take in a NIBRS file."""
        caller = current_caller()
        validate.imported(request)
        key = self._key(caller, "ImportIncidents", request)
        results = imports.import_incidents(self._desk, caller, request.file.data, key)
        return pb.ImportIncidentsResponse(results=[result_to_wire(each) for each in results])

    def ListIncidents(self, request: pb.ListIncidentsRequest, _: grpc.ServicerContext) -> pb.ListIncidentsResponse:
        """Return a page of the own agency's candidates."""
        size, place = validate.page_size(request.page_size), place_of(request.page_token)
        found, token = imports.listed(self._desk, current_caller(), place, size)
        return filled(
            pb.ListIncidentsResponse(incidents=[incident_to_wire(each) for each in found]), next_page_token=token
        )

    def ReferIncident(self, request: pb.ReferIncidentRequest, _: grpc.ServicerContext) -> pb.ReferIncidentResponse:
        """Make a referral of a candidate."""
        caller = current_caller()
        key = self._key(caller, "ReferIncident", request)
        return pb.ReferIncidentResponse(referral=self._whole(refer.refer(self._desk, caller, request, key)))

    def RecordJusticeEvents(
        self, request: pb.RecordJusticeEventsRequest, _: grpc.ServicerContext
    ) -> pb.RecordJusticeEventsResponse:
        """Take in what happened to people after an arrest; says what became of each row, and nothing of anybody."""
        caller = current_caller()
        key = self._key(caller, "RecordJusticeEvents", request)
        return recorded_to_wire(justice.record(self._desk, caller, request, key))

    def GetSite(self, request: pb.GetSiteRequest, _: grpc.ServicerContext) -> pb.GetSiteResponse:
        """Return a site's doors, rules and clocks."""
        site = self._desk.sites.get(request.id)
        if site is None:
            raise not_found()
        return pb.GetSiteResponse(site=site_to_wire(site))

    def _key(self, caller: Caller, method: str, request: Message) -> idempotency.Key | None:
        return idempotency.key_of(self._desk.secret, caller.agency_id, method, request)

    def _whole(self, referral: Referral) -> wire.Referral:
        return _to_wire(read.complete(self._desk, [referral])[0])

    def _pushed(self, caller: Caller, request: pb.PushReferralsRequest) -> Pushed:
        setting = self._desk.setting(caller)
        wrong = validate.pushed(request, setting)
        if wrong:
            return Pushed(request.record_key, None, tuple(wrong))
        if request.action == pb.PUSH_ACTION_DELETE:
            return Pushed(request.record_key, Deletion(source=convert.source_from_wire(request.referral.source)))
        return Pushed(request.record_key, submit.submission(request.referral, caller, setting.now))


def _to_wire(whole: Whole) -> wire.Referral:
    return referral_to_wire(whole.referral, whole.decisions, whole.confirmation, whole.changes)


def _acknowledgement(each: Acknowledgement) -> pb.PushReferralsResponse:
    violations: Sequence[pb.Violation] = [violation_to_wire(one) for one in each.violations]
    return filled(
        pb.PushReferralsResponse(violations=violations),
        record_key=each.record_key,
        outcome=_OUTCOMES.number(each.outcome),
        referral_id=each.referral_id,
    )
