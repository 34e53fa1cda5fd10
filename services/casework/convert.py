"""Casework between the wire and the domain, both directions side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from google.protobuf import json_format
from lead.casework.v1 import casework_events_pb2 as events
from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1 import casework_service_pb2 as service
from lead.options.v1.options_pb2 import Reference
from lead.referral.v1 import referral_events_pb2, referral_pb2

from services.casework import changes
from services.casework.changes import CATEGORIES
from services.casework.domain import Completion, Contact, Handoff, Participant, Person, Told
from services.shared import labels
from services.shared.wire import Words, filled, moment

Facts = Mapping[str, Any]
"""Fields of a `HandoffRequest` in proto3 JSON: the caller's record, as far as it was opened."""


HANDOFF_STATES = Words(pb.HandoffState, "HANDOFF_STATE_")
FAIL_REASONS = Words(pb.FailReason, "FAIL_REASON_")
PARTICIPANT_STATES = Words(pb.ParticipantState, "PARTICIPANT_STATE_")
NEEDS = Words(pb.Need, "NEED_")
_DOORS = Words(referral_pb2.Door, "DOOR_")
_RESULTS = Words(referral_pb2.ScreeningResult, "SCREENING_RESULT_")
MATCH_STATES = Words(pb.MatchState, "MATCH_STATE_")
MATCH_USES = Words(pb.MatchUse, "MATCH_USE_")
MATCH_RULES = Words(pb.MatchRule, "MATCH_RULE_")


def handoff_to_wire(handoff: Handoff, target_minutes: int | None, request: Told | None) -> pb.Handoff:
    """Return the agency's own record, and inside it the request as its caller's, which hangs on the same hand-off."""
    message = pb.Handoff(reference=_reference(handoff.subject_id, handoff.agency_id, handoff.id))
    if request is not None:
        told = json_format.ParseDict(dict(request.facts), pb.HandoffRequest(), ignore_unknown_fields=True)
        told.reference.CopyFrom(_reference(handoff.subject_id, handoff.source_agency_id, handoff.id))
        told.reference.changes.extend(changes.listed(told, request.changes, handoff.requested_at))
        message.request.CopyFrom(told)
    filled(
        message,
        id=handoff.id,
        agency_id=handoff.agency_id,
        state=HANDOFF_STATES.number(handoff.state),
        request_time=handoff.requested_at,
        accept_time=handoff.accepted_at,
        arrive_time=handoff.arrived_at,
        complete_time=handoff.ended_at if handoff.state == "DONE" else None,
        fail_reason=FAIL_REASONS.number(handoff.fail_reason),
        minutes=handoff.minutes,
        target_minutes=target_minutes,
        participant_id=handoff.participant_id,
        etag=handoff.etag,
    )
    message.reference.changes.extend(changes.listed(message, handoff.changes, handoff.requested_at))
    return message


def participant_to_wire(participant: Participant) -> pb.Participant:
    """Return the whole participant; a safety flag that is not set is absent."""
    person, contact = participant.person, participant.contact
    message = pb.Participant(reference=_reference(participant.subject_id, participant.agency_id, participant.id))
    filled(message.person, given_name=person.given_name, family_name=person.family_name, birth_date=person.birth_date)
    if contact != Contact():
        filled(message.contact, phones=contact.phones, address=contact.address, where_found=contact.where_found)
    filled(
        message,
        id=participant.id,
        agency_id=participant.agency_id,
        safety_flag=participant.safety_flag or None,
        state=PARTICIPANT_STATES.number(participant.state),
        intake_due_time=participant.intake_due_at,
        intake_confirmed_time=participant.intake_confirmed_at,
        working_as_of_time=participant.working_as_of,
        needs=[NEEDS.number(word) for word in participant.needs],
        case_manager=participant.case_manager,
        etag=participant.etag,
    )
    otherwise = participant.updated_at or participant.joined_at
    message.reference.changes.extend(changes.listed(message, participant.changes, otherwise))
    return message


def handoff_changed(before: Handoff | None, after: Handoff, now: datetime) -> Handoff:
    """Return a hand-off with the times of what changed now; before is None for a new one."""
    # Its target is the site's, and no fact about it.
    earlier = None if before is None else handoff_to_wire(before, None, None)
    return replace(after, changes=changes.noted(earlier, handoff_to_wire(after, None, None), after.changes, now))


def participant_changed(before: Participant | None, after: Participant, now: datetime) -> Participant:
    """Return a participant with the times of what changed now; before is None for a new one."""
    earlier = None if before is None else participant_to_wire(before)
    return replace(after, changes=changes.noted(earlier, participant_to_wire(after), after.changes, now))


def completion_from_wire(request: service.CompleteHandoffRequest) -> Completion:
    """Return what a valid request says; a contact without anything in it is not said."""
    person, contact = request.person, request.contact
    return Completion(
        person=Person(
            given_name=person.given_name.strip(),
            family_name=person.family_name.strip(),
            birth_date=person.birth_date,
        )
        if person.ListFields()
        else None,
        contact=Contact(phones=tuple(contact.phones), address=contact.address, where_found=contact.where_found)
        if contact.ListFields()
        else None,
        participant_id=request.participant_id,
        safety_flag=request.safety_flag,
    )


def intake_confirmed(participant: Participant) -> events.IntakeConfirmed:
    """Return the two positive facts, and the first once more for those who count."""
    return filled(
        events.IntakeConfirmed(),
        intake_confirmed_time=participant.intake_confirmed_at,
        working_as_of_time=participant.working_as_of,
        study_intake_time=participant.intake_confirmed_at,
    )


def participant_recorded(participant: Participant) -> events.ParticipantRecorded:
    """Return what a provider must know of a person who is referred to it (matrix row 11)."""
    person = participant.person
    return filled(
        events.ParticipantRecorded(),
        given_name=person.given_name,
        family_name=person.family_name,
        birth_date=person.birth_date,
        needs=[NEEDS.number(word) for word in participant.needs],
        intake_confirmed_time=participant.intake_confirmed_at,
        working_as_of_time=participant.working_as_of,
    )


def handoff_measured(handoff: Handoff, target_minutes: int | None) -> events.HandoffMeasured:
    """Return how long it took until the case manager was there."""
    return filled(events.HandoffMeasured(), minutes=handoff.minutes, target_minutes=target_minutes)


def request_parts(event: referral_events_pb2.HandoffRequested) -> Iterator[tuple[str, Facts]]:
    """Yield the opened facts of a request by category word, each category whole."""
    parts: dict[str, pb.HandoffRequest] = {}
    for field, value in _request(event).ListFields():
        category = CATEGORIES.word(labels.category(field))
        filled(parts.setdefault(category, pb.HandoffRequest()), **{field.name: value})
    for category, part in parts.items():
        yield category, json_format.MessageToDict(part)


def _request(event: referral_events_pb2.HandoffRequested) -> pb.HandoffRequest:
    person, contact, officer = event.person, event.contact, event.officer
    return filled(
        pb.HandoffRequest(),
        site_id=event.site_id,
        door=_DOORS.word(event.door),
        call_time=moment(event, "call_time"),
        referral_time=moment(event, "referral_time"),
        given_name=person.given_name,
        family_name=person.family_name,
        birth_date=person.birth_date,
        phones=list(contact.phones),
        address=contact.address,
        where_found=contact.where_found,
        meet_at=event.meet_at,
        officer_name=officer.name,
        officer_unit=officer.unit,
        screening_result=_RESULTS.word(event.screening_result),
        screening_rules=list(event.screening_rules),
    )


def _reference(subject_id: str, agency_id: str, record_id: str) -> Reference:
    return Reference(subject_id=subject_id, source_agency_id=agency_id, record_id=record_id)
