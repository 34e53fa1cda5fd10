"""What a change makes known: scope facts and subject links for consent, the participant, and how long a hand-off took.

The statements of one change reach consent before its events are published (architecture section 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from lead.consent.v1.consent_internal_service_pb2 import LinkSubjectsRequest, ScopeFact, ScopeStatement

from services.casework import convert
from services.casework.domain import Handoff, Participant
from services.shared.area import Fact
from services.shared.wire import stamp

Statement = ScopeStatement | LinkSubjectsRequest


def of_completion(
    handoff: Handoff, known: Participant | None, participant: Participant, account_id: str, now: datetime
) -> Iterator[Statement]:
    """Yield what a completed hand-off makes true; `known` is the participant before, None for a new one.

    The completion is the person's confirmation of the link (architecture section 5). Facts about the participant hang
    on his first subject and are stated once, since a statement takes the place of an older one about the same record.
    """
    if participant.safety_flag and not (known is not None and known.safety_flag):
        # What withholds comes before what opens.
        yield _about(participant, ScopeFact.SCOPE_FACT_SAFETY)
    yield LinkSubjectsRequest(participant_id=participant.id, subject_ids=[handoff.subject_id], confirmed_by=account_id)
    if known is None:
        yield _about(participant, ScopeFact.SCOPE_FACT_CASELOAD, agency_id=participant.agency_id)
        yield _about(participant, ScopeFact.SCOPE_FACT_SITE, site_id=handoff.site_id)
    yield of_end(handoff, now)


def of_end(handoff: Handoff, now: datetime) -> ScopeStatement:
    """Return the end of the agency's view of the request (matrix row 9), of a hand-off that has ended."""
    message = ScopeStatement(
        fact=ScopeFact.SCOPE_FACT_DISPATCHED,
        subject_id=handoff.subject_id,
        record_id=handoff.id,
        agency_id=handoff.agency_id,
        site_id=handoff.site_id,
        from_time=stamp(handoff.requested_at),
        version=_version(handoff, now),
    )
    if handoff.closes_at is not None:
        message.until_time.CopyFrom(stamp(handoff.closes_at))
        message.closed = handoff.closes_at <= now
    return message


def intake_facts(participant: Participant, subject_ids: Iterable[str]) -> list[Fact]:
    """Return one confirmation for each of these subjects: who follows a referral knows no other."""
    return [
        Fact(
            message=convert.intake_confirmed(participant),
            record_id=participant.id,
            subject_id=subject_id,
            source_agency_id=participant.agency_id,
            version=participant.version,
        )
        for subject_id in subject_ids
    ]


def recorded(participant: Participant) -> Fact:
    """Return what is told of a participant, on his first subject."""
    return Fact(
        message=convert.participant_recorded(participant),
        record_id=participant.id,
        subject_id=participant.subject_id,
        source_agency_id=participant.agency_id,
        version=participant.version,
    )


def measured(handoff: Handoff, target_minutes: int | None) -> list[Fact]:
    """Return how long a hand-off took, nothing where that isn't known."""
    if handoff.minutes is None:
        return []
    return [
        Fact(
            message=convert.handoff_measured(handoff, target_minutes),
            record_id=handoff.id,
            subject_id=handoff.subject_id,
            source_agency_id=handoff.agency_id,
            version=handoff.version,
        )
    ]


def _version(handoff: Handoff, now: datetime) -> int:
    # The police stated this fact under the millisecond of their request; ours is later whatever our clock says.
    return int(max(now, handoff.requested_at).timestamp() * 1000) + 1


def _about(participant: Participant, fact: ScopeFact.ValueType, **values: Any) -> ScopeStatement:
    return ScopeStatement(
        fact=fact,
        subject_id=participant.subject_id,
        record_id=participant.id,
        version=participant.version,
        **values,
    )
