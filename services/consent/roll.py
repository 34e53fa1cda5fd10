"""Queries on agencies, accounts and agreements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from services.consent.models import ACCOUNTS, AGENCIES, AGREEMENTS
from services.consent.registry import Account, Agency, Agreement, Registry


def registry(connection: Connection) -> Registry:
    """Return who takes part."""
    agencies = (_agency(row) for row in connection.execute(select(AGENCIES)).mappings())
    accounts = (_account(row) for row in connection.execute(select(ACCOUNTS)).mappings())
    agreements = tuple(_agreement(row) for row in connection.execute(select(AGREEMENTS)).mappings())
    return Registry({one.agency_id: one for one in agencies}, {one.account_id: one for one in accounts}, agreements)


def add_missing(connection: Connection, wanted: Registry) -> bool:
    """Store what isn't there yet and touch nothing else; returns whether anything was added."""
    there = registry(connection)
    known = {one.agreement_id for one in there.agreements}
    agencies = [_agency_row(one) for one in wanted.agencies.values() if one.agency_id not in there.agencies]
    accounts = [_account_row(one) for one in wanted.accounts.values() if one.account_id not in there.accounts]
    agreements = [_agreement_row(one) for one in wanted.agreements if one.agreement_id not in known]
    for table, rows in ((AGENCIES, agencies), (ACCOUNTS, accounts), (AGREEMENTS, agreements)):
        if rows:
            connection.execute(insert(table), rows)
    return bool(agencies or accounts or agreements)


def disable(connection: Connection, account_id: str, now: datetime) -> None:
    """Disable an account; a second time changes nothing."""
    connection.execute(
        update(ACCOUNTS)
        .where(ACCOUNTS.c.account_id == account_id, ACCOUNTS.c.disabled_at.is_(None))
        .values(disabled_at=now)
    )


def _agency(row: Mapping[Any, Any]) -> Agency:
    return Agency(
        row["agency_id"],
        row["name"],
        row["kind"],
        row["part2"],
        row["hipaa"],
        tuple(row["oris"]),
        tuple(row["site_ids"]),
    )


def _agency_row(one: Agency) -> dict[str, Any]:
    return {
        "agency_id": one.agency_id,
        "name": one.name,
        "kind": one.kind,
        "part2": one.part2,
        "hipaa": one.hipaa,
        "oris": list(one.oris),
        "site_ids": list(one.site_ids),
    }


def _account(row: Mapping[Any, Any]) -> Account:
    return Account(
        row["account_id"],
        row["agency_id"],
        tuple(row["roles"]),
        row["owner"],
        row["expires_at"],
        row["disabled_at"] is not None,
    )


def _account_row(one: Account) -> dict[str, Any]:
    return {
        "account_id": one.account_id,
        "agency_id": one.agency_id,
        "roles": list(one.roles),
        "owner": one.owner,
        "expires_at": one.expires_at,
        "disabled_at": None,
    }


def _agreement(row: Mapping[Any, Any]) -> Agreement:
    return Agreement(
        row["agreement_id"],
        row["type"],
        frozenset(row["agency_ids"]),
        row["from_at"],
        row["until_at"],
        tuple(row["site_ids"]),
    )


def _agreement_row(one: Agreement) -> dict[str, Any]:
    return {
        "agreement_id": one.agreement_id,
        "type": one.type,
        "agency_ids": sorted(one.agency_ids),
        "from_at": one.from_at,
        "until_at": one.until_at,
        "site_ids": list(one.site_ids),
    }
