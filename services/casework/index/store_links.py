"""Queries on what was published of records, and on who of them is linked to a participant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select

from services.casework.index.links import Key, Link, Links
from services.casework.index.models import RULE_LINKS, STUDY_LINKS
from services.casework.index.picture import Holding
from services.casework.models import LINKS


def published(connection: Connection, record_ids: Collection[str]) -> Mapping[str, Links]:
    """Return the links that stand, by record."""
    found: dict[str, dict[Key, Link]] = defaultdict(dict)
    for row in connection.execute(select(STUDY_LINKS).where(STUDY_LINKS.c.record_id.in_(record_ids))):
        found[row.record_id][row.study_id, row.entry_id] = Link(row.rule, row.score, row.is_confirmed)
    return found


def publish(connection: Connection, record_id: str, links: Links) -> None:
    """Write down the links that stand now."""
    connection.execute(delete(STUDY_LINKS).where(STUDY_LINKS.c.record_id == record_id))
    rows = [
        {
            "record_id": record_id,
            "study_id": study,
            "entry_id": entry,
            "rule": link.rule,
            "score": link.score,
            "is_confirmed": link.confirmed,
        }
        for (study, entry), link in links.items()
    ]
    if rows:
        connection.execute(insert(STUDY_LINKS), rows)


def holdings(connection: Connection, subject_ids: Collection[str]) -> list[Holding]:
    """Return who these subjects are linked to, and who else is linked to these participants, in order of their ids."""
    people = select(LINKS.c.participant_id).where(LINKS.c.subject_id.in_(subject_ids))
    which = or_(LINKS.c.subject_id.in_(subject_ids), LINKS.c.participant_id.in_(people))
    query = select(LINKS).where(which).order_by(LINKS.c.participant_id, LINKS.c.subject_id)
    return [Holding(**{name: row[name] for name in Holding.__slots__}) for row in connection.execute(query).mappings()]


def ruled(connection: Connection, subject_ids: Collection[str]) -> set[str]:
    """Return those of these subjects that a rule has linked to a participant."""
    query = select(RULE_LINKS.c.subject_id).where(RULE_LINKS.c.subject_id.in_(subject_ids))
    return set(connection.execute(query).scalars())


def rule(connection: Connection, links: Iterable[tuple[str, str]], now: datetime) -> None:
    """Write down subjects that a rule has linked, each with its participant."""
    rows = [{"subject_id": subject, "participant_id": participant, "linked_at": now} for subject, participant in links]
    if rows:
        connection.execute(insert(RULE_LINKS), rows)
