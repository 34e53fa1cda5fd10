"""Services and service referrals between the wire and the domain, both directions side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from google.protobuf import json_format
from google.protobuf.message import Message
from lead.casework.v1 import casework_events_pb2
from lead.options.v1 import words_pb2
from lead.options.v1.options_pb2 import Reference
from lead.provider.v1 import provider_pb2 as pb
from lead.provider.v1 import provider_service_pb2 as service

from services.provider import words
from services.provider.domain.answer import Answer
from services.provider.domain.records import Spell
from services.provider.domain.request import Request
from services.provider.domain.service import Draft, Service, Total
from services.provider.store_told import Told
from services.shared import labels
from services.shared.wire import filled, stamp


def service_to_wire(one: Service) -> pb.Service:
    """Return a service; of its totals, only what may be told."""
    message = pb.Service(totals=[_total(each) for each in one.totals])
    return filled(
        message,
        id=one.id,
        agency_id=one.agency_id,
        name=one.name,
        kind=words.SERVICE_KINDS.number(one.kind),
        site_ids=one.site_ids,
        description=one.description,
        capacity=one.capacity,
        open_places=one.open_places,
        state=words.SERVICE_STATES.number(one.state),
        update_time=one.updated_at,
        etag=one.etag,
    )


def service_from_wire(request: service.CreateServiceRequest, site_ids: Sequence[str]) -> Draft:
    """Return what a valid request describes; without sites it is offered at all of the caller's."""
    return Draft(
        name=request.name.strip(),
        kind=words.SERVICE_KINDS.word(request.kind),
        site_ids=tuple(request.site_ids) or tuple(site_ids),
        description=request.description,
        capacity=request.capacity if request.HasField("capacity") else None,
        open_places=request.open_places if request.HasField("open_places") else None,
        state=words.SERVICE_STATES.word(request.state) or None,
    )


def change_from_wire(request: service.UpdateServiceRequest) -> Draft:
    """Return what a valid request changes; None where it says nothing."""
    return Draft(
        name=request.name.strip() or None,
        description=request.description if request.HasField("description") else None,
        capacity=request.capacity if request.HasField("capacity") else None,
        open_places=request.open_places if request.HasField("open_places") else None,
        state=words.SERVICE_STATES.word(request.state) or None,
    )


def total_from_wire(request: service.RecordServiceTotalRequest) -> Total:
    """Return what a valid request counts. Raises ValueError for one without its days."""
    start, end = date.fromisoformat(request.period_start), date.fromisoformat(request.period_end)
    return Total(start=start, end=end, people=request.people)


def referral_to_wire(request: Request, answer: Answer, told: Sequence[Told]) -> pb.ServiceReferral:
    """Return the asking agency's record, and inside it what casework told the provider, and the provider's answer."""
    began = {"IDENTITY": request.requested_at, "NEEDS": request.changed_at}
    message = pb.ServiceReferral(
        reference=reference(request.subject_id, request.agency_id, request.id, began),
        spells=[filled(pb.StateSpell(), **_spell(each)) for each in request.spells],
        answer=_answer(request, answer),
    )
    _tell(message, request, told)
    return filled(
        message,
        id=request.id,
        service_id=request.service_id,
        provider_agency_id=request.provider_agency_id,
        agency_id=request.agency_id,
        participant_id=request.participant_id,
        needs=[words.NEEDS.number(word) for word in request.needs],
        state=words.REQUEST_STATES.number(request.state),
        decline_reason=words.REQUEST_REASONS.number(request.decline_reason),
        request_time=request.requested_at,
        etag=request.etag,
    )


def reference(subject_id: str, agency_id: str, record_id: str, changes: dict[str, datetime]) -> Reference:
    """Return whose record it is, and when what it says of each category, by its word, changed last."""
    told = [
        Reference.Change(category=words_pb2.Category.ValueType(words.CATEGORIES.number(word)), time=stamp(time))
        for word, time in sorted(changes.items())
    ]
    return Reference(subject_id=subject_id, source_agency_id=agency_id, record_id=record_id, changes=told)


def row_changes(agency_kind: str, time: datetime) -> dict[str, datetime]:
    """Return the changes of a record all of whose leaves have its row's category, which its source's kind decides."""
    word = words.CATEGORIES.word(labels.enrolment_category(agency_kind))
    return {word: time} if word else {}


def _answer(request: Request, answer: Answer) -> pb.ServiceAnswer:
    changes = row_changes(request.provider_kind, answer.changed_at)
    message = pb.ServiceAnswer(
        reference=reference(request.subject_id, answer.agency_id, request.id, changes),
        spells=[filled(pb.AnswerSpell(), **_spell(each)) for each in answer.spells],
    )
    return filled(
        message,
        state=words.ANSWER_STATES.number(answer.state),
        decline_reason=words.ANSWER_REASONS.number(answer.decline_reason),
        hold_until_time=answer.hold_until,
        enrollment_id=answer.enrollment_id,
        etag=answer.etag,
    )


def _tell(message: pb.ServiceReferral, request: Request, told: Sequence[Told]) -> None:
    """Fill in what was opened of the participant, a record of the asking agency per category."""
    places: dict[str, Message] = {"IDENTITY": message.person, "NEEDS": message.told, "PROGRAM_STATUS": message.status}
    for each in told:
        place = places.get(each.category)
        if place is None:
            continue
        json_format.ParseDict(dict(each.facts), place, ignore_unknown_fields=True)
        changes = {each.category: each.changed_at}
        place.reference.CopyFrom(  # type: ignore[attr-defined]
            reference(request.subject_id, request.agency_id, request.id, changes)
        )


def told_parts(event: casework_events_pb2.ParticipantRecorded) -> list[tuple[str, dict[str, object]]]:
    """Return the opened facts of a participant by category word, each category whole, as fields in proto3 JSON."""
    parts: dict[str, casework_events_pb2.ParticipantRecorded] = {}
    for field, value in event.ListFields():
        word = words.CATEGORIES.word(labels.category(field))
        filled(parts.setdefault(word, casework_events_pb2.ParticipantRecorded()), **{field.name: _plain(value)})
    return [(word, json_format.MessageToDict(part)) for word, part in parts.items()]


def _plain(value: object) -> object:
    return value if isinstance(value, str | Message) else list(value)  # type: ignore[call-overload]


def _spell(spell: Spell) -> dict[str, object]:
    return {"state": spell.state, "from_time": spell.since, "until_time": spell.until, "seconds": spell.seconds}


def _total(total: Total) -> pb.ServiceTotal:
    return filled(
        pb.ServiceTotal(suppressed=total.is_suppressed),
        period_start=total.start.isoformat(),
        period_end=total.end.isoformat(),
        people=total.shown,
    )
