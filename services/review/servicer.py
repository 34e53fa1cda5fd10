"""The public face of review: validate, convert, call, convert."""

from __future__ import annotations

import grpc
from lead.review.v1 import review_service_pb2 as pb
from lead.review.v1 import review_service_pb2_grpc as grpc_face

from services.review import handlers, paging, validate
from services.review.convert import REASONS, REVIEW_STATES, VALUES, review_to_wire
from services.review.handlers import Desk, Verdict
from services.review.store import Filter
from services.shared.rpc.caller import current_caller
from services.shared.wire import moment


class ReviewServicer(grpc_face.ReviewServiceServicer):
    """Ten lines a method; what happens is in `handlers`."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def ListReviews(self, request: pb.ListReviewsRequest, _: grpc.ServicerContext) -> pb.ListReviewsResponse:
        """List the office's queue."""
        caller = current_caller()
        validate.listed(request)
        narrowed = Filter(REVIEW_STATES.word(request.state), moment(request, "due_before"))
        after, size = paging.place_of(request.page_token), request.page_size or validate.PAGE_DEFAULT
        found, place = handlers.listed(self._desk, caller, narrowed, after, size)
        answer = pb.ListReviewsResponse(reviews=[review_to_wire(each) for each in found])
        if place is not None:
            answer.next_page_token = paging.token_of(place)
        return answer

    def GetReview(self, request: pb.GetReviewRequest, _: grpc.ServicerContext) -> pb.GetReviewResponse:
        """Show one review."""
        found = handlers.get(self._desk, current_caller(), request.id)
        return pb.GetReviewResponse(review=review_to_wire(found))

    def DecideCharge(self, request: pb.DecideChargeRequest, _: grpc.ServicerContext) -> pb.DecideChargeResponse:
        """Decide one charge."""
        caller = current_caller()
        validate.decided(request, self._desk.clock.now())
        verdict = Verdict(
            review_id=request.id,
            charge_id=request.charge_id,
            value=VALUES.word(request.decision),
            reason=REASONS.word(request.reason),
            note=request.note,
            defer_until=moment(request, "defer_until"),
            etag=request.etag,
        )
        changed = handlers.decide(self._desk, caller, verdict)
        return pb.DecideChargeResponse(review=review_to_wire(changed))
