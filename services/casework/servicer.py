"""The public face of casework: validate, convert, call, convert."""

from __future__ import annotations

import grpc
from lead.casework.v1 import casework_pb2 as wire
from lead.casework.v1 import casework_service_pb2 as pb
from lead.casework.v1 import casework_service_pb2_grpc as grpc_face

from services.casework import convert, handlers, validate
from services.casework.handlers import Shown
from services.casework.index import matches
from services.casework.index.convert import match_to_wire
from services.casework.index.publish import Publishing
from services.casework.paging import place_of
from services.shared.area import Parts
from services.shared.rpc.caller import current_caller
from services.shared.wire import moment


class CaseworkServicer(grpc_face.CaseworkServiceServicer):
    """Ten lines a method; what happens is in `handlers`."""

    def __init__(self, parts: Parts, publishing: Publishing) -> None:
        """Serve with these parts; `publishing` says what follows from the answer to a match."""
        self._parts, self._publishing = parts, publishing

    def ListHandoffs(self, request: pb.ListHandoffsRequest, _: grpc.ServicerContext) -> pb.ListHandoffsResponse:
        """List the hand-offs that the agency was called for."""
        validate.list_handoffs(request)
        state, after = convert.HANDOFF_STATES.word(request.state), place_of(request.page_token)
        size = request.page_size or validate.PAGE_DEFAULT
        found, token = handlers.list_handoffs(self._parts, current_caller(), state, after, size)
        return pb.ListHandoffsResponse(handoffs=[_handoff(each) for each in found], next_page_token=token or None)

    def AcceptHandoff(self, request: pb.AcceptHandoffRequest, _: grpc.ServicerContext) -> pb.AcceptHandoffResponse:
        """Say that a case manager is coming."""
        validate.accept(request)
        shown = handlers.accept(self._parts, current_caller(), request.id, request.etag)
        return pb.AcceptHandoffResponse(handoff=_handoff(shown))

    def ArriveHandoff(self, request: pb.ArriveHandoffRequest, _: grpc.ServicerContext) -> pb.ArriveHandoffResponse:
        """Say that the case manager is with the person."""
        validate.arrive(request, self._parts.clock.now())
        at = moment(request, "time")
        shown = handlers.arrive(self._parts, current_caller(), request.id, request.etag, at)
        return pb.ArriveHandoffResponse(handoff=_handoff(shown))

    def CompleteHandoff(
        self, request: pb.CompleteHandoffRequest, _: grpc.ServicerContext
    ) -> pb.CompleteHandoffResponse:
        """Say that the person came along."""
        validate.complete(request, self._parts.clock.now())
        said = convert.completion_from_wire(request)
        shown = handlers.complete(self._parts, current_caller(), request.id, request.etag, said)
        return pb.CompleteHandoffResponse(handoff=_handoff(shown))

    def FailHandoff(self, request: pb.FailHandoffRequest, _: grpc.ServicerContext) -> pb.FailHandoffResponse:
        """Say that the hand-off ended without the person."""
        validate.fail(request)
        reason = convert.FAIL_REASONS.word(request.reason)
        shown = handlers.fail(self._parts, current_caller(), request.id, request.etag, reason)
        return pb.FailHandoffResponse(handoff=_handoff(shown))

    def ListParticipants(
        self, request: pb.ListParticipantsRequest, _: grpc.ServicerContext
    ) -> pb.ListParticipantsResponse:
        """List the caseload, and whom a release names to the agency."""
        validate.list_participants(request)
        size = request.page_size or validate.PAGE_DEFAULT
        after = place_of(request.page_token)
        found, token = handlers.list_participants(self._parts, current_caller(), after, size)
        rows = [convert.participant_to_wire(each) for each in found]
        return pb.ListParticipantsResponse(participants=rows, next_page_token=token or None)

    def GetParticipant(self, request: pb.GetParticipantRequest, _: grpc.ServicerContext) -> pb.GetParticipantResponse:
        """Show one participant."""
        found = handlers.get_participant(self._parts, current_caller(), request.id)
        return pb.GetParticipantResponse(participant=convert.participant_to_wire(found))

    def CompleteIntake(self, request: pb.CompleteIntakeRequest, _: grpc.ServicerContext) -> pb.CompleteIntakeResponse:
        """Record the intake."""
        validate.intake(request, self._parts.clock.now())
        at = moment(request, "intake_time")
        needs = tuple(convert.NEEDS.word(each) for each in request.needs)
        found = handlers.complete_intake(self._parts, current_caller(), request.id, request.etag, at, needs)
        return pb.CompleteIntakeResponse(participant=convert.participant_to_wire(found))

    def ListPersonMatches(
        self, request: pb.ListPersonMatchesRequest, _: grpc.ServicerContext
    ) -> pb.ListPersonMatchesResponse:
        """List pairs of records of the own sites that may be of one person."""
        validate.list_matches(request)
        state, after = convert.MATCH_STATES.word(request.state), place_of(request.page_token)
        size = request.page_size or validate.PAGE_DEFAULT
        found, token = matches.list_matches(self._parts, current_caller(), state, after, size)
        rows = [match_to_wire(each) for each in found]
        return pb.ListPersonMatchesResponse(matches=rows, next_page_token=token or None)

    def ConfirmPersonMatch(
        self, request: pb.ConfirmPersonMatchRequest, _: grpc.ServicerContext
    ) -> pb.ConfirmPersonMatchResponse:
        """Say that two records are of one person."""
        validate.decide_match(request)
        return pb.ConfirmPersonMatchResponse(match=self._decide(request.id, request.etag, "confirm"))

    def RejectPersonMatch(
        self, request: pb.RejectPersonMatchRequest, _: grpc.ServicerContext
    ) -> pb.RejectPersonMatchResponse:
        """Say that two records are of two people."""
        validate.decide_match(request)
        return pb.RejectPersonMatchResponse(match=self._decide(request.id, request.etag, "reject"))

    def _decide(self, match_id: str, etag: str, move: str) -> wire.PersonMatch:
        made = matches.decide(self._parts, self._publishing, current_caller(), match_id, etag, move)
        return match_to_wire(made)


def _handoff(shown: Shown) -> wire.Handoff:
    return convert.handoff_to_wire(shown.handoff, shown.target_minutes, shown.request)
