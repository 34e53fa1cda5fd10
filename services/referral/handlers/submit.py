"""A person or a system sends one referral, or asks what its screening would say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from lead.referral.v1 import referral_pb2 as pb
from sqlalchemy import Connection

from services.referral import convert, validate
from services.referral.domain import Referral
from services.referral.draft import facts_of
from services.referral.handlers.desk import Desk
from services.referral.handlers.record import Also, record
from services.referral.models import IDEMPOTENCY
from services.referral.records import Plan, Submission
from services.referral.scope import require_police
from services.referral.screening import Screening, screen
from services.shared.db.idempotency import Key
from services.shared.errors import Code, LeadError, already_exists
from services.shared.sharing.assertion import Caller


def submit(desk: Desk, caller: Caller, message: pb.ReferralDraft, key: Key | None) -> Referral:
    """Record a referral and screen it; a repeat, by key or by natural key, gives the one that stands.

    Raises INVALID_ARGUMENT, ALREADY_EXISTS `VERSION_REUSED` and ABORTED `STALE_VERSION`.
    """
    require_police(caller)
    earlier = earlier_of(desk, caller, key)
    if earlier is not None:
        return earlier
    setting = desk.setting(caller)
    validate.submitted(message, setting)
    (plan,) = record(desk, caller.agency_id, [submission(message, caller, setting.now)], settling(key))
    return result_of(plan)


def dry_run(desk: Desk, caller: Caller, message: pb.ReferralDraft) -> Screening:
    """Screen a draft and keep nothing of it: it is not even looked up whether the person is known.

    Raises RESOURCE_EXHAUSTED when the agency asks too often, INVALID_ARGUMENT.
    """
    require_police(caller)
    desk.screens.take(caller.agency_id)
    setting = desk.setting(caller)
    validate.screened(message, setting)
    draft = convert.draft_from_wire(message, setting.now)
    return screen(desk.sites[draft.site_id], facts_of(draft, caller.role), setting.now)


def submission(message: pb.ReferralDraft, caller: Caller, now: datetime) -> Submission:
    """Return what a valid draft means, as this caller sends it."""
    return Submission(
        draft=convert.draft_from_wire(message, now),
        digest=digest_of(message),
        agency_id=caller.agency_id,
        referrer_role=caller.role,
    )


def digest_of(message: pb.ReferralDraft) -> str:
    """Return 64 hex digits of what was sent; equal for a repeat. As personal as the draft: kept beside it only."""
    message.DiscardUnknownFields()
    return hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()


def earlier_of(desk: Desk, caller: Caller, key: Key | None) -> Referral | None:
    """Return the referral that an earlier call with this idempotency key made, if the caller still may see it."""
    if key is None:
        return None
    with desk.db.read() as connection:
        found = key.find(connection, IDEMPOTENCY, desk.clock.now())
    return None if found is None else desk.find(caller, found)


def settling(key: Key | None) -> Also:
    """Return what a single submission adds to its transaction: refuse what a stream would only report, keep the key."""

    def settle(connection: Connection, plans: Sequence[Plan], at: datetime) -> None:
        for plan in plans:
            referral = result_of(plan)
            if key is not None:
                key.remember(connection, IDEMPOTENCY, referral.id, at)

    return settle


def result_of(plan: Plan) -> Referral:
    """Return the referral that stands. Raises ALREADY_EXISTS or ABORTED when it is not what the caller meant."""
    if plan.outcome == "VERSION_REUSED":
        raise already_exists("VERSION_REUSED", "This version of the record was sent before, with another body.")
    if plan.outcome == "STALE" or plan.after is None:
        raise LeadError(Code.ABORTED, "STALE_VERSION", "A higher version of this record is held.")
    return plan.after
