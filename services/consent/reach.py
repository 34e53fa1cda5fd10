"""Who has to do with a person, as facts and releases say. What may be seen of him is the decision's to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from services.consent import store, store_links
from services.consent.held import Held
from services.consent.models import SCOPE_FACTS
from services.consent.registry import Registry


@dataclass(frozen=True)
class Resolved:
    """The subject that records about a participant hang on, and who has him on its caseload ("" for nobody)."""

    subject_id: str = ""
    caseload_agency_id: str = ""


NOBODY = Resolved()
"""The answer about a participant who is not there, and about one who is none of the asker's business."""


def resolve(connection: Connection, agency_id: str, participant_id: str, now: datetime) -> Resolved:
    """Return a participant's first subject, if the agency has him on its caseload or was ever addressed about him."""
    subjects = store_links.confirmed_subjects(connection, participant_id)
    caseload = _caseload(connection, participant_id, now)
    if not agency_id or not subjects:
        return NOBODY
    if agency_id in caseload:
        return Resolved(subjects[0], agency_id)
    if not _was_addressed(connection, subjects, agency_id):
        return NOBODY
    return Resolved(subjects[0], caseload[0] if caseload else "")


def followers(registry: Registry, held: Held, now: datetime) -> tuple[str, ...]:
    """Return who might learn something of a subject: agencies that facts or releases name, and its sites' offices."""
    sites = {fact.site_id for fact in held.true("SITE", "", now)}
    offices = {
        one.agency_id
        for one in registry.agencies.values()
        if one.kind == "program_office" and sites & set(one.site_ids)
    }
    return tuple(sorted(held.agencies() | offices))


def _caseload(connection: Connection, participant_id: str, now: datetime) -> list[str]:
    """Return the agencies that have him on their caseload, the newest first."""
    table = SCOPE_FACTS
    query = (
        select(table)
        .where(table.c.fact == "CASELOAD", table.c.record_id == participant_id)
        .order_by(table.c.version.desc(), table.c.agency_id)
    )
    facts = (store.fact_from_row(row) for row in connection.execute(query).mappings())
    return [fact.agency_id for fact in facts if fact.holds(now)]


def _was_addressed(connection: Connection, subject_ids: tuple[str, ...], agency_id: str) -> bool:
    table = SCOPE_FACTS
    query = select(table.c.fact).where(
        table.c.fact == "ADDRESSED", table.c.agency_id == agency_id, table.c.subject_id.in_(subject_ids)
    )
    return connection.execute(query.limit(1)).first() is not None
