"""The public face of consent: validate, convert, call, convert."""

from __future__ import annotations

import threading
from typing import Any

import grpc
from lead.consent.v1 import consent_pb2 as wire
from lead.consent.v1 import consent_service_pb2 as pb
from lead.consent.v1 import consent_service_pb2_grpc as grpc_face
from lead.options.v1 import options_pb2, words_pb2

from services.consent import convert, handlers, preview, validate
from services.consent.domain import Consent
from services.consent.elements import missing
from services.consent.handlers import Desk
from services.consent.policy.matrix import Cell, cells
from services.shared.db import idempotency
from services.shared.rpc.caller import current_caller
from services.shared.sharing.assertion import Caller
from services.shared.sharing.purposes import ALLOWED, matrix_role


class ConsentServicer(grpc_face.ConsentServiceServicer):
    """Ten lines a method; what happens is in `handlers`."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk
        self._cells: list[wire.MatrixCell] = []
        self._reckoning = threading.Lock()

    def CreateConsent(self, request: pb.CreateConsentRequest, _: grpc.ServicerContext) -> pb.CreateConsentResponse:
        """Take a release."""
        caller = current_caller()
        who = caller.agency_id or caller.participant_id
        key = idempotency.key_of(self._desk.secret, who, "CreateConsent", request)
        draft = convert.draft_from_wire(request.consent)
        taken = handlers.create(self._desk, caller, request.participant_id, draft, key)
        return pb.CreateConsentResponse(consent=self._consent(taken, caller))

    def ListConsents(self, request: pb.ListConsentsRequest, _: grpc.ServicerContext) -> pb.ListConsentsResponse:
        """List releases."""
        caller = current_caller()
        size = validate.page(request)
        found, token = handlers.listed(self._desk, caller, request.participant_id, request.page_token, size)
        return pb.ListConsentsResponse(
            consents=[self._consent(one, caller) for one in found], next_page_token=token or None
        )

    def RevokeConsent(self, request: pb.RevokeConsentRequest, _: grpc.ServicerContext) -> pb.RevokeConsentResponse:
        """Take a release back."""
        caller = current_caller()
        validate.revocation(request)
        words = convert.category_words(request.categories)
        revoked, at = handlers.revoke(self._desk, caller, request.id, request.recipient_agency_ids, words)
        return pb.RevokeConsentResponse(consent=self._consent(revoked, caller), effective_time=convert.time_to_wire(at))

    def PreviewConsent(self, request: pb.PreviewConsentRequest, _: grpc.ServicerContext) -> pb.PreviewConsentResponse:
        """Say who would see what."""
        caller, desk = current_caller(), self._desk
        draft = convert.draft_from_wire(request.consent)
        policy, registry = desk.decider.policy, desk.decider.registry
        answer = pb.ConsentPreview(
            reference=options_pb2.Reference(
                source_agency_id=caller.agency_id,
                subject_id=handlers.first_subject(desk, caller.participant_id) if caller.participant_id else "",
            ),
            views=[_view(one) for one in preview.views(policy, registry, draft)],
            notes=preview.notes(registry, draft),
        )
        for one in missing(draft, desk.setting()):
            answer.missing.add(element=one.id, path=one.path, wish=one.wish, law=one.law)
        return pb.PreviewConsentResponse(preview=answer)

    def ListAgencies(self, _: pb.ListAgenciesRequest, __: grpc.ServicerContext) -> pb.ListAgenciesResponse:
        """List the registry's agencies."""
        agencies = self._desk.decider.registry.agencies.values()
        return pb.ListAgenciesResponse(agencies=[convert.agency_to_wire(one) for one in agencies])

    def ListAgreements(self, _: pb.ListAgreementsRequest, __: grpc.ServicerContext) -> pb.ListAgreementsResponse:
        """List the agreements."""
        agreements = self._desk.decider.registry.agreements
        return pb.ListAgreementsResponse(agreements=[convert.agreement_to_wire(one) for one in agreements])

    def ListAccounts(self, _: pb.ListAccountsRequest, __: grpc.ServicerContext) -> pb.ListAccountsResponse:
        """List the accounts."""
        accounts = self._desk.decider.registry.accounts.values()
        return pb.ListAccountsResponse(accounts=[convert.account_to_wire(one) for one in accounts])

    def DisableAccount(self, request: pb.DisableAccountRequest, _: grpc.ServicerContext) -> pb.DisableAccountResponse:
        """Disable an account now."""
        account = handlers.disable(self._desk, current_caller(), request.id)
        return pb.DisableAccountResponse(account=convert.account_to_wire(account))

    def GetPolicyMatrix(self, _: pb.GetPolicyMatrixRequest, __: grpc.ServicerContext) -> pb.GetPolicyMatrixResponse:
        """Show the matrix with its law."""
        return pb.GetPolicyMatrixResponse(policy_version=self._desk.decider.policy.version, cells=self._matrix())

    def GetMe(self, _: pb.GetMeRequest, __: grpc.ServicerContext) -> pb.GetMeResponse:
        """Say who the caller is."""
        caller = current_caller()
        matrix = matrix_role(caller.role, caller.agency_kind)
        return pb.GetMeResponse(
            account_id=caller.account_id,
            agency_id=caller.agency_id or None,
            agency_kind=caller.agency_kind or None,
            role=caller.role,
            matrix_role=matrix,
            purpose=caller.purpose,
            allowed_purposes=ALLOWED[matrix],
            site_ids=caller.site_ids,
            participant_id=caller.participant_id or None,
        )

    def _matrix(self) -> list[wire.MatrixCell]:
        # Takes half a second or more: the first who asks waits for it and not the start, and the next ones with him.
        with self._reckoning:
            if not self._cells:
                self._cells = [_cell(one) for one in cells(self._desk.decider.policy)]
            return self._cells

    def _consent(self, consent: Consent, caller: Caller) -> wire.Consent:
        desk = self._desk
        knows_all = bool(caller.participant_id) or caller.agency_id == consent.taken_by_agency_id
        subject = handlers.first_subject(desk, consent.participant_id)
        return convert.consent_to_wire(consent, subject, desk.clock.now(), "" if knows_all else caller.agency_id)


def _view(view: preview.View) -> wire.PreviewedView:
    def numbers(words: tuple[str, ...]) -> list[Any]:
        return [words_pb2.Category.Value("CATEGORY_" + word) for word in words]

    return wire.PreviewedView(
        recipient_agency_id=view.recipient.agency_id,
        source_agency_id=view.source.agency_id,
        purpose=words_pb2.Purpose.Value("PURPOSE_" + view.purpose),
        opens=numbers(view.opens),
        stays_closed=numbers(view.stays_closed),
        words=view.words,
    )


def _cell(cell: Cell) -> wire.MatrixCell:
    return wire.MatrixCell(
        matrix_role=cell.role,
        category=words_pb2.Category.Value("CATEGORY_" + cell.category),
        purpose=words_pb2.Purpose.Value("PURPOSE_" + cell.purpose),
        rule=cell.rule,
        rows=cell.rows,
        condition=cell.condition,
        law=cell.law,
        reason=cell.reason,
    )
