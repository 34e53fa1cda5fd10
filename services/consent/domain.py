"""Releases, as people give and take them back. No IO.

A consent is what a person signed (42 CFR 2.31). A revocation is a record of its own: it narrows the consent from its
effective time on and is never taken back (EV-16); a new permission is a new consent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.shared.sharing.need import mask

TYPES = frozenset({"NAMED", "TPO", "RESEARCH", "CJ_REFERRAL"})
TPO_PURPOSES = frozenset({"TREAT", "HPAYMT", "HOPERAT"})
"""All that a TPO consent ever serves: never police, prosecutor or diversion (P2-42)."""

_JUSTICE_KINDS = frozenset({"police", "prosecutor", "defender", "program_office", "court", "jail"})


@dataclass(frozen=True)
class Signature:
    """Who signed, and by which authority if it wasn't the person (42 CFR 2.14, 2.15)."""

    signer_name: str = ""
    relation: str = ""
    authority: str = ""


@dataclass(frozen=True)
class Statements:
    """What the person was told before signing."""

    redisclosure: bool = False
    revocation: bool = False
    refusal: bool = False


@dataclass(frozen=True)
class Intermediary:
    """42 CFR 2.31(a)(4)(ii): who passes records on, to named members or to treating providers."""

    agency_id: str = ""
    member_agency_ids: tuple[str, ...] = ()
    treating_providers: bool = False


@dataclass(frozen=True)
class Draft:
    """A release as it is written down. Categories and purposes are words of the matrix."""

    type: str = ""
    source_agency_ids: tuple[str, ...] = ()
    recipient_agency_ids: tuple[str, ...] = ()
    intermediary: Intermediary = Intermediary()
    categories: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    signed_at: datetime | None = None
    expires_at: datetime | None = None
    expire_event: str = ""
    statements: Statements = Statements()
    signature: Signature = Signature()


@dataclass(frozen=True)
class Revocation:
    """Empty recipients or categories stand for all of them (P2-32)."""

    effective_at: datetime
    recipient_agency_ids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def takes(self, recipient_agency_id: str) -> bool:
        """Tell whether this recipient is meant."""
        return not self.recipient_agency_ids or recipient_agency_id in self.recipient_agency_ids


@dataclass(frozen=True)
class Consent:
    """A signed release with everything that was taken back from it."""

    consent_id: str
    participant_id: str
    draft: Draft
    taken_by_agency_id: str
    rule_version: str
    version: int = 1
    revocations: tuple[Revocation, ...] = ()

    def state(self, now: datetime, recipients: tuple[str, ...] = ()) -> str:
        """Return ACTIVE, EXPIRED or REVOKED; revoked means that none of these recipients has any category left.

        Without `recipients`, all of them are meant.
        """
        if not any(self.granted(recipient) for recipient in recipients or self.draft.recipient_agency_ids):
            return "REVOKED"
        expires = self.draft.expires_at
        return "EXPIRED" if expires is not None and expires <= now else "ACTIVE"

    def granted(self, recipient_agency_id: str) -> int:
        """Return the mask of categories that this recipient still has, expiry aside."""
        if recipient_agency_id not in self.draft.recipient_agency_ids:
            return 0
        left = mask(self.draft.categories)
        for revocation in self.revocations:
            if revocation.takes(recipient_agency_id):
                left &= ~mask(revocation.categories or self.draft.categories)
        return left

    def serves(self, recipient_agency_id: str, recipient_kind: str, source_agency_id: str, purpose: str) -> bool:
        """Tell whether it names this recipient, source and purpose. Period and categories are asked apart."""
        if source_agency_id not in self.draft.source_agency_ids or purpose not in self.draft.purposes:
            return False
        if self.draft.type == "TPO" and (purpose not in TPO_PURPOSES or recipient_kind in _JUSTICE_KINDS):
            return False
        return recipient_agency_id in self.draft.recipient_agency_ids

    def covers(self, now: datetime) -> bool:
        """Tell whether `now` lies in its period (42 CFR 2.31(c)(1)): signed, and not expired."""
        signed, expires = self.draft.signed_at, self.draft.expires_at
        return signed is not None and signed <= now and (expires is None or now < expires)

    def revoked(self, revocation: Revocation) -> Consent:
        """Return the consent with one more revocation; its version counts up, so that decisions cite what they saw."""
        return replace(self, version=self.version + 1, revocations=(*self.revocations, revocation))


def named(consents: Iterable[Consent], agency_id: str, now: datetime) -> bool:
    """Tell whether an active release names this agency as a recipient of anything."""
    return any(consent.covers(now) and consent.granted(agency_id) for consent in consents)
