"""What becomes of a record that is sent: by natural key (agency, source system, record id) and version. No IO.

A repeat changes nothing, so sending a whole file twice is safe; a correction keeps ids, subject, offer and hand-off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from services.referral import moves
from services.referral.domain import Referral, next_version
from services.referral.draft import EXCHANGE, Draft, Source, facts_of, with_ids
from services.referral.screening import Screening, screen
from services.shared.sites import Site, offices

Mint = Callable[[str], str]
"""Makes a new id of a kind: `mint("ref")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One record as its sender means it. `subject_id` is set where the person has one already."""

    draft: Draft
    digest: str
    agency_id: str
    referrer_role: str
    subject_id: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Source system and record id; the record id is empty when the exchange is the source."""
        return self.draft.source.system, self.draft.source.record_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A sender takes its record away; version 0 takes away whichever stands."""

    source: Source

    @property
    def key(self) -> tuple[str, str]:
        """Source system and record id."""
        return self.source.system, self.source.record_id


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one record. `after` is `before` when nothing changes, None when there is no such record.

    Outcomes are those of `PushReferrals`, with VERSION_REUSED and UNKNOWN in place of REJECTED.
    """

    outcome: str
    before: Referral | None
    after: Referral | None

    @property
    def changes(self) -> bool:
        """Whether there is something to store."""
        return self.after is not self.before


def upserted(before: Referral | None, sent: Submission, site: Site, now: datetime, mint: Mint) -> Plan:
    """Return what becomes of a record that is sent; it is screened by the site's pack unless nothing changes."""
    if before is None:
        return Plan("CREATED", None, _created(sent, site, now, mint))
    version, held = sent.draft.source.version, before.draft.source.version
    if version < held:
        return Plan("STALE", before, before)
    if version == held:
        return Plan("UNCHANGED" if sent.digest == before.digest else "VERSION_REUSED", before, before)
    return Plan("REPLACED", before, _replaced(before, sent, site, now, mint))


def deleted(before: Referral | None, gone: Deletion, now: datetime) -> Plan:
    """Return what becomes of a record that its sender takes away."""
    if before is None:
        return Plan("UNKNOWN", None, None)
    version, held = gone.source.version, before.draft.source.version
    if version and version < held:
        return Plan("STALE", before, before)
    after = moves.withdrawn(before, now)
    if after is before:
        return Plan("UNCHANGED", before, before)
    source = replace(before.draft.source, version=version or held)
    return Plan("WITHDRAWN", before, replace(after, draft=replace(after.draft, source=source)))


def _created(sent: Submission, site: Site, now: datetime, mint: Mint) -> Referral:
    referral_id = mint("ref")
    draft = sent.draft
    if not draft.source.record_id:
        draft = replace(draft, source=Source(system=EXCHANGE, record_id=referral_id, version=1))
    draft = replace(draft, charges=with_ids(draft.charges, (), lambda: mint("chg")))
    screening = screen(site, facts_of(draft, sent.referrer_role), now)
    return Referral(
        id=referral_id,
        subject_id=sent.subject_id or mint("sub"),
        agency_id=sent.agency_id,
        referrer_role=sent.referrer_role,
        draft=draft,
        digest=sent.digest,
        screening=screening,
        state=state_by(screening),
        routing=offices(site, draft.charges),
    )


def _replaced(before: Referral, sent: Submission, site: Site, now: datetime, mint: Mint) -> Referral:
    draft = replace(sent.draft, charges=with_ids(sent.draft.charges, before.draft.charges, lambda: mint("chg")))
    screening = screen(site, facts_of(draft, sent.referrer_role), now)
    after = next_version(
        before,
        referrer_role=sent.referrer_role,
        draft=draft,
        digest=sent.digest,
        screening=screening,
        routing=offices(site, draft.charges),
    )
    if before.state != "WITHDRAWN" and screening.result == before.screening.result:
        return after
    # An approval or a decline rests on what was known: with another result it is to be given again.
    return replace(after, state=state_by(screening), approvals=(), decline_reason="")


def state_by(screening: Screening) -> str:
    """Return the state of a referral that nobody has decided about yet."""
    return "NEEDS_INFO" if screening.result == "NEEDS_INFO" else "SUBMITTED"
