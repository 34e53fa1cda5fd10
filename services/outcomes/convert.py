"""Between the wire and the domain: evaluation entries out, and other areas' research sections into rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from lead.casework.v1 import casework_pb2
from lead.casework.v1.casework_events_pb2 import HandoffMeasured, IntakeConfirmed, StudyLinked, StudyTarget
from lead.options.v1.options_pb2 import Reference
from lead.outcomes.v1 import outcomes_events_pb2 as events
from lead.outcomes.v1 import outcomes_pb2 as pb
from lead.referral.v1 import justice_pb2, referral_pb2
from lead.referral.v1.justice_events_pb2 import JusticeEventReported, JusticeFeedDeclared
from lead.referral.v1.referral_events_pb2 import ReferralFollowed

from services.outcomes.domain import Entry, IndexEvent
from services.shared.events.delivery import Delivery
from services.shared.wire import Words, filled, moment

ARMS = Words(pb.Arm, "ARM_")
_DOORS = Words(referral_pb2.Door, "DOOR_")
_RESULTS = Words(referral_pb2.ScreeningResult, "SCREENING_RESULT_")
_OFFERS = Words(referral_pb2.OfferOutcome, "OFFER_OUTCOME_")
_STATES = Words(referral_pb2.ReferralState, "REFERRAL_STATE_")
_KINDS = Words(justice_pb2.JusticeEventKind, "JUSTICE_EVENT_KIND_")
_WARRANTS = Words(justice_pb2.WarrantKind, "WARRANT_KIND_")
_LEVELS = Words(justice_pb2.JusticeLevel, "JUSTICE_LEVEL_")
_RULES = Words(casework_pb2.MatchRule, "MATCH_RULE_")
_TARGETS = Words(StudyTarget, "STUDY_TARGET_")

Row = dict[str, Any]


def entry_to_wire(entry: Entry, index_event: pb.IndexEvent) -> pb.EvaluationEntry:
    """Return an entry whole; the index event is as its registrant just sent it, since it isn't kept here."""
    return filled(
        pb.EvaluationEntry(),
        reference=Reference(subject_id=entry.subject_id, source_agency_id=entry.agency_id, record_id=entry.id),
        id=entry.id,
        site_id=entry.site_id,
        arm=ARMS.number(entry.arm),
        index_event=index_event,
        create_time=entry.created_at,
    )


def index_event_from_wire(message: pb.IndexEvent) -> IndexEvent:
    """Return the name of an index event."""
    return IndexEvent(message.agency_id, message.system, message.record_id)


def comparison_registered(entry: Entry, index_event: IndexEvent) -> events.ComparisonRegistered:
    """Return what casework is told: the index event's name, sealed for its matching alone."""
    return events.ComparisonRegistered(
        agency_id=index_event.agency_id,
        system=index_event.system,
        record_id=index_event.record_id,
        site_id=entry.site_id,
        arm=ARMS.number(entry.arm),
    )


def opened(delivery: Delivery[Any], agency_id: str, now: datetime) -> Row | None:
    """Return what every row says of its opening; None when nothing was opened for this agency under an approval."""
    approvals = sorted({part.approval_id for part in delivery.parts_for(agency_id) if part.approval_id})
    if not agency_id or not approvals:
        return None
    return {
        "agency_id": agency_id,
        "approval_id": approvals[-1],
        "version": delivery.version,
        "received_at": now,
    }


def referral_row(delivery: Delivery[ReferralFollowed], message: ReferralFollowed) -> Row:
    """Return what counting needs of a referral."""
    return {
        "referral_id": delivery.record_id,
        "subject_id": delivery.subject_id,
        "site_id": message.site_id,
        "door": _DOORS.word(message.door),
        "incident_at": moment(message, "incident_time"),
        "referral_at": moment(message, "referral_time"),
        "incident_key": message.incident_key or None,
        "screening_result": _RESULTS.word(message.screening_result),
        "is_overridden": message.overridden,
        "offer_at": moment(message, "offer_time"),
        "offer_outcome": _OFFERS.word(message.offer_outcome),
        "approve_at": moment(message, "approve_time"),
        "state": _STATES.word(message.state),
        "intake_clock_days": _number(message, "intake_clock_days"),
    }


def intake_row(delivery: Delivery[IntakeConfirmed], message: IntakeConfirmed) -> Row:
    """Return when the intake of a subject's person was complete."""
    return {
        "subject_id": delivery.subject_id,
        "participant_id": delivery.record_id,
        "intake_at": moment(message, "study_intake_time"),
    }


def handoff_row(delivery: Delivery[HandoffMeasured], message: HandoffMeasured) -> Row:
    """Return how long a hand-off took."""
    return {
        "handoff_id": delivery.record_id,
        "subject_id": delivery.subject_id,
        "minutes": _number(message, "minutes"),
        "target_minutes": _number(message, "target_minutes"),
    }


def justice_row(delivery: Delivery[JusticeEventReported], message: JusticeEventReported) -> Row:
    """Return what counting needs of a justice event: when and what, never who."""
    return {
        "event_id": delivery.record_id,
        "source_agency_id": delivery.source_agency_id,
        "kind": _KINDS.word(message.kind),
        "event_at": moment(message, "event_time"),
        "offence_at": moment(message, "offence_time"),
        "warrant_kind": _WARRANTS.word(message.warrant_kind),
        "warrant_at": moment(message, "warrant_time"),
        "level": _LEVELS.word(message.level),
        "incident_key": message.incident_key or None,
        "booking_key": message.booking_key or None,
        "is_withdrawn": message.withdrawn,
    }


def feed_row(message: JusticeFeedDeclared) -> Row:
    """Return what a feed declares of its completeness."""
    gaps = [(moment(each, "from_time"), moment(each, "until_time")) for each in message.gaps]
    return {
        "feed_agency_id": message.agency_id,
        "complete_from": moment(message, "complete_from"),
        "complete_through": moment(message, "complete_through"),
        "gaps": [[_iso(start), _iso(end)] for start, end in gaps if start is not None and end is not None],
        "site_ids": sorted(message.site_ids),
    }


def link_row(message: StudyLinked) -> Row:
    """Return that a record belongs to a study id, or no longer does."""
    return {
        "record_id": message.record_id,
        "study_id": message.study_id,
        "entry_id": message.entry_id,
        "target": _TARGETS.word(message.target),
        "rule": _RULES.word(message.rule),
        "score": message.score if message.HasField("score") else None,
        "is_confirmed": message.confirmed,
        "is_withdrawn": message.withdrawn,
    }


def gaps_from_json(gaps: Iterable[Iterable[str]]) -> list[dict[str, datetime]]:
    """Return gaps as they were stored."""
    return [{"start": datetime.fromisoformat(start), "end": datetime.fromisoformat(end)} for start, end in gaps]


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _number(message: Message, field: str) -> int | None:
    return getattr(message, field) if message.HasField(field) else None
