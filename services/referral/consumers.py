"""What other areas tell: a prosecutor's decision on a charge, a confirmed intake. One function per event.

Both stay other agencies' records. They are shown beside a referral with their own reference, so that the gateway
decides about each by its own source, and they change neither its version nor its times of change, having their own: a
caller who may not see them must not notice that they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from lead.casework.v1.casework_events_pb2 import IntakeConfirmed
from lead.review.v1 import review_pb2
from lead.review.v1.review_events_pb2 import ChargeDecided
from sqlalchemy import Connection

from services.referral import store_beside
from services.referral.domain import ChargeDecision, Confirmation
from services.shared.clock import Clock
from services.shared.events.delivery import AnyHandler, Delivery, Handler
from services.shared.wire import Words, moment

TOPICS = ("review", "casework")
_VALUES = Words(review_pb2.DecisionValue, "DECISION_VALUE_")


def handlers(clock: Clock) -> Mapping[str, AnyHandler]:
    """Return what this area does with which event."""
    known: tuple[AnyHandler, ...] = (
        Handler(ChargeDecided, partial(charge_decided, clock)),
        Handler(IntakeConfirmed, partial(intake_confirmed, clock)),
    )
    return {each.message_class.DESCRIPTOR.name: each for each in known}


def charge_decided(clock: Clock, connection: Connection, delivery: Delivery[ChargeDecided]) -> None:
    """Keep the public outcome of a charge, as the police agency may know of its own incident (matrix row 5)."""
    message = delivery.message
    value = _VALUES.word(message.value)
    if not value:
        # A word of a later release: what it means is not known here, and silence is better than a guess.
        return
    decision = ChargeDecision(
        charge_id=message.charge_id or delivery.record_id,
        referral_id=message.referral_id,
        office_id=delivery.source_agency_id,
        value=value,
        decided_at=moment(message, "decided_time"),
        version=delivery.version,
    )
    store_beside.put_decision(connection, decision, clock.now())


def intake_confirmed(clock: Clock, connection: Connection, delivery: Delivery[IntakeConfirmed]) -> None:
    """Keep the two positive facts about a referral's person, for whom a release names (matrix row 15)."""
    message = delivery.message
    confirmation = Confirmation(
        subject_id=delivery.subject_id,
        agency_id=delivery.source_agency_id,
        intake_confirmed_at=moment(message, "intake_confirmed_time"),
        working_as_of=moment(message, "working_as_of_time"),
        version=delivery.version,
    )
    store_beside.put_confirmation(connection, confirmation, clock.now())
