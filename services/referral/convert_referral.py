"""Whole referrals, their screening and their moves, between the wire and the domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from google.protobuf.descriptor import Descriptor
from lead.options.v1 import options_pb2, words_pb2
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.referral import convert
from services.referral.domain import Approval, ChargeDecision, Confirmation, Handover, Offer, Referral
from services.referral.screening import Charge, Reason, Screening
from services.shared.changes import Changes
from services.shared.wire import Words, filled, moment

STATES = Words(pb.ReferralState, "REFERRAL_STATE_")
OUTCOMES = Words(pb.OfferOutcome, "OFFER_OUTCOME_")
RESULTS = Words(pb.ScreeningResult, "SCREENING_RESULT_")
CATEGORIES = Words(words_pb2.Category, "CATEGORY_")
_DECISION, _CONFIRMATION = pb.ChargeDecision.DESCRIPTOR, pb.Confirmation.DESCRIPTOR


def reference(
    subject_id: str, agency_id: str, record_id: str, changes: Iterable[options_pb2.Reference.Change] = ()
) -> options_pb2.Reference:
    """Return whose record it is and about whom, and when it changed."""
    return options_pb2.Reference(
        subject_id=subject_id, source_agency_id=agency_id, record_id=record_id, changes=changes
    )


def referral_to_wire(
    referral: Referral,
    decisions: Mapping[str, ChargeDecision],
    confirmation: Confirmation | None,
    changes: Changes | None,
) -> pb.Referral:
    """Return the whole record; what of it the caller may see is the gateway's to say. Decisions are by charge id."""
    draft = referral.draft
    changed = () if changes is None else changes.to_wire(pb.Referral.DESCRIPTOR)
    message = pb.Referral(
        reference=reference(referral.subject_id, referral.agency_id, referral.id, changed),
        charges=[_charge(each, decisions.get(each.id), referral) for each in draft.charges],
        observations=[convert.observation_to_wire(each) for each in draft.narrative.observations],
        attestations=[convert.attestation_to_wire(each) for each in draft.narrative.attestations],
        approvals=[_approval(each) for each in referral.approvals],
        screening=screening_to_wire(referral.screening),
        source=convert.source_to_wire(draft.source),
    )
    filled(
        message,
        person=convert.person_to_wire(draft.person),
        contact=convert.contact_to_wire(draft.contact),
        officer=convert.officer_to_wire(draft.officer),
        victim=convert.victim_to_wire(draft.victim),
        offer=None if referral.offer is None else _offer(referral.offer),
        handover=None if referral.handover is None else _handover(referral.handover),
        confirmation=None if confirmation is None else _confirmation(confirmation, referral),
    )
    return _own_fields(message, referral)


def _own_fields(message: pb.Referral, referral: Referral) -> pb.Referral:
    draft = referral.draft
    return filled(
        message,
        id=referral.id,
        site_id=draft.site_id,
        door=convert.DOORS.number(draft.door),
        agency_id=referral.agency_id,
        agency_ori=draft.agency_ori,
        incident_number=draft.incident_number,
        incident_time=draft.incident_time,
        referral_time=draft.referral_time,
        narrative=draft.narrative.text,
        evidence_basis=convert.BASES.number(draft.evidence_basis),
        state=STATES.number(referral.state),
        decline_reason=referral.decline_reason,
        update_time=referral.updated_at,
        etag=referral.etag,
    )


def screening_to_wire(screening: Screening) -> pb.Screening:
    """Return the result, its open reasons, and those that rest on a history check apart."""
    return pb.Screening(
        result=RESULTS.number(screening.result),
        reasons=[_reason(each) for each in screening.open_reasons],
        restricted_reasons=[
            pb.RestrictedReason(rule=each.rule, text=each.text, input=each.input, limit=each.limit)
            for each in screening.restricted_reasons
        ],
        policy_id=screening.policy_id,
        policy_version=screening.policy_version,
    )


def offer_from_wire(request: service.RecordOfferRequest, now: datetime) -> Offer:
    """Return what the person said; the call was now where no time was given."""
    return Offer(
        outcome=OUTCOMES.word(request.outcome),
        verbal_consent=request.verbal_consent if request.HasField("verbal_consent") else None,
        told_voluntary=request.told_voluntary if request.HasField("told_voluntary") else None,
        call_time=moment(request, "call_time") or now,
        meet_at=request.meet_at,
        dispatch_agency_id=request.dispatch_agency_id,
    )


def _offer(offer: Offer) -> pb.Offer:
    return filled(
        pb.Offer(),
        outcome=OUTCOMES.number(offer.outcome),
        verbal_consent=offer.verbal_consent,
        told_voluntary=offer.told_voluntary,
        call_time=offer.call_time,
        meet_at=offer.meet_at,
        dispatch_agency_id=offer.dispatch_agency_id,
    )


def _handover(handover: Handover) -> pb.Handover:
    return filled(pb.Handover(), time=handover.time, minutes=handover.minutes, target_minutes=handover.target_minutes)


def _approval(approval: Approval) -> pb.Approval:
    return filled(pb.Approval(), agency_id=approval.agency_id, role=approval.role, time=approval.time)


def _charge(charge: Charge, decision: ChargeDecision | None, referral: Referral) -> pb.Charge:
    made = convert.charge_to_wire(charge)
    if decision is None:
        return made
    # The office's own record: decided about with the office as its source.
    return filled(
        made,
        decision=filled(
            pb.ChargeDecision(reference=_beside(referral, decision.office_id, decision.changed_at, _DECISION)),
            value=decision.value,
            decided_time=decision.decided_at,
            office_id=decision.office_id,
        ),
    )


def _confirmation(confirmation: Confirmation, referral: Referral) -> pb.Confirmation:
    # The case-management agency's own record: decided about with that agency as its source.
    return filled(
        pb.Confirmation(reference=_beside(referral, confirmation.agency_id, confirmation.changed_at, _CONFIRMATION)),
        intake_confirmed_time=confirmation.intake_confirmed_at,
        working_as_of_time=confirmation.working_as_of,
    )


def _beside(
    referral: Referral, agency_id: str, changed_at: datetime | None, record: Descriptor
) -> options_pb2.Reference:
    """Return the reference of another agency's record beside a referral; it changes as a whole."""
    changed = () if changed_at is None else Changes(changed_at).to_wire(record)
    return reference(referral.subject_id, agency_id, referral.id, changed)


def _reason(reason: Reason) -> pb.Reason:
    return pb.Reason(
        rule=reason.rule,
        quotes=CATEGORIES.number(reason.quotes),
        text=reason.text,
        input=reason.input,
        limit=reason.limit,
    )


def open_rules(screening: Screening) -> Iterable[str]:
    """Return the names of rules that were not met, but for those that rest on a history check: they are not told."""
    return dict.fromkeys(reason.rule for reason in screening.open_reasons)
