"""Queries on releases, links and facts: a connection in, domain objects out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, or_, select, update

from services.consent import store_links
from services.consent.domain import Consent, Revocation
from services.consent.held import Held, ScopeFact
from services.consent.models import CONSENT_RECIPIENTS, CONSENTS, REVOCATIONS, SCOPE_FACTS
from services.consent.stored import consent_from_row, draft_to_json

_UNLINKED = store_links.Link("", confirmed=False)


def held(connection: Connection, subject_ids: Iterable[str]) -> Mapping[str, Held]:
    """Return all that decisions about these subjects rest on, in a bounded number of queries."""
    subjects = sorted({one for one in subject_ids if one})
    links = store_links.links(connection, subjects)
    people = sorted({link.participant_id for link in links.values()})
    facts = _facts(connection, subjects)
    about = _facts_of_participants(connection, people)
    releases = consents_of(connection, people)
    found = {}
    for subject in subjects:
        link = links.get(subject, _UNLINKED)
        person = link.participant_id
        whole = Held(subject, person, tuple(facts[subject]), tuple(about[person]), tuple(releases[person]))
        found[subject] = whole if link.confirmed else whole.found_by_rule()
    return found


def subjects_of(connection: Connection, participant_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the subjects linked to any of these participants, by a person or by a rule."""
    return store_links.subjects_of(connection, participant_ids)


def participants_of(connection: Connection, subject_ids: Sequence[str]) -> dict[str, str]:
    """Return the participant of each subject that is linked to one, by a person or by a rule."""
    return {subject: link.participant_id for subject, link in store_links.links(connection, subject_ids).items()}


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
    found = consents_where(connection, CONSENTS.c.consent_id == consent_id)
    return found[0] if found else None


def consents_of(connection: Connection, participant_ids: Sequence[str]) -> Mapping[str, list[Consent]]:
    """Return the releases of each participant, oldest first."""
    grouped: dict[str, list[Consent]] = defaultdict(list)
    for one in consents_where(connection, CONSENTS.c.participant_id.in_(participant_ids)):
        grouped[one.participant_id].append(one)
    return grouped


def has_fact(connection: Connection, fact: str, record_id: str, agency_id: str, now: datetime) -> bool:
    """Tell whether a fact about this record and agency holds now."""
    table = SCOPE_FACTS
    query = select(table).where(table.c.fact == fact, table.c.record_id == record_id, table.c.agency_id == agency_id)
    return any(fact_from_row(row).holds(now) for row in connection.execute(query).mappings())


def consents_where(connection: Connection, which: ColumnElement[bool]) -> list[Consent]:
    """Return the releases whose rows are chosen, oldest first, with all that was taken back from them."""
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
        grouped[row["subject_id"]].append(fact_from_row(row))
    return grouped


def _facts_of_participants(connection: Connection, participant_ids: Sequence[str]) -> Mapping[str, list[ScopeFact]]:
    grouped: dict[str, list[ScopeFact]] = defaultdict(list)
    table = SCOPE_FACTS
    query = select(table).where(
        table.c.record_id.in_(participant_ids), or_(table.c.fact == "CASELOAD", table.c.fact == "SAFETY")
    )
    for row in connection.execute(query).mappings():
        grouped[row["record_id"]].append(fact_from_row(row))
    return grouped


def fact_from_row(row: Mapping[Any, Any]) -> ScopeFact:
    """Return a stored fact."""
    return ScopeFact(**{name: row[name] for name in ScopeFact.__dataclass_fields__})
