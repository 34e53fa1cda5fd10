"""Enrolments and attendance between the wire and the domain, both directions side by side."""

from __future__ import annotations

from collections.abc import Sequence

from lead.provider.v1 import provider_pb2 as pb
from lead.provider.v1 import provider_service_pb2 as service

from services.provider import checks, words
from services.provider.convert import reference, row_changes
from services.provider.domain.enrolment import Attendance, Draft, Enrolment
from services.shared.wire import filled, moment


def enrolment_to_wire(enrolment: Enrolment, days: Sequence[Attendance]) -> pb.Enrollment:
    """Return the whole enrolment, all of it of one category: that of its provider's kind."""
    changes = row_changes(enrolment.agency_kind, enrolment.changed_at)
    message = pb.Enrollment(
        reference=reference(enrolment.subject_id, enrolment.agency_id, enrolment.id, changes),
        attendance=[_day(each) for each in days],
    )
    filled(
        message.source,
        system=enrolment.system,
        record_id=enrolment.record_id,
        version=enrolment.source_version,
    )
    return filled(
        message,
        id=enrolment.id,
        service_id=enrolment.service_id,
        service_referral_id=enrolment.service_referral_id,
        participant_id=enrolment.participant_id,
        agency_id=enrolment.agency_id,
        status=words.STATUSES.number(enrolment.status),
        start_time=enrolment.started_at,
        end_time=enrolment.ended_at,
        etag=enrolment.etag,
    )


def draft_from_wire(draft: pb.EnrollmentDraft) -> Draft:
    """Return what a valid draft says. Raises ValueError for one without a start."""
    started_at = moment(draft, "start_time")
    if started_at is None:
        raise ValueError("a valid draft says when it began")
    return Draft(
        service_id=draft.service_id,
        service_referral_id=draft.service_referral_id,
        participant_id=draft.participant_id,
        system=draft.source.system,
        record_id=draft.source.record_id,
        source_version=draft.source.version if draft.source.HasField("version") else None,
        status=words.STATUSES.word(draft.status),
        started_at=started_at,
        ended_at=moment(draft, "end_time"),
    )


def attendance_from_wire(request: service.RecordAttendanceRequest) -> Attendance:
    """Return what a valid request says. Raises ValueError for one without a day."""
    day = checks.day_of(request.date)
    if day is None:
        raise ValueError("a valid request names a day")
    minutes = request.minutes if request.HasField("minutes") else None
    return Attendance(day=day, status=words.ATTENDANCE.word(request.status), minutes=minutes)


def _day(one: Attendance) -> pb.Attendance:
    return filled(
        pb.Attendance(),
        date=one.day.isoformat(),
        status=words.ATTENDANCE.number(one.status),
        minutes=one.minutes,
    )
