"""Records that senders send, several at a time: look them up, work out what becomes of them, store and announce."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from services.referral import announce, followed, records, store
from services.referral.announce import Change
from services.referral.handlers.desk import Desk, busy
from services.referral.records import Deletion, Plan, Submission
from services.referral.store import ChangedMeanwhileError

Sent = Submission | Deletion
Also = Callable[[Connection, Sequence[Plan], datetime], None]
"""What else belongs into the transaction; it may refuse by raising, and then nothing is stored."""

# Each attempt works from what the quicker call left behind.
_ATTEMPTS = 5


def record(desk: Desk, agency_id: str, sent: Sequence[Sent], also: Also | None = None) -> list[Plan]:
    """Return what became of each record, in order, after all of them are durable.

    No two of them may have the same natural key. Raises ABORTED when others change the same records all the time, and
    what `also` raises.
    """
    for _ in range(_ATTEMPTS):
        plans = _planned(desk, agency_id, sent)
        try:
            return _stored(desk, plans, also)
        except ChangedMeanwhileError:
            continue
    raise busy()


def _planned(desk: Desk, agency_id: str, sent: Sequence[Sent]) -> list[Plan]:
    keys = {each.key for each in sent if each.key[1]}
    with desk.db.read() as connection:
        known = store.by_natural_keys(connection, agency_id, keys) if keys else {}
    now = desk.clock.now()
    plans = []
    for each in sent:
        before = known.get(each.key)
        if isinstance(each, Deletion):
            plans.append(records.deleted(before, each, now))
        else:
            plans.append(records.upserted(before, each, desk.sites[each.draft.site_id], now, desk.ids.new))
    return plans


def _stored(desk: Desk, plans: list[Plan], also: Also | None) -> list[Plan]:
    changes: list[Change] = [(plan.before, plan.after) for plan in plans if plan.changes and plan.after is not None]
    if not changes and also is None:
        return plans

    def write(connection: Connection) -> datetime:
        # Read inside the transaction, so that lists by time of change miss nothing that commits late.
        at = desk.clock.now()
        store.save(connection, changes, at)
        if also is not None:
            also(connection, plans, at)
        return at

    now = desk.clock.now()
    facts = [*announce.facts(changes, desk.sites, now), *followed.facts(changes, desk.sites, desk.keyed)]
    at = desk.commit(facts, write, announce.statements(changes, now))
    return [_at(plan, at) for plan in plans]


def _at(plan: Plan, at: datetime) -> Plan:
    if not plan.changes or plan.after is None:
        return plan
    return replace(plan, after=replace(plan.after, updated_at=at))
