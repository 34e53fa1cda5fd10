"""Queries on what other agencies said of a referral: decisions on its charges, confirmations of its person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, insert, select, update

from services.referral.domain import ChargeDecision, Confirmation
from services.referral.models import CHARGE_DECISIONS, CONFIRMATIONS, REFERRALS

_Record = ChargeDecision | Confirmation


def decisions(connection: Connection, referral_ids: Iterable[str]) -> Mapping[str, ChargeDecision]:
    """Return what is known of decisions, by charge id."""
    query = select(CHARGE_DECISIONS).where(CHARGE_DECISIONS.c.referral_id.in_(list(referral_ids)))
    return {row["charge_id"]: ChargeDecision(**row) for row in connection.execute(query).mappings()}


def confirmations(connection: Connection, subject_ids: Iterable[str]) -> Mapping[str, Confirmation]:
    """Return the newest confirmation of each subject that has one."""
    query = (
        select(CONFIRMATIONS)
        .where(CONFIRMATIONS.c.subject_id.in_(list(subject_ids)))
        .order_by(CONFIRMATIONS.c.working_as_of, CONFIRMATIONS.c.agency_id)
    )
    return {row["subject_id"]: Confirmation(**row) for row in connection.execute(query).mappings()}


def put_decision(connection: Connection, decision: ChargeDecision, now: datetime) -> bool:
    """Store a decision unless a newer one stands (EV-16); returns whether anything changed."""
    here = CHARGE_DECISIONS.c.charge_id == decision.charge_id
    return _put_newer(connection, CHARGE_DECISIONS, here, decision, REFERRALS.c.id == decision.referral_id, now)


def put_confirmation(connection: Connection, confirmation: Confirmation, now: datetime) -> bool:
    """Store a confirmation unless a newer one stands (EV-16); returns whether anything changed."""
    table = CONFIRMATIONS.c
    here = and_(table.subject_id == confirmation.subject_id, table.agency_id == confirmation.agency_id)
    beside = REFERRALS.c.subject_id == confirmation.subject_id
    return _put_newer(connection, CONFIRMATIONS, here, confirmation, beside, now)


def _put_newer(
    connection: Connection,
    table: Table,
    here: ColumnElement[bool],
    news: _Record,
    beside: ColumnElement[bool],
    now: datetime,
) -> bool:
    row = connection.execute(select(table).where(here).with_for_update()).mappings().one_or_none()
    held = None if row is None else type(news)(**row)
    if held is not None and held.version >= news.version:
        return False
    is_same = held is not None and replace(news, version=held.version, changed_at=held.changed_at) == held
    values = _values(replace(news, changed_at=held.changed_at if held is not None and is_same else now))
    connection.execute(insert(table).values(values) if held is None else update(table).where(here).values(values))
    if not is_same:
        connection.execute(update(REFERRALS).where(beside).values(beside_at=now))
    return True


def _values(record: _Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
