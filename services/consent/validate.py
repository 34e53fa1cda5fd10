"""Checks of requests: all wrong fields at once, never a value. What a release must say is in `elements`."""

from __future__ import annotations

from collections.abc import Iterator

from lead.consent.v1 import consent_internal_service_pb2 as internal
from lead.consent.v1 import consent_service_pb2 as pb
from lead.options.v1 import words_pb2

from services.shared.errors import Violation, invalid
from services.shared.ids import is_id


def revocation(request: pb.RevokeConsentRequest) -> None:
    """Raises INVALID_ARGUMENT when a category is no word."""
    wrong = [
        Violation(f"categories[{place}]", "a category of the sharing matrix")
        for place, number in enumerate(request.categories)
        if number == 0 or number not in words_pb2.Category.values()
    ]
    if wrong:
        raise invalid(wrong)


def statements(request: internal.StateScopeRequest) -> None:
    """Raises INVALID_ARGUMENT when a statement names no fact, subject or record."""
    wrong = [violation for place, one in enumerate(request.statements) for violation in _statement(place, one)]
    if wrong:
        raise invalid(wrong)


def _statement(place: int, one: internal.ScopeStatement) -> Iterator[Violation]:
    if one.fact == 0 or one.fact not in internal.ScopeFact.values():
        yield Violation(f"statements[{place}].fact", "a known fact")
    if not is_id(one.subject_id, "sub"):
        yield Violation(f"statements[{place}].subjectId", "a subject id")
    if not one.record_id:
        yield Violation(f"statements[{place}].recordId", "the record that the fact is about")


def links(request: internal.LinkSubjectsRequest) -> None:
    """Raises INVALID_ARGUMENT when a link names no participant, a wrong subject, or nobody who confirmed it."""
    wrong = []
    if not is_id(request.participant_id, "par"):
        wrong.append(Violation("participantId", "a participant id"))
    if not request.confirmed_by:
        wrong.append(Violation("confirmedBy", "the account that confirmed the link"))
    wrong += [
        Violation(f"subjectIds[{place}]", "a subject id")
        for place, subject in enumerate(request.subject_ids)
        if not is_id(subject, "sub")
    ]
    if wrong:
        raise invalid(wrong)
