"""How facts lie in JSON columns: field by field, times as ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from services.review.domain import ChargeFacts, ReferralFacts, Screening

Json = dict[str, Any]
_TIMES = ("referral_time", "due_time")


def facts_to_json(facts: ReferralFacts | None) -> Json | None:
    """Return a referral's facts as JSON has them; None stays None."""
    if facts is None:
        return None
    content = asdict(facts)
    return {**content, **{name: _text(content[name]) for name in _TIMES}}


def facts_from_json(content: Json | None) -> ReferralFacts | None:
    """Return a referral's facts."""
    if content is None:
        return None
    return ReferralFacts(**{**content, **{name: _moment(content[name]) for name in _TIMES}})


def screening_to_json(screening: Screening | None) -> Json | None:
    """Return a screening as JSON has it; None stays None."""
    return None if screening is None else {**asdict(screening), "rules": list(screening.rules)}


def screening_from_json(content: Json | None) -> Screening | None:
    """Return a screening."""
    return None if content is None else Screening(**{**content, "rules": tuple(content["rules"])})


def charges_to_json(charges: Iterable[ChargeFacts]) -> list[Json]:
    """Return charges as JSON has them, in order."""
    return [asdict(charge) for charge in charges]


def charges_from_json(content: Iterable[Json]) -> tuple[ChargeFacts, ...]:
    """Return charges, in order."""
    return tuple(ChargeFacts(**each) for each in content)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
