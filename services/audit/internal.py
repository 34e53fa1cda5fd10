"""The internal face: the one way on to the ledger."""

from __future__ import annotations

import grpc
from lead.audit.v1 import audit_internal_service_pb2 as pb
from lead.audit.v1 import audit_internal_service_pb2_grpc as grpc_face

from services.audit import handlers, validate
from services.audit.handlers import Desk
from services.shared.rpc.caller import current_request


class AuditInternalServicer(grpc_face.AuditInternalServiceServicer):
    """Called by services, by their certificate."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def AppendEntries(self, request: pb.AppendEntriesRequest, _: grpc.ServicerContext) -> pb.AppendEntriesResponse:
        """Append entries; the answer comes when all are durable (AU-06)."""
        validate.appended(request)
        places = handlers.append(self._desk, current_request().service, request.entries)
        return pb.AppendEntriesResponse(indices=places)
