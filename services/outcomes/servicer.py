"""The public face of outcomes: validate, convert, call, convert. Aggregates only: no method returns a row."""

from __future__ import annotations

import grpc
from lead.outcomes.v1 import outcomes_pb2 as wire
from lead.outcomes.v1 import outcomes_service_pb2 as pb
from lead.outcomes.v1 import outcomes_service_pb2_grpc as grpc_face

from services.outcomes import convert, directory, handlers, validate
from services.outcomes.domain import Figure
from services.outcomes.handlers import Desk, NewEntry
from services.shared.db import idempotency
from services.shared.rpc.caller import current_caller
from services.shared.sharing.assertion import Caller
from services.shared.wire import moment

_CREATE = "CreateEvaluationEntry"


class OutcomesServicer(grpc_face.OutcomesServiceServicer):
    """Ten lines a method; what happens is in `handlers`."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def CreateEvaluationEntry(
        self, request: pb.CreateEvaluationEntryRequest, _: grpc.ServicerContext
    ) -> pb.CreateEvaluationEntryResponse:
        """Register a comparison."""
        caller = current_caller()
        validate.created(request, caller, directory.reporting(self._desk.registry(), [request.site_id]))
        index_event = convert.index_event_from_wire(request.index_event)
        new = NewEntry(site_id=request.site_id, arm=convert.ARMS.word(request.arm), index_event=index_event)
        key = idempotency.key_of(self._desk.secret, caller.agency_id, _CREATE, request)
        entry = handlers.create_entry(self._desk, caller, new, key)
        return pb.CreateEvaluationEntryResponse(entry=convert.entry_to_wire(entry, request.index_event))

    def GetFunnel(self, request: pb.GetFunnelRequest, _: grpc.ServicerContext) -> pb.GetFunnelResponse:
        """Count the steps from referral to intake."""
        caller = current_caller()
        figure = validate.funnel(request, caller, self._desk.clock.now())
        return pb.GetFunnelResponse(report=self._report(request, caller, figure))

    def GetRearrest(self, request: pb.GetRearrestRequest, _: grpc.ServicerContext) -> pb.GetRearrestResponse:
        """Count new arrests."""
        caller = current_caller()
        figure = validate.rearrest(request, caller, self._desk.clock.now())
        return pb.GetRearrestResponse(report=self._report(request, caller, figure))

    def _report(self, request: validate.Asked, caller: Caller, figure: Figure) -> wire.Report:
        if validate.is_live(request, caller):
            return handlers.live(self._desk, caller, figure, moment(request, "as_of_time"))
        return handlers.published(self._desk, figure, request.snapshot)
