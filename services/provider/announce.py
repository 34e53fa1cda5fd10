"""What a change makes known: scope facts for consent, and the events of both sides.

The statements of one change reach consent before its events are published (architecture section 5).
"""

from __future__ import annotations

from typing import Any

from lead.consent.v1.consent_internal_service_pb2 import ScopeFact, ScopeStatement
from lead.provider.v1 import provider_events_pb2 as events

from services.provider import words
from services.provider.domain.answer import Answer
from services.provider.domain.enrolment import Enrolment
from services.provider.domain.request import Request
from services.shared import labels
from services.shared.area import Fact
from services.shared.wire import filled


def of_request(request: Request) -> list[ScopeStatement]:
    """Return what a new service referral makes true: whom it is addressed to (matrix row 11), and where it belongs."""
    return [
        _stated(request, ScopeFact.SCOPE_FACT_ADDRESSED, agency_id=request.provider_agency_id),
        _stated(request, ScopeFact.SCOPE_FACT_SITE, site_id=request.site_id),
    ]


def recorded(request: Request) -> Fact:
    """Return what the asking agency says."""
    message = filled(
        events.ServiceReferralRecorded(),
        service_id=request.service_id,
        provider_agency_id=request.provider_agency_id,
        needs=[words.NEEDS.number(word) for word in request.needs],
        state=words.REQUEST_STATES.number(request.state),
    )
    return Fact(message, request.id, request.subject_id, request.agency_id, request.version)


def answered(answer: Answer, subject_id: str, provider_kind: str) -> Fact:
    """Return what the provider says; its category is that of the provider's enrolments."""
    message = filled(
        events.ServiceReferralAnswered(),
        state=words.ANSWER_STATES.number(answer.state),
        decline_reason=words.ANSWER_REASONS.number(answer.decline_reason),
    )
    category = labels.enrolment_category(provider_kind)
    return Fact(message, answer.referral_id, subject_id, answer.agency_id, answer.version, row_category=category)


def enrolled(enrolment: Enrolment) -> Fact:
    """Return how an enrolment stands now."""
    message = filled(
        events.EnrollmentRecorded(),
        service_id=enrolment.service_id,
        status=words.STATUSES.number(enrolment.status),
        start_time=enrolment.started_at,
        end_time=enrolment.ended_at,
    )
    category = labels.enrolment_category(enrolment.agency_kind)
    return Fact(
        message,
        enrolment.id,
        enrolment.subject_id,
        enrolment.agency_id,
        enrolment.version,
        row_category=category,
    )


def _stated(request: Request, fact: ScopeFact.ValueType, **values: Any) -> ScopeStatement:
    return ScopeStatement(
        fact=fact, subject_id=request.subject_id, record_id=request.id, version=request.version, **values
    )
