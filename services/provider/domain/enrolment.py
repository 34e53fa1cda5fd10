"""Somebody takes part in a service: states, corrections by the provider's own record, attendance. No IO."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from services.provider.domain.records import Moves, after, etag_of
from services.shared.errors import Violation, invalid

ENDED = ("COMPLETED", "DISCONTINUED", "TRANSFERRED")

# Named by the status that a change asks for.
ENROLMENT_MOVES: Moves = {
    "ACTIVE": {"ENROLLED": "ACTIVE"},
    **{status: dict.fromkeys(("ENROLLED", "ACTIVE"), status) for status in ENDED},
}
# A day is told in the provider's own zone, which may be a day off ours.
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An enrolment as its provider writes it down."""

    service_id: str = ""
    service_referral_id: str = ""
    participant_id: str = ""
    # The provider's own record; empty when it is kept here only.
    system: str = ""
    record_id: str = ""
    # None: the order of arrival counts.
    source_version: int | None = None
    status: str
    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """An enrolment. `version` counts every change of it, `source_version` is that of the provider's own record."""

    id: str
    subject_id: str
    agency_id: str
    # What the provider is: decides what the enrolment tells of the person.
    agency_kind: str
    service_id: str
    service_referral_id: str
    participant_id: str
    system: str
    record_id: str
    source_version: int | None
    # Of what was sent last; empty when it came without a record of the provider's own.
    digest: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    version: int = 1
    changed_at: datetime

    @property
    def etag(self) -> str:
        """The token of this version."""
        return etag_of(self.id, self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """One day. No text: what is said in a session is never carried."""

    day: date
    status: str
    minutes: int | None = None


def judged(before: Enrolment, draft: Draft, digest: str, earlier: Collection[str]) -> str:
    """Return what a record that is sent again is to the one that is held.

    With a version: a repeat is UNCHANGED, a higher one REPLACED, a lower one STALE, the same one with another body
    VERSION_REUSED. Without: content that was sent before is no news (`earlier` holds its digests), anything else is. A
    record that had a version keeps having one: else VERSION_MISSING.
    """
    if digest == before.digest:
        return "UNCHANGED"
    if draft.source_version is None:
        if before.source_version is not None:
            return "VERSION_MISSING"
        return "STALE" if digest in earlier else "REPLACED"
    if before.source_version is None or draft.source_version > before.source_version:
        return "REPLACED"
    return "VERSION_REUSED" if draft.source_version == before.source_version else "STALE"


def corrected(before: Enrolment, draft: Draft, digest: str, service_id: str, now: datetime) -> Enrolment:
    """Return the enrolment as a newer version of the provider's record has it, whatever its status was before."""
    return replace(
        before,
        service_id=service_id,
        service_referral_id=draft.service_referral_id or before.service_referral_id,
        source_version=draft.source_version,
        digest=digest,
        status=draft.status,
        started_at=draft.started_at,
        ended_at=draft.ended_at,
        version=before.version + 1,
        changed_at=now,
    )


def changed(
    enrolment: Enrolment,
    status: str,
    started_at: datetime | None,
    ended_at: datetime | None,
    now: datetime,
) -> Enrolment:
    """Return the enrolment with what is told, the rest as it was; the same one when nothing changes.

    Raises FAILED_PRECONDITION naming the legal moves, INVALID_ARGUMENT for times that contradict each other.
    """
    told = status or enrolment.status
    if told != enrolment.status:
        told = after(ENROLMENT_MOVES, enrolment.status, told, "enrolment")
    held = replace(
        enrolment,
        status=told,
        started_at=started_at or enrolment.started_at,
        ended_at=ended_at or enrolment.ended_at,
    )
    wrong = times_violations(held.status, held.started_at, held.ended_at)
    if wrong:
        raise invalid(wrong)
    return enrolment if held == enrolment else replace(held, version=enrolment.version + 1, changed_at=now)


def times_violations(status: str, started_at: datetime | None, ended_at: datetime | None) -> list[Violation]:
    """Return what is wrong with the times of an enrolment, taken together."""
    if ended_at is None:
        return []
    if status and status not in ENDED:
        return [Violation("endTime", "left out while the enrolment goes on")]
    if started_at is not None and ended_at < started_at:
        return [Violation("endTime", "not before the start")]
    return []


def attended(enrolment: Enrolment, day: date, now: datetime) -> Enrolment:
    """Return the enrolment's next version, with another day. Raises INVALID_ARGUMENT for a day outside of it."""
    before_it = day < enrolment.started_at.date() - _DAY
    behind_it = enrolment.ended_at is not None and day > enrolment.ended_at.date() + _DAY
    if before_it or behind_it:
        raise invalid([Violation("date", "a day of the enrolment")])
    return replace(enrolment, version=enrolment.version + 1, changed_at=now)
