"""Queries on records, their tokens and what was published of them: a connection in, domain objects out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, or_, select, update

from services.casework.index.models import ENTRIES, MATCHES, PENDING, RECORDS, STUDY_LINKS, TOKENS
from services.casework.index.people import JUSTICE_EVENT, Record
from services.casework.index.tokens import LOCAL, NAMES, RECORD, Marks

_PLAIN = ("id", "kind", "subject_id", "agency_id", "version", "heard_at", "study_id", "said")


def records(connection: Connection, ids: Collection[str]) -> dict[str, Record]:
    """Return these records with their marks, and the entries that were registered by them.

    A local id that a person has said to be of two is no mark of anybody.
    """
    if not ids:
        return {}
    tokens, entries = _tokens(connection, ids), _entries(connection, ids)
    rows = connection.execute(select(RECORDS).where(RECORDS.c.id.in_(ids))).mappings()
    return {
        row["id"]: Record(
            **{name: row[name] for name in _PLAIN},
            marks=Marks(frozenset(tokens[row["id"]]), row["birth_parts"]),
            entries=tuple(sorted(entries[row["id"]])),
        )
        for row in rows
    }


def version_of(connection: Connection, record_id: str) -> int:
    """Return which version of a record was heard, 0 for none."""
    return connection.execute(select(RECORDS.c.version).where(RECORDS.c.id == record_id)).scalar() or 0


def put(connection: Connection, record: Record) -> None:
    """Store a record's newest version with its tokens; its study id and what was published of it stay."""
    values = {name: getattr(record, name) for name in ("kind", "subject_id", "agency_id", "version", "heard_at")}
    values["birth_parts"] = record.marks.birth_parts
    if not connection.execute(update(RECORDS).where(RECORDS.c.id == record.id).values(values)).rowcount:
        connection.execute(insert(RECORDS).values(values | {"id": record.id, "study_id": "", "said": 0}))
    connection.execute(delete(TOKENS).where(TOKENS.c.record_id == record.id))
    rows = [{"record_id": record.id, "kind": kind, "token": token} for kind, token in sorted(record.marks.tokens)]
    if rows:
        connection.execute(insert(TOKENS), rows)


def put_entry(connection: Connection, entry_id: str, token: bytes, version: int) -> bytes | None:
    """Store a comparison, unless a newer version stands. Returns the token that stood before, None for none."""
    row = connection.execute(select(ENTRIES.c.version, ENTRIES.c.token).where(ENTRIES.c.id == entry_id)).first()
    if row is None:
        connection.execute(insert(ENTRIES).values(id=entry_id, version=version, token=token))
        return None
    if row.version < version:
        connection.execute(update(ENTRIES).where(ENTRIES.c.id == entry_id).values(version=version, token=token))
    return bytes(row.token)


def named(connection: Connection, tokens: Collection[bytes]) -> set[str]:
    """Return the records that their sources name so."""
    query = select(TOKENS.c.record_id).where(TOKENS.c.kind == RECORD, TOKENS.c.token.in_(tokens))
    return set(connection.execute(query).scalars())


def near(connection: Connection, ids: Collection[str], kinds: Sequence[str] = (LOCAL, *NAMES)) -> set[str]:
    """Return other records that share a token of these kinds with any of these."""
    own, other = TOKENS.alias("own"), TOKENS.alias("other")
    query = (
        select(other.c.record_id)
        .join(own, own.c.token == other.c.token)
        .where(own.c.record_id.in_(ids), own.c.kind.in_(kinds), other.c.record_id.not_in(ids))
        .distinct()
    )
    return set(connection.execute(query).scalars())


def of_subjects(connection: Connection, subject_ids: Collection[str]) -> set[str]:
    """Return the records that hang on these subjects."""
    return set(connection.execute(select(RECORDS.c.id).where(RECORDS.c.subject_id.in_(subject_ids))).scalars())


def first_with(connection: Connection, study_ids: Collection[str]) -> Mapping[str, str]:
    """Return for each study id the first record that has it."""
    query = select(RECORDS.c.study_id, func.min(RECORDS.c.id)).where(RECORDS.c.study_id.in_(study_ids))
    return {row[0]: row[1] for row in connection.execute(query.group_by(RECORDS.c.study_id))}


def matter(connection: Connection, ids: Collection[str]) -> set[str]:
    """Return those of these records about which anything may be published, or was."""
    linked = exists().where(STUDY_LINKS.c.record_id == RECORDS.c.id)
    told = or_(RECORDS.c.kind != JUSTICE_EVENT, RECORDS.c.study_id != "", linked, _is_entry())
    return set(connection.execute(select(RECORDS.c.id).where(RECORDS.c.id.in_(ids), told)).scalars())


def note(connection: Connection, record: Record, study_id: str, said: int) -> bool:
    """Write down a record's study id and what was published; False when another process was quicker."""
    same = and_(RECORDS.c.id == record.id, RECORDS.c.said == record.said, RECORDS.c.study_id == record.study_id)
    values = {"study_id": study_id, "said": said}
    return bool(connection.execute(update(RECORDS).where(same).values(values)).rowcount)


def forget(connection: Connection, before: datetime, limit: int) -> int:
    """Delete at most `limit` justice events of strangers that were heard before; returns how many."""
    open_match = exists().where(
        MATCHES.c.state == "OPEN", or_(MATCHES.c.known_id == RECORDS.c.id, MATCHES.c.found_id == RECORDS.c.id)
    )
    waits = exists().where(PENDING.c.record_id == RECORDS.c.id)
    linked = exists().where(STUDY_LINKS.c.record_id == RECORDS.c.id)
    old = and_(RECORDS.c.kind == JUSTICE_EVENT, RECORDS.c.heard_at < before)
    ids = select(RECORDS.c.id).where(old, ~open_match, ~waits, ~linked, ~_is_entry()).limit(limit)
    gone = list(connection.execute(ids).scalars())
    connection.execute(delete(TOKENS).where(TOKENS.c.record_id.in_(gone)))
    return connection.execute(delete(RECORDS).where(RECORDS.c.id.in_(gone))).rowcount


def _is_entry() -> ColumnElement[bool]:
    return exists().where(
        TOKENS.c.record_id == RECORDS.c.id, TOKENS.c.kind == RECORD, TOKENS.c.token == ENTRIES.c.token
    )


def _entries(connection: Connection, ids: Collection[str]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    query = (
        select(TOKENS.c.record_id, ENTRIES.c.id)
        .join(ENTRIES, ENTRIES.c.token == TOKENS.c.token)
        .where(TOKENS.c.record_id.in_(ids), TOKENS.c.kind == RECORD)
    )
    for record_id, entry_id in connection.execute(query):
        found[record_id].add(entry_id)
    return found


def _tokens(connection: Connection, ids: Collection[str]) -> Mapping[str, set[tuple[str, bytes]]]:
    found: dict[str, set[tuple[str, bytes]]] = defaultdict(set)
    rows = connection.execute(select(TOKENS).where(TOKENS.c.record_id.in_(ids))).all()
    disputed = _disputed(connection, ids) if any(row.kind == LOCAL for row in rows) else set()
    for record_id, kind, token in rows:
        if token not in disputed:
            found[record_id].add((kind, token))
    return found


def _disputed(connection: Connection, ids: Collection[str]) -> set[bytes]:
    own, one, other = TOKENS.alias("own"), TOKENS.alias("one"), TOKENS.alias("other")
    query = (
        select(own.c.token)
        .join(one, one.c.token == own.c.token)
        .join(MATCHES, MATCHES.c.known_id == one.c.record_id)
        .join(other, and_(other.c.record_id == MATCHES.c.found_id, other.c.token == own.c.token))
        .where(own.c.record_id.in_(ids), own.c.kind == LOCAL)
        .where(MATCHES.c.state == "REJECTED", MATCHES.c.rule == "LOCAL_ID")
    )
    return set(connection.execute(query).scalars())
