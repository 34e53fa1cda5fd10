"""Queries on links between subjects and participants.

A link that a person confirmed lets the participant's releases cover the subject. One that a rule found only withholds.
Merge and unmerge move links, never keys (architecture section 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from services.consent.models import CONSENT_RECIPIENTS, CONSENTS, LINKS


@dataclass(frozen=True)
class Link:
    """Whose subject it is, and whether a person said so."""

    participant_id: str
    confirmed: bool


def links(connection: Connection, subject_ids: Sequence[str]) -> Mapping[str, Link]:
    """Return the link of each subject that has one."""
    query = select(LINKS).where(LINKS.c.subject_id.in_(subject_ids))
    return {row.subject_id: Link(row.participant_id, row.confirmed_by != "") for row in connection.execute(query)}


def subjects_of(connection: Connection, participant_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the subjects linked to any of these participants, by a person or by a rule."""
    query = select(LINKS.c.subject_id).where(LINKS.c.participant_id.in_(sorted(set(participant_ids))))
    return tuple(sorted(connection.execute(query).scalars()))


def confirmed_subjects(connection: Connection, participant_id: str) -> tuple[str, ...]:
    """Return the participant's own subjects, in the order in which they were confirmed: the first one stays it."""
    query = (
        select(LINKS.c.subject_id)
        .where(LINKS.c.participant_id == participant_id, LINKS.c.confirmed_by != "")
        .order_by(LINKS.c.confirmed_at, LINKS.c.subject_id)
    )
    return tuple(connection.execute(query).scalars())


def granted_subjects(connection: Connection, agency_id: str) -> tuple[str, ...]:
    """Return subjects of participants who ever named this agency in a release; the decision says what still holds."""
    query = (
        select(LINKS.c.subject_id)
        .join(CONSENTS, CONSENTS.c.participant_id == LINKS.c.participant_id)
        .join(CONSENT_RECIPIENTS, CONSENT_RECIPIENTS.c.consent_id == CONSENTS.c.consent_id)
        .where(CONSENT_RECIPIENTS.c.agency_id == agency_id, LINKS.c.confirmed_by != "")
        .distinct()
    )
    return tuple(sorted(connection.execute(query).scalars()))


def link(connection: Connection, subject_id: str, participant_id: str, confirmed_by: str, now: datetime) -> bool:
    """Link a subject; returns whether anything changed. Empty `confirmed_by`: a rule found it.

    A link that a person confirmed is kept, whoever says otherwise: moving it is an unmerge. One that a rule found gives
    way to a person's word, and to nothing else.
    """
    stands = links(connection, [subject_id]).get(subject_id)
    values = {"participant_id": participant_id, "confirmed_by": confirmed_by, "confirmed_at": now}
    if stands is None:
        connection.execute(insert(LINKS).values(subject_id=subject_id, **values))
        return True
    if stands.confirmed or not confirmed_by:
        return False
    connection.execute(update(LINKS).where(LINKS.c.subject_id == subject_id).values(values))
    return True
