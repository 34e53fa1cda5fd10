"""Use cases of the public face: give a release, list, take it back, preview it, disable an account."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from lead.audit.v1 import audit_internal_service_pb2 as audit
from lead.audit.v1 import audit_pb2
from sqlalchemy import Connection

from services.consent import epochs, roll, store, store_links, validate
from services.consent.config import Config
from services.consent.convert import time_to_wire
from services.consent.decider import Decider
from services.consent.domain import Consent, Draft, Revocation
from services.consent.elements import Element, Setting, missing, rule_version
from services.consent.models import IDEMPOTENCY, LEDGER_SPOOL
from services.consent.registry import Account
from services.consent.sessions import LIFE_SECONDS, Sessions
from services.shared import ledger
from services.shared.clock import Clock
from services.shared.db import Database, idempotency
from services.shared.errors import Code, LeadError, Violation, invalid, not_found, unavailable
from services.shared.ids import Ids
from services.shared.sharing.assertion import Caller

# A live session acknowledges within milliseconds or dies within its life; the rest is for a busy machine.
_LONGEST_STOP = LIFE_SECONDS + 3.0
# What widens need not be waited for: an answer that still denies is only late.
_LONGEST_GRANT = 0.5


@dataclass(frozen=True)
class Desk:
    """What every use case works with."""

    config: Config
    db: Database
    clock: Clock
    ids: Ids
    decider: Decider
    sessions: Sessions
    secret: bytes
    spool: ledger.SpoolSender

    def setting(self) -> Setting:
        """What drafts are checked against now."""
        return Setting(self.decider.registry, self.clock.now(), self.config.cj_referral_enabled)

    def tell(self, epoch: int, *, stops: bool) -> None:
        """Make a change effective everywhere. Raises UNAVAILABLE when something still may act on what was stopped."""
        self.sessions.announce(epoch)
        applied = self.sessions.wait_applied(epoch, _LONGEST_STOP if stops else _LONGEST_GRANT)
        if stops and not applied:
            raise unavailable("It is recorded, but not yet effective everywhere; try again.")


def create(desk: Desk, caller: Caller, participant_id: str, draft: Draft, key: idempotency.Key | None) -> Consent:
    """Take a release. Raises NOT_FOUND out of reach, INVALID_ARGUMENT naming every missing element (42 CFR 2.31(a))."""
    with desk.db.read() as connection:
        _check_reach(connection, desk, caller, participant_id)
        earlier = None if key is None else key.find(connection, IDEMPOTENCY, desk.clock.now())
        if earlier is not None and (stands := store.consent(connection, earlier)) is not None:
            return stands
    wrong, lacking = list(validate.written(draft)), missing(draft, desk.setting())
    if wrong or lacking:
        raise _unacceptable(wrong, lacking)
    taken = Consent(desk.ids.new("con"), participant_id, draft, caller.agency_id, rule_version(draft))
    now = desk.clock.now()
    with desk.db.write() as connection:
        store.add_consent(connection, taken, now)
        if key is not None:
            key.remember(connection, IDEMPOTENCY, taken.consent_id, now)
        subjects = store_links.confirmed_subjects(connection, participant_id)
        epoch = epochs.bump(connection, "consent taken", subjects, now)
    desk.tell(epoch, stops=False)
    return taken


def listed(desk: Desk, caller: Caller, participant_id: str, after: str, size: int) -> tuple[list[Consent], str]:
    """Return up to `size` releases that are the caller's to know of (matrix row 31), oldest first, and the page token.

    `after` is the token of the page before, empty for the first one; the returned one is empty with the last page.
    """
    with desk.db.read() as connection:
        releases = store.consents_of(connection, [participant_id])[participant_id]
    # Ids are UUIDv7: their order is that of time, and stays the same whatever is added.
    found = sorted(
        (one for one in releases if one.consent_id > after and concerns(one, caller)), key=lambda one: one.consent_id
    )
    return found[:size], found[size - 1].consent_id if len(found) > size else ""


def concerns(consent: Consent, caller: Caller) -> bool:
    """Tell whether a release is the caller's to know of: his own, taken by his agency, or naming it."""
    if caller.participant_id:
        return caller.participant_id == consent.participant_id
    return caller.agency_id == consent.taken_by_agency_id or caller.agency_id in consent.draft.recipient_agency_ids


def revoke(
    desk: Desk, caller: Caller, consent_id: str, recipients: Sequence[str], categories: Sequence[str]
) -> tuple[Consent, datetime]:
    """Take back a release, whole or in part; returns it and the time from which nothing succeeds on what was revoked.

    Any channel counts at once (P2-33). Raises NOT_FOUND out of reach, INVALID_ARGUMENT for a recipient that the release
    does not name, UNAVAILABLE while an enforcement point hangs.
    """
    now = desk.clock.now()
    with desk.db.write() as connection:
        stands = store.consent(connection, consent_id)
        if stands is None or not _may_stop(connection, caller, stands, now):
            raise not_found()
        validate.stopped(recipients, _known_recipients(desk, caller, stands))
        revocation = Revocation(now, tuple(recipients), tuple(categories))
        revoked = stands.revoked(revocation)
        store.add_revocation(connection, revoked, revocation)
        subjects = store_links.confirmed_subjects(connection, stands.participant_id)
        epoch = epochs.bump(connection, "consent revoked", subjects, now)
        ledger.put(connection, LEDGER_SPOOL, [_entry(audit_pb2.ENTRY_KIND_REVOCATION, caller, revoked, now)])
    desk.spool.nudge()
    desk.tell(epoch, stops=True)
    return revoked, desk.clock.now()


def disable(desk: Desk, caller: Caller, account_id: str) -> Account:
    """Disable an account, effective at every enforcement point on return (CJ-07). Raises NOT_FOUND out of reach."""
    account = desk.decider.registry.accounts.get(account_id)
    if account is None or not _manages(desk, caller, account):
        raise not_found()
    now = desk.clock.now()
    with desk.db.write() as connection:
        roll.disable(connection, account_id, now)
        epoch = epochs.bump(connection, "account disabled", (), now, everything=True)
        entry = _entry(audit_pb2.ENTRY_KIND_ACCOUNT_DISABLED, caller, None, now)
        entry.entry_key = f"disabled/{account_id}/{epoch}"
        entry.identifying.record_id = account_id
        ledger.put(connection, LEDGER_SPOOL, [entry])
    desk.decider.reload()
    desk.spool.nudge()
    desk.tell(epoch, stops=True)
    return desk.decider.registry.accounts[account_id]


def first_subject(desk: Desk, participant_id: str) -> str:
    """Return the subject that a participant's releases are accounted under."""
    with desk.db.read() as connection:
        subjects = store_links.confirmed_subjects(connection, participant_id)
    return subjects[0] if subjects else ""


def _check_reach(connection: Connection, desk: Desk, caller: Caller, participant_id: str) -> None:
    if caller.participant_id:
        if caller.participant_id != participant_id:
            raise not_found()
        return
    if not _on_caseload(connection, caller, participant_id, desk.clock.now()):
        raise not_found()


def _on_caseload(connection: Connection, caller: Caller, participant_id: str, now: datetime) -> bool:
    return store.has_fact(connection, "CASELOAD", participant_id, caller.agency_id, now)


def _may_stop(connection: Connection, caller: Caller, consent: Consent, now: datetime) -> bool:
    if caller.participant_id:
        return caller.participant_id == consent.participant_id
    return caller.agency_id == consent.taken_by_agency_id or _on_caseload(
        connection, caller, consent.participant_id, now
    )


def _manages(desk: Desk, caller: Caller, account: Account) -> bool:
    if caller.role == "operator":
        return True
    agency = desk.decider.registry.agency(account.agency_id)
    return agency is not None and bool(set(agency.site_ids) & set(caller.site_ids))


def _known_recipients(desk: Desk, caller: Caller, consent: Consent) -> Collection[str]:
    """Return the agencies that the caller may name; who may not know the recipients learns none (matrix row 31)."""
    if caller.participant_id or caller.agency_id == consent.taken_by_agency_id:
        return consent.draft.recipient_agency_ids
    return desk.decider.registry.agencies


def _unacceptable(wrong: Sequence[Violation], lacking: Sequence[Element]) -> LeadError:
    if not lacking:
        return invalid(wrong)
    wishes = (*wrong, *(Violation(one.path, f"{one.id}, {one.law}: {one.wish}") for one in lacking))
    text = "The release lacks elements that the law asks for."
    return LeadError(Code.INVALID_ARGUMENT, "CONSENT_ELEMENTS_MISSING", text, wishes)


def _entry(
    kind: audit_pb2.EntryKind.ValueType, caller: Caller, consent: Consent | None, now: datetime
) -> audit.EntryDraft:
    entry = audit.EntryDraft(kind=kind, time=time_to_wire(now), agency_id=caller.agency_id, outcome="OK")
    entry.identifying.account_id = caller.account_id
    if consent is not None:
        entry.entry_key = f"revoked/{consent.consent_id}/{consent.version}"
        entry.identifying.record_id = consent.consent_id
        entry.bases.add(consent_id=consent.consent_id, consent_version=consent.version)
    return entry
