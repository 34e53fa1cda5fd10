"""The public face of audit: validate, convert, call, convert. Who may call what is said in the contract."""

from __future__ import annotations

import grpc
from lead.audit.v1 import audit_service_pb2 as pb
from lead.audit.v1 import audit_service_pb2_grpc as grpc_face

from services.audit import convert, handlers, validate
from services.audit.checkpoint import to_base64
from services.audit.handlers import Desk
from services.audit.paging import token
from services.shared.rpc.caller import current_caller


class AuditServicer(grpc_face.AuditServiceServicer):
    """Proof, for the participant and for auditors."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def ListDisclosures(
        self, request: pb.ListDisclosuresRequest, _: grpc.ServicerContext
    ) -> pb.ListDisclosuresResponse:
        """Account for disclosures to the participant himself."""
        limit, start = validate.page_size(request.page_size), validate.page_token(request.page_token)
        lines, following = handlers.accounting(self._desk, current_caller(), request.participant_id, start, limit)
        return pb.ListDisclosuresResponse(
            disclosures=[convert.disclosure(line.placed, line.basis, line.subject_id) for line in lines],
            next_page_token=None if following is None else token(*following),
        )

    def ListEntries(self, request: pb.ListEntriesRequest, _: grpc.ServicerContext) -> pb.ListEntriesResponse:
        """List entries as metadata."""
        limit, start = validate.page_size(request.page_size), validate.page_token(request.page_token)
        found, following = handlers.entries(self._desk, start, limit)
        return pb.ListEntriesResponse(
            entries=[convert.audit_entry(placed) for placed in found],
            next_page_token=None if following is None else token(*following),
        )

    def GetCheckpoint(self, _: pb.GetCheckpointRequest, __: grpc.ServicerContext) -> pb.GetCheckpointResponse:
        """Show the newest signed tree head."""
        return pb.GetCheckpointResponse(checkpoint=convert.checkpoint(handlers.newest_checkpoint(self._desk)))

    def GetInclusionProof(
        self, request: pb.GetInclusionProofRequest, _: grpc.ServicerContext
    ) -> pb.GetInclusionProofResponse:
        """Prove that an entry is in a tree."""
        validate.inclusion(request, handlers.size(self._desk))
        leaf, path = handlers.inclusion(self._desk, request.entry, request.size)
        return pb.GetInclusionProofResponse(path=map(to_base64, path), leaf_hash=to_base64(leaf))

    def GetConsistencyProof(
        self, request: pb.GetConsistencyProofRequest, _: grpc.ServicerContext
    ) -> pb.GetConsistencyProofResponse:
        """Prove that a tree is the beginning of another."""
        validate.consistency(request, handlers.size(self._desk))
        path = handlers.consistency(self._desk, request.first, request.second)
        return pb.GetConsistencyProofResponse(path=map(to_base64, path))
