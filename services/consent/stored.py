"""How a release is written into its row and read back: the draft as JSON, revocations as rows beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.consent.domain import Consent, Draft, Intermediary, Revocation, Signature, Statements

_TIMES = ("signed_at", "expires_at")


def draft_to_json(draft: Draft) -> dict[str, Any]:
    """Return the draft as JSON values; times as ISO 8601 UTC."""
    row = asdict(draft)
    for name in _TIMES:
        row[name] = None if row[name] is None else row[name].isoformat()
    return row


def draft_from_json(row: Mapping[str, Any]) -> Draft:
    """Return the draft of a stored row."""
    middle = row["intermediary"]
    return Draft(
        type=row["type"],
        source_agency_ids=tuple(row["source_agency_ids"]),
        recipient_agency_ids=tuple(row["recipient_agency_ids"]),
        intermediary=Intermediary(
            middle["agency_id"], tuple(middle["member_agency_ids"]), middle["treating_providers"]
        ),
        categories=tuple(row["categories"]),
        purposes=tuple(row["purposes"]),
        signed_at=_time(row["signed_at"]),
        expires_at=_time(row["expires_at"]),
        expire_event=row["expire_event"],
        statements=Statements(**row["statements"]),
        signature=Signature(**row["signature"]),
    )


def consent_from_row(row: Mapping[Any, Any], revocations: Sequence[Mapping[Any, Any]]) -> Consent:
    """Return a release with its revocations, oldest first."""
    return Consent(
        consent_id=row["consent_id"],
        participant_id=row["participant_id"],
        draft=draft_from_json(row["draft"]),
        taken_by_agency_id=row["taken_by_agency_id"],
        rule_version=row["rule_version"],
        version=row["version"],
        revocations=tuple(
            Revocation(one["effective_at"], tuple(one["recipient_agency_ids"]), tuple(one["categories"]))
            for one in revocations
        ),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
