"""Queries on releases, links and facts: a connection in, domain objects out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from services.consent.domain import Consent, Revocation
from services.consent.held import Held, ScopeFact
from services.consent.models import CONSENT_RECIPIENTS, CONSENTS, LINKS, REVOCATIONS, SCOPE_FACTS
from services.consent.stored import consent_from_row, draft_to_json

_WINDOWS = frozenset({"DISPATCHED"})


def held(connection: Connection, subject_ids: Iterable[str]) -> Mapping[str, Held]:
    """Return all that decisions about these subjects rest on, in a bounded number of queries."""
    subjects = sorted({one for one in subject_ids if one})
    links = participants_of(connection, subjects)
    people = sorted(set(links.values()))
    facts = _facts(connection, subjects)
    about = _facts_of_participants(connection, people)
    releases = consents_of(connection, people)
    return {
        subject: Held(
            subject_id=subject,
            participant_id=(person := links.get(subject, "")),
            facts=tuple(facts[subject]),
            participant_facts=tuple(about[person]),
            consents=tuple(releases[person]),
        )
        for subject in subjects
    }


def participants_of(connection: Connection, subject_ids: Sequence[str]) -> dict[str, str]:
    """Return the participant of each subject that is linked to one."""
    query = select(LINKS.c.subject_id, LINKS.c.participant_id).where(LINKS.c.subject_id.in_(subject_ids))
    return {row.subject_id: row.participant_id for row in connection.execute(query)}


def subjects_of(connection: Connection, participant_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the subjects linked to any of these participants."""
    query = select(LINKS.c.subject_id).where(LINKS.c.participant_id.in_(sorted(set(participant_ids))))
    return tuple(sorted(connection.execute(query).scalars()))


def link(connection: Connection, subject_id: str, participant_id: str, confirmed_by: str, now: datetime) -> bool:
    """Link a subject; returns whether anything changed. A link that stands with another participant is kept."""
    if participants_of(connection, [subject_id]):
        return False
    connection.execute(
        insert(LINKS).values(
            subject_id=subject_id, participant_id=participant_id, confirmed_by=confirmed_by, confirmed_at=now
        )
    )
    return True


def is_known(connection: Connection, subject_id: str) -> bool:
    """Tell whether anything was stated about this subject before: only then can a decision about it be held."""
    return connection.execute(
        select(SCOPE_FACTS.c.fact).where(SCOPE_FACTS.c.subject_id == subject_id).limit(1)
    ).first() is not None or bool(participants_of(connection, [subject_id]))


def state(connection: Connection, fact: ScopeFact) -> bool:
    """Store a fact, unless a newer statement about the same stands (EV-16); returns whether anything changed.

    A window that was closed or shortened is never opened again: whoever closed it need not be heard of by the others.
    """
    table, same = SCOPE_FACTS, _same(fact)
    if fact.fact in _WINDOWS:
        fact = _narrowed(fact, stands(connection, fact))
    values = {
        "subject_id": fact.subject_id,
        "site_id": fact.site_id,
        "from_at": fact.from_at,
        "until_at": fact.until_at,
        "closed": fact.closed,
        "version": fact.version,
    }
    if connection.execute(update(table).where(same, table.c.version < fact.version).values(values)).rowcount:
        return True
    if connection.execute(select(table.c.fact).where(same)).first() is not None:
        return False
    key = {"fact": fact.fact, "record_id": fact.record_id, "agency_id": fact.agency_id}
    connection.execute(insert(table).values(key | values))
    return True


def stands(connection: Connection, fact: ScopeFact) -> ScopeFact | None:
    """Return what was stated last about the same fact, record and agency."""
    row = connection.execute(select(SCOPE_FACTS).where(_same(fact))).mappings().first()
    return None if row is None else _fact(row)


def _same(fact: ScopeFact) -> ColumnElement[bool]:
    table = SCOPE_FACTS
    return and_(table.c.fact == fact.fact, table.c.record_id == fact.record_id, table.c.agency_id == fact.agency_id)


def _narrowed(fact: ScopeFact, before: ScopeFact | None) -> ScopeFact:
    if before is None:
        return fact
    ends = [end for end in (before.until_at, fact.until_at) if end is not None]
    return replace(fact, closed=fact.closed or before.closed, until_at=min(ends, default=None))


def add_consent(connection: Connection, consent: Consent, now: datetime) -> None:
    """Store a new release and who it names."""
    connection.execute(
        insert(CONSENTS).values(
            consent_id=consent.consent_id,
            participant_id=consent.participant_id,
            taken_by_agency_id=consent.taken_by_agency_id,
            rule_version=consent.rule_version,
            version=consent.version,
            draft=draft_to_json(consent.draft),
            created_at=now,
        )
    )
    connection.execute(
        insert(CONSENT_RECIPIENTS),
        [
            {"consent_id": consent.consent_id, "agency_id": agency}
            for agency in sorted(set(consent.draft.recipient_agency_ids))
        ],
    )


def add_revocation(connection: Connection, consent: Consent, revocation: Revocation) -> None:
    """Store the newest revocation of a release, under the version that it made."""
    connection.execute(
        insert(REVOCATIONS).values(
            consent_id=consent.consent_id,
            version=consent.version,
            effective_at=revocation.effective_at,
            recipient_agency_ids=list(revocation.recipient_agency_ids),
            categories=list(revocation.categories),
        )
    )
    connection.execute(
        update(CONSENTS).where(CONSENTS.c.consent_id == consent.consent_id).values(version=consent.version)
    )


def consent(connection: Connection, consent_id: str) -> Consent | None:
    """Return one release."""
    found = _consents(connection, CONSENTS.c.consent_id == consent_id)
    return found[0] if found else None


def consents_of(connection: Connection, participant_ids: Sequence[str]) -> Mapping[str, list[Consent]]:
    """Return the releases of each participant, oldest first."""
    grouped: dict[str, list[Consent]] = defaultdict(list)
    for one in _consents(connection, CONSENTS.c.participant_id.in_(participant_ids)):
        grouped[one.participant_id].append(one)
    return grouped


def granted_subjects(connection: Connection, agency_id: str) -> tuple[str, ...]:
    """Return subjects of participants who ever named this agency in a release; the decision says what still holds."""
    query = (
        select(LINKS.c.subject_id)
        .join(CONSENTS, CONSENTS.c.participant_id == LINKS.c.participant_id)
        .join(CONSENT_RECIPIENTS, CONSENT_RECIPIENTS.c.consent_id == CONSENTS.c.consent_id)
        .where(CONSENT_RECIPIENTS.c.agency_id == agency_id)
        .distinct()
    )
    return tuple(sorted(connection.execute(query).scalars()))


def has_fact(connection: Connection, fact: str, record_id: str, agency_id: str, now: datetime) -> bool:
    """Tell whether a fact about this record and agency holds now."""
    table = SCOPE_FACTS
    query = select(table).where(table.c.fact == fact, table.c.record_id == record_id, table.c.agency_id == agency_id)
    return any(_fact(row).holds(now) for row in connection.execute(query).mappings())


def _consents(connection: Connection, which: Any) -> list[Consent]:
    query = select(CONSENTS).where(which).order_by(CONSENTS.c.created_at, CONSENTS.c.consent_id)
    rows = connection.execute(query).mappings().all()
    taken = defaultdict(list)
    ids = [row["consent_id"] for row in rows]
    revocations = select(REVOCATIONS).where(REVOCATIONS.c.consent_id.in_(ids)).order_by(REVOCATIONS.c.version)
    for row in connection.execute(revocations).mappings():
        taken[row["consent_id"]].append(row)
    return [consent_from_row(row, taken[row["consent_id"]]) for row in rows]


def _facts(connection: Connection, subject_ids: Sequence[str]) -> Mapping[str, list[ScopeFact]]:
    grouped: dict[str, list[ScopeFact]] = defaultdict(list)
    query = select(SCOPE_FACTS).where(SCOPE_FACTS.c.subject_id.in_(subject_ids))
    for row in connection.execute(query).mappings():
        grouped[row["subject_id"]].append(_fact(row))
    return grouped


def _facts_of_participants(connection: Connection, participant_ids: Sequence[str]) -> Mapping[str, list[ScopeFact]]:
    grouped: dict[str, list[ScopeFact]] = defaultdict(list)
    table = SCOPE_FACTS
    query = select(table).where(
        table.c.record_id.in_(participant_ids), or_(table.c.fact == "CASELOAD", table.c.fact == "SAFETY")
    )
    for row in connection.execute(query).mappings():
        grouped[row["record_id"]].append(_fact(row))
    return grouped


def _fact(row: Mapping[Any, Any]) -> ScopeFact:
    return ScopeFact(**{name: row[name] for name in ScopeFact.__dataclass_fields__})
