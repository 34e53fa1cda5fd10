"""Row scope: which referrals a caller may be shown at all. Field scope is the gateway's.

A referral out of scope is absent. The rows that a release opens are joined by subject: consent says which subjects ever
named the caller's agency, and the gateway decides what of them still holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Select, cast, exists, false, func, literal, select

from services.referral.models import REFERRAL_OFFICES, REFERRALS
from services.referral.moves import POLICE
from services.shared.errors import permission_denied
from services.shared.sharing.assertion import Caller

_Condition = ColumnElement[bool]
_BY_RELEASE = frozenset({"defender", "case_manager", "case_supervisor", "participant"})


def needs_grants(caller: Caller) -> bool:
    """Tell whether the caller's rows are those of subjects granted to him."""
    return caller.role in _BY_RELEASE


def visible(connection: Connection, caller: Caller, granted: Collection[str]) -> _Condition:
    """Return the condition on `referrals` that holds the caller's rows. An unknown role has none."""
    if needs_grants(caller):
        return among(connection, REFERRALS.c.subject_id, granted)
    return _BY_ROLE.get(caller.role, _nothing)(caller)


def listed(
    query: Select[Any], connection: Connection, caller: Caller, granted: Collection[str]
) -> tuple[Select[Any], ColumnElement[str]]:
    """Return a query on `referrals` for the caller's rows alone, and the column of their ids to go by in order.

    The ids of an office are read where they lie in order, so that a page costs the same however many others there are.
    """
    if caller.role != "prosecutor":
        return query.where(visible(connection, caller, granted)), REFERRALS.c.id
    office = REFERRAL_OFFICES.c
    routed = query.join(REFERRAL_OFFICES, office.referral_id == REFERRALS.c.id)
    return routed.where(office.office_id == caller.agency_id), office.referral_id


def among(connection: Connection, column: ColumnElement[str], values: Collection[str]) -> _Condition:
    """Return that a column's value is one of these, however many: they travel as one parameter."""
    texts = literal(json.dumps(sorted(values)))
    if connection.dialect.name == "postgresql":
        listed = func.json_array_elements_text(cast(texts, JSON)).column_valued("listed")
        return column.in_(select(listed))
    table = func.json_each(texts).table_valued("value")
    return column.in_(select(table.c.value))


def require_police(caller: Caller) -> None:
    """Refuse a jail's or court's system, which posts justice events and does nothing else (matrix, Roles)."""
    if caller.role in POLICE and caller.agency_kind != "police":
        raise permission_denied("NOT_FOR_THIS_AGENCY", "Agencies of this kind do not call this.")


def _own_agency(caller: Caller) -> _Condition:
    return REFERRALS.c.agency_id == caller.agency_id


def _routed(caller: Caller) -> _Condition:
    office = REFERRAL_OFFICES.c
    return exists().where(office.referral_id == REFERRALS.c.id, office.office_id == caller.agency_id)


def _own_sites(caller: Caller) -> _Condition:
    return REFERRALS.c.site_id.in_(caller.site_ids)


def _nothing(_caller: Caller) -> _Condition:
    return false()


_BY_ROLE: Mapping[str, Callable[[Caller], _Condition]] = {
    **dict.fromkeys(POLICE, _own_agency),
    "prosecutor": _routed,
    "program_manager": _own_sites,
}
