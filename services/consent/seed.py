"""Reads a registry file: agencies, accounts and agreements of a development exchange or a first installation."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from lead.options.v1.words_pb2 import Hipaa, Part2Program

from services.consent.registry import Account, Agency, Agreement, Registry
from services.shared.sharing.need import KINDS
from services.shared.sharing.purposes import MATRIX_ROLES

_PART2 = frozenset(name.removeprefix("PART2_PROGRAM_").lower() for name, number in Part2Program.items() if number)
_HIPAA = frozenset(name.removeprefix("HIPAA_").lower() for name, number in Hipaa.items() if number)


def read(path: Path) -> Registry:
    """Return what the file lists. Raises KeyError or ValueError naming the key that is missing or wrong."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    agencies = {one.agency_id: one for one in (_agency(row) for row in data.get("agencies", ()))}
    accounts = (_account(row, agencies) for row in data.get("accounts", ()))
    agreements = tuple(_agreement(row, agencies) for row in data.get("agreements", ()))
    return Registry(agencies, {one.account_id: one for one in accounts}, agreements)


def _agency(row: Mapping[str, Any]) -> Agency:
    return Agency(
        agency_id=row["slug"],
        name=row["name"],
        kind=_word(row, "kind", KINDS - {"none"}),
        part2=_word(row, "part2_program", _PART2).upper(),
        hipaa=_word(row, "hipaa", _HIPAA).upper(),
        oris=tuple(row.get("oris", ())),
        site_ids=tuple(row.get("sites", ())),
    )


def _account(row: Mapping[str, Any], agencies: Mapping[str, Agency]) -> Account:
    agency = agencies[_word(row, "agency", agencies)]
    if any((role, agency.kind) not in MATRIX_ROLES for role in row["roles"]):
        raise ValueError(f"{row['id']}: roles must be those of an agency of kind {agency.kind}")
    return Account(
        account_id=row["id"],
        agency_id=agency.agency_id,
        roles=tuple(row["roles"]),
        owner=row["owner"],
        expires_at=_time(row, "expires"),
    )


def _agreement(row: Mapping[str, Any], agencies: Mapping[str, Agency]) -> Agreement:
    if not agencies.keys() >= set(row["agencies"]):
        raise ValueError(f"{row['id']}: agencies must be registered")
    from_at = _time(row, "from")
    if from_at is None:
        raise KeyError("from")
    return Agreement(
        agreement_id=row["id"],
        type=row["type"],
        agency_ids=frozenset(row["agencies"]),
        from_at=from_at,
        until_at=_time(row, "until"),
        site_ids=tuple(row.get("sites", ())),
    )


def _word(row: Mapping[str, Any], key: str, words: Collection[str]) -> str:
    word: str = row[key]
    if word not in words:
        raise ValueError(f"{row.get('slug') or row.get('id')}: {key} must be one of {', '.join(sorted(words))}")
    return word


def _time(row: Mapping[str, Any], key: str) -> datetime | None:
    value = row.get(key)
    if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
        raise ValueError(f"{row['id']}: {key} must be a time with its zone")
    return value
