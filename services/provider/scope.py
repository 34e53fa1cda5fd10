"""Row scope: which rows a caller may be shown at all. Field scope is the gateway's.

A row out of scope is absent. The rows that a release opens are joined by subject: consent says which subjects ever
named the caller's agency, and the gateway decides what of them still holds.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import JSON, ColumnElement, Connection, and_, cast, false, func, literal, or_, select

from services.provider.models import ENROLMENTS, SERVICE_REFERRALS, SERVICE_SITES, SERVICES
from services.shared.sharing.assertion import Caller

CASE_ROLES = frozenset({"case_manager", "case_supervisor"})
PROVIDER_ROLES = frozenset({"provider_staff", "provider_system"})


def services(caller: Caller) -> ColumnElement[bool]:
    """Return the condition on `services`: those of the caller's sites, and the own agency's."""
    here = select(SERVICE_SITES.c.service_id).where(SERVICE_SITES.c.site_id.in_(caller.site_ids))
    return or_(SERVICES.c.agency_id == caller.agency_id, SERVICES.c.id.in_(here))


def referrals(connection: Connection, caller: Caller, granted: Collection[str]) -> ColumnElement[bool]:
    """Return the condition on `service_referrals`.

    Who asked sees his own; an addressed provider sees nothing before a release names it (matrix row 11).
    """
    table = SERVICE_REFERRALS.c
    if caller.role in CASE_ROLES:
        return table.agency_id == caller.agency_id
    if caller.role in PROVIDER_ROLES:
        return and_(table.provider_agency_id == caller.agency_id, among(connection, table.subject_id, granted))
    return false()


def enrolments(connection: Connection, caller: Caller, granted: Collection[str]) -> ColumnElement[bool]:
    """Return the condition on `enrolments`: a provider's own, and those of subjects granted to the caller's agency."""
    table = ENROLMENTS.c
    by_release = among(connection, table.subject_id, granted) if granted else false()
    if caller.role in CASE_ROLES:
        return by_release
    if caller.role in PROVIDER_ROLES:
        return or_(table.agency_id == caller.agency_id, by_release)
    return false()


def among(connection: Connection, column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    """Return that a column's value is one of these, however many: they travel as one parameter."""
    texts = literal(json.dumps(sorted(values)))
    if connection.dialect.name == "postgresql":
        listed = func.json_array_elements_text(cast(texts, JSON)).column_valued("listed")
        return column.in_(select(listed))
    return column.in_(select(func.json_each(texts).table_valued("value").c.value))
