"""Checks of requests: all wrong fields at once, never a value. What a release must say is in `elements`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

from lead.consent.v1 import consent_internal_service_pb2 as internal
from lead.consent.v1 import consent_service_pb2 as pb
from lead.options.v1 import words_pb2

from services.consent.domain import Draft
from services.shared.errors import Violation, invalid
from services.shared.ids import is_id
from services.shared.never_carried import WISHES, by_shape

PAGE_DEFAULT, PAGE_MOST = 50, 500
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
# Everything but tab and line ends: these are nobody's words, and PostgreSQL takes no NUL.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LONGEST = 300


def written(draft: Draft) -> Iterator[Violation]:
    """Yield what is wrong with the words and times of a release, whatever the law asks for (`elements`)."""
    signature = draft.signature
    yield from _text("expireEvent", draft.expire_event)
    yield from _text("signature.signerName", signature.signer_name)
    yield from _text("signature.relation", signature.relation)
    yield from _text("signature.authority", signature.authority)
    if draft.signed_at is not None and draft.signed_at < _EARLIEST:
        yield Violation("signedTime", "a time from 1900 on")


def _text(path: str, text: str) -> Iterator[Violation]:
    if len(text) > _LONGEST:
        yield Violation(path, f"at most {_LONGEST} characters")
    elif _CONTROL.search(text):
        yield Violation(path, "text without control characters")
    elif reason := by_shape(text):
        yield Violation(path, WISHES[reason])


def stopped(recipients: Sequence[str], known: Collection[str]) -> None:
    """Raises INVALID_ARGUMENT for a recipient that is not `known`: nobody is to think that a slip has stopped it."""
    wrong = [
        Violation(f"recipientAgencyIds[{place}]", "an agency that this release names")
        for place, agency_id in enumerate(recipients)
        if agency_id not in known
    ]
    if wrong:
        raise invalid(wrong)


def page(request: pb.ListConsentsRequest) -> int:
    """Return how many rows are asked for. Raises INVALID_ARGUMENT outside of 1 to 500 and for a foreign token."""
    wrong = []
    if not 0 <= request.page_size <= PAGE_MOST:
        wrong.append(Violation("pageSize", f"from 1 to {PAGE_MOST}"))
    if request.page_token and not is_id(request.page_token, "con"):
        wrong.append(Violation("pageToken", "the nextPageToken of an answer to the same call"))
    if wrong:
        raise invalid(wrong)
    return request.page_size or PAGE_DEFAULT


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
    """Raises INVALID_ARGUMENT when a link names no participant, or a wrong subject."""
    wrong = []
    if not is_id(request.participant_id, "par"):
        wrong.append(Violation("participantId", "a participant id"))
    wrong += [
        Violation(f"subjectIds[{place}]", "a subject id")
        for place, subject in enumerate(request.subject_ids)
        if not is_id(subject, "sub")
    ]
    if wrong:
        raise invalid(wrong)
