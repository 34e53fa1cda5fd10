"""Hand-offs and participants with valid defaults."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.casework.domain import Completion, Contact, Handoff, Participant, Person
from tests.support.clock import NOON

AGENCY, OTHER, POLICE, SITE = "sample-outreach", "sample-second-outreach", "sample-police", "seattle"
SUBJECT = "sub_0198c1e2-0000-7000-8000-000000000001"
HANDOFF = "hof_0198c1e2-0000-7000-8000-000000000001"
PARTICIPANT = "par_0198c1e2-0000-7000-8000-000000000001"
TESTA = Person(given_name="Testa", family_name="Sample", birth_date="1990-05")


def a_handoff(**changes: Any) -> Handoff:
    """Return one that was just asked for, after an arrest."""
    defaults: dict[str, Any] = {
        "id": HANDOFF,
        "subject_id": SUBJECT,
        "agency_id": AGENCY,
        "source_agency_id": POLICE,
        "site_id": SITE,
        "requested_at": NOON,
        "called_at": NOON - timedelta(minutes=2),
        "window_ends_at": NOON + timedelta(hours=72),
        "intake_due_at": NOON + timedelta(days=30),
    }
    return Handoff(**(defaults | changes))


def a_participant(**changes: Any) -> Participant:
    """Return one whose intake is pending."""
    defaults: dict[str, Any] = {
        "id": PARTICIPANT,
        "subject_id": SUBJECT,
        "agency_id": AGENCY,
        "person": TESTA,
        "joined_at": NOON,
        "intake_due_at": NOON + timedelta(days=30),
    }
    return Participant(**(defaults | changes))


def a_completion(**changes: Any) -> Completion:
    """Return what a case manager says of somebody new."""
    defaults: dict[str, Any] = {
        "person": TESTA,
        "contact": Contact(phones=("206-555-0100",), where_found="Sample Park"),
    }
    return Completion(**(defaults | changes))
