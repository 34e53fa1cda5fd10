"""What a decision rests on, frozen: a JSON text whose parts keep their category and source, and its digest. No IO.

It is the office's own record and stays with it, also when a release is revoked later (architecture section 5).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from services.review.domain import Charge, Review


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The two positive facts of a case-management agency, as they were opened for an office under a consent.

    Another agency's record, `agency_id`'s.
    """

    subject_id: str
    office_id: str
    agency_id: str
    version: int
    intake_confirmed_at: datetime | None
    working_as_of: datetime | None
    consent_id: str
    consent_version: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Basis:
    """A frozen basis. `digest` is the SHA-256 of `text` in hex."""

    text: str
    digest: str


def frozen(basis_id: str, review: Review, charge: Charge, received: Confirmation | None, now: datetime) -> Basis:
    """Return the snapshot of all that the office was sent about a charge.

    `basis_id` is random, so that nobody can tell by the digest whether a guessed part, such as a confirmation, is in.
    """
    content = {
        "id": basis_id,
        "frozenTime": _time(now),
        "reviewId": review.id,
        "referral": {"id": review.referral_id, "version": review.referral_version},
        "parts": list(_parts(review, charge, received)),
    }
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    return Basis(text, hashlib.sha256(text.encode()).hexdigest())


def _parts(review: Review, charge: Charge, received: Confirmation | None) -> Iterator[dict[str, Any]]:
    source = review.source_agency_id
    yield _part("REFERRAL", source, asdict(review.facts))
    yield _part("CHARGE", source, asdict(charge.facts))
    if review.screening is not None:
        yield _part("ELIGIBILITY", source, asdict(review.screening))
    if received is not None:
        facts = {
            "intake_confirmed_time": received.intake_confirmed_at,
            "working_as_of_time": received.working_as_of,
        }
        yield {
            **_part("PROGRAM_STATUS", received.agency_id, facts),
            "version": received.version,
            "consent": {"id": received.consent_id, "version": received.consent_version},
            "receivedTime": _time(received.received_at),
        }


def _part(category: str, source: str, facts: dict[str, Any]) -> dict[str, Any]:
    shown = {_camel(name): _plain(value) for name, value in facts.items() if value not in (None, "", ())}
    return {"category": category, "sourceAgencyId": source, "facts": shown}


def _plain(value: Any) -> Any:
    return _time(value) if isinstance(value, datetime) else value


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
