"""Casework between the wire and the domain, both directions side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import json_format
from lead.casework.v1 import casework_events_pb2 as events
from lead.casework.v1 import casework_pb2 as pb
from lead.casework.v1 import casework_service_pb2 as service
from lead.options.v1 import words_pb2
from lead.options.v1.options_pb2 import Reference
from lead.referral.v1 import referral_events_pb2, referral_pb2

from services.casework.domain import Completion, Contact, Handoff, Participant, Person
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
_CATEGORIES = Words(words_pb2.Category, "CATEGORY_")


def handoff_to_wire(handoff: Handoff, target_minutes: int | None, request: Facts | None) -> pb.Handoff:
    """Return the agency's own record, and inside it the request as its caller's, which hangs on the same hand-off."""
    message = pb.Handoff(reference=_reference(handoff.subject_id, handoff.agency_id, handoff.id))
    if request:
        told = json_format.ParseDict(dict(request), pb.HandoffRequest(), ignore_unknown_fields=True)
        told.reference.CopyFrom(_reference(handoff.subject_id, handoff.source_agency_id, handoff.id))
        message.request.CopyFrom(told)
    return filled(
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


def participant_to_wire(participant: Participant) -> pb.Participant:
    """Return the whole participant; a safety flag that is not set is absent."""
    person, contact = participant.person, participant.contact
    message = pb.Participant(reference=_reference(participant.subject_id, participant.agency_id, participant.id))
    filled(message.person, given_name=person.given_name, family_name=person.family_name, birth_date=person.birth_date)
    if contact != Contact():
        filled(message.contact, phones=contact.phones, address=contact.address, where_found=contact.where_found)
    return filled(
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
    """Return the two positive facts."""
    return filled(
        events.IntakeConfirmed(),
        intake_confirmed_time=participant.intake_confirmed_at,
        working_as_of_time=participant.working_as_of,
    )


def request_parts(event: referral_events_pb2.HandoffRequested) -> Iterator[tuple[str, Facts]]:
    """Yield the opened facts of a request by category word, each category whole."""
    parts: dict[str, pb.HandoffRequest] = {}
    for field, value in _request(event).ListFields():
        category = _CATEGORIES.word(labels.category(field))
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
