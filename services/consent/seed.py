"""Reads a registry file: agencies, accounts and agreements of a development exchange or a first installation."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.consent.registry import Account, Agency, Agreement, Registry


def read(path: Path) -> Registry:
    """Return what the file lists. Raises KeyError or ValueError naming the key that is missing or wrong."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    agencies = (_agency(row) for row in data.get("agencies", ()))
    accounts = (_account(row) for row in data.get("accounts", ()))
    return Registry(
        {one.agency_id: one for one in agencies},
        {one.account_id: one for one in accounts},
        tuple(_agreement(row) for row in data.get("agreements", ())),
    )


def _agency(row: Mapping[str, Any]) -> Agency:
    return Agency(
        agency_id=row["slug"],
        name=row["name"],
        kind=row["kind"],
        part2=row["part2_program"].upper(),
        hipaa=row["hipaa"].upper(),
        oris=tuple(row.get("oris", ())),
        site_ids=tuple(row.get("sites", ())),
    )


def _account(row: Mapping[str, Any]) -> Account:
    return Account(
        account_id=row["id"],
        agency_id=row["agency"],
        roles=tuple(row["roles"]),
        owner=row["owner"],
        expires_at=row.get("expires"),
    )


def _agreement(row: Mapping[str, Any]) -> Agreement:
    return Agreement(
        agreement_id=row["id"],
        type=row["type"],
        agency_ids=frozenset(row["agencies"]),
        from_at=row["from"],
        until_at=row.get("until"),
    )
