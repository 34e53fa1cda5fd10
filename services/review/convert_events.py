"""Events of other areas, as far as they could be opened, into what this area keeps of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from lead.casework.v1.casework_events_pb2 import IntakeConfirmed
from lead.referral.v1 import referral_pb2
from lead.referral.v1.referral_events_pb2 import ReferralRecorded, ReferralWithdrawn, RoutedCharge

from services.review.basis import Confirmation
from services.review.domain import ChargeFacts, ReferralFacts, Screening
from services.review.opened import Opened
from services.shared.events.delivery import Delivery
from services.shared.wire import Words, moment

_DOORS = Words(referral_pb2.Door, "DOOR_")
_LEVELS = Words(referral_pb2.ChargeLevel, "CHARGE_LEVEL_")
_STATES = Words(referral_pb2.ReferralState, "REFERRAL_STATE_")
_RESULTS = Words(referral_pb2.ScreeningResult, "SCREENING_RESULT_")


def opened_from_wire(delivery: Delivery[ReferralRecorded], office_id: str) -> Opened:
    """Return the sections of a referral that this delivery opened for an office, with the office's own charges.

    Name, narrative and victim are not kept here.
    """
    message = delivery.message_for(office_id)
    facts, screening = _facts(message), _screening(message)
    return replace(
        _bare(delivery, office_id),
        facts=facts,
        facts_version=delivery.version if facts else 0,
        screening=screening,
        screening_version=delivery.version if screening else 0,
        charges=tuple(_charge(each) for each in message.charges if each.office_id == office_id),
        charges_version=delivery.version if message.charges else 0,
    )


def withdrawn_from_wire(delivery: Delivery[ReferralWithdrawn], office_id: str) -> Opened:
    """Return that its source took the referral back."""
    return replace(_bare(delivery, office_id), is_withdrawn=True)


def confirmation_from_wire(delivery: Delivery[IntakeConfirmed], office_id: str, now: datetime) -> Confirmation:
    """Return the two positive facts, and the consent that let them be opened for the office."""
    message = delivery.message_for(office_id)
    consents = [(part.consent_id, part.consent_version) for part in delivery.parts_for(office_id) if part.consent_id]
    consent_id, consent_version = max(consents, default=("", 0))
    return Confirmation(
        subject_id=delivery.subject_id,
        office_id=office_id,
        agency_id=delivery.source_agency_id,
        version=delivery.version,
        intake_confirmed_at=moment(message, "intake_confirmed_time"),
        working_as_of=moment(message, "working_as_of_time"),
        consent_id=consent_id,
        consent_version=consent_version,
        received_at=now,
    )


def _bare(delivery: Delivery[Any], office_id: str) -> Opened:
    return Opened(
        referral_id=delivery.record_id,
        office_id=office_id,
        subject_id=delivery.subject_id,
        source_agency_id=delivery.source_agency_id,
        version=delivery.version,
    )


def _facts(message: ReferralRecorded) -> ReferralFacts | None:
    # Every referral has a door: without one, the section that says it is still sealed.
    if not message.HasField("door"):
        return None
    return ReferralFacts(
        site_id=message.site_id,
        door=_DOORS.word(message.door),
        incident_number=message.incident_number,
        state=_STATES.word(message.state),
        referral_time=moment(message, "referral_time"),
        due_time=moment(message, "intake_due_time"),
    )


def _screening(message: ReferralRecorded) -> Screening | None:
    if not message.HasField("screening_result"):
        return None
    return Screening(
        result=_RESULTS.word(message.screening_result),
        rules=tuple(message.screening_rules),
        policy_version=message.policy_version,
    )


def _charge(message: RoutedCharge) -> ChargeFacts:
    return ChargeFacts(
        id=message.id,
        office_id=message.office_id,
        statute=message.statute,
        offense_code=message.offense_code,
        description=message.description,
        level=_LEVELS.word(message.level),
    )
