"""Between the wire and the domain: requests in, records out, each nested one with its own source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from google.protobuf.descriptor import Descriptor
from google.protobuf.timestamp_pb2 import Timestamp
from lead.options.v1.options_pb2 import Reference
from lead.review.v1 import review_events_pb2 as events
from lead.review.v1 import review_pb2 as pb

from services.review.basis import Confirmation
from services.review.domain import Charge, Decision, Review
from services.shared.changes import Changes
from services.shared.wire import Words

REVIEW_STATES = Words(pb.ReviewState, "REVIEW_STATE_")
CHARGE_STATES = Words(pb.ChargeState, "CHARGE_STATE_")
VALUES = Words(pb.DecisionValue, "DECISION_VALUE_")
REASONS = Words(pb.RejectReason, "REJECT_REASON_")


@dataclass(frozen=True, slots=True)
class Whole:
    """A review at a time, and beside it a confirmation, which the gateway shows as today's decision says."""

    review: Review
    confirmation: Confirmation | None
    at: datetime
    # When what the review itself says changed last.
    changes: Changes | None = None


def review_to_wire(whole: Whole) -> pb.Review:
    """Return a review whole; who may see what of it is not decided here."""
    review = whole.review
    message = pb.Review(
        reference=_reference(review, review.office_id, whole.changes, pb.Review.DESCRIPTOR),
        id=review.id,
        referral_id=review.referral_id,
        office_id=review.office_id,
        state=REVIEW_STATES.number(review.state(whole.at)),
        charges=[_charge(review, charge) for charge in review.shown],
        etag=review.etag,
    )
    set_time(message.due_time, review.facts.due_time)
    set_time(message.update_time, review.updated_at)
    if whole.confirmation is not None:
        message.confirmation.CopyFrom(_confirmation(review, whole.confirmation))
    return message


def charge_decided(review: Review, charge_id: str, decision: Decision) -> events.ChargeDecided:
    """Return the public outcome: the reason, the note and the basis stay in the office."""
    message = events.ChargeDecided(
        referral_id=review.referral_id,
        charge_id=charge_id,
        office_id=review.office_id,
        value=VALUES.number(decision.value),
    )
    set_time(message.decided_time, decision.decided_at)
    return message


def _charge(review: Review, charge: Charge) -> pb.ReviewedCharge:
    message = pb.ReviewedCharge(charge_id=charge.id, state=CHARGE_STATES.number(charge.state))
    if charge.decision is not None:
        message.decision.CopyFrom(_decision(charge.decision))
    # What its source took back is no longer theirs to be shown; the office keeps it in the basis.
    if charge.is_referred:
        message.referred.CopyFrom(_referred(review, charge))
    return message


def _referred(review: Review, charge: Charge) -> pb.ReferredCharge:
    changes = None if charge.changed_at is None else Changes(charge.changed_at)
    reference = _reference(review, review.source_agency_id, changes, pb.ReferredCharge.DESCRIPTOR)
    message = pb.ReferredCharge(reference=reference)
    for name in ("statute", "offense_code", "description", "level"):
        if value := getattr(charge.facts, name):
            setattr(message, name, value)
    return message


def _decision(decision: Decision) -> pb.OfficeDecision:
    message = pb.OfficeDecision(value=VALUES.number(decision.value), basis_digest=decision.basis_digest)
    if decision.reason:
        message.reason = REASONS.number(decision.reason)
    if decision.note:
        message.note = decision.note
    set_time(message.decided_time, decision.decided_at)
    set_time(message.defer_until_time, decision.defer_until)
    return message


def _confirmation(review: Review, confirmation: Confirmation) -> pb.ReceivedConfirmation:
    changes = Changes(confirmation.received_at)
    reference = _reference(review, confirmation.agency_id, changes, pb.ReceivedConfirmation.DESCRIPTOR)
    message = pb.ReceivedConfirmation(reference=reference)
    set_time(message.intake_confirmed_time, confirmation.intake_confirmed_at)
    set_time(message.working_as_of_time, confirmation.working_as_of)
    return message


def _reference(review: Review, source_agency_id: str, changes: Changes | None, record: Descriptor) -> Reference:
    return Reference(
        subject_id=review.subject_id,
        source_agency_id=source_agency_id,
        record_id=review.referral_id,
        changes=() if changes is None else changes.to_wire(record),
    )


def set_time(field: Timestamp, moment: datetime | None) -> None:
    """Set a timestamp field to an aware time; None leaves it out."""
    if moment is not None:
        field.FromDatetime(moment)
