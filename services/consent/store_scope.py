"""Queries on scope facts, for as many as one request states: a connection in, domain objects out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from services.consent.held import ScopeFact
from services.consent.models import LINKS, SCOPE_FACTS

Key = tuple[str, str, str]
"""Kind of fact, record and agency: what one statement replaces of an earlier one."""

_COLUMNS = tuple(ScopeFact.__dataclass_fields__)
_KEY = ("fact", "record_id", "agency_id")
# The parameters of one statement are bounded.
_MANY = 400


def key_of(fact: ScopeFact) -> Key:
    """Return what the fact is the newest word about."""
    return fact.fact, fact.record_id, fact.agency_id


def known(connection: Connection, subject_ids: Collection[str]) -> set[str]:
    """Return those about whom anything was stated before: only about them can a decision be held."""
    found: set[str] = set()
    for column in (SCOPE_FACTS.c.subject_id, LINKS.c.subject_id):
        for some in _batches(sorted(subject_ids)):
            found.update(connection.execute(select(column).where(column.in_(some)).distinct()).scalars())
    return found


def standing(connection: Connection, facts: Iterable[ScopeFact]) -> dict[Key, ScopeFact]:
    """Return what was stated last about the same facts, records and agencies; nobody changes it meanwhile."""
    records: Mapping[str, set[str]] = defaultdict(set)
    wanted = set()
    for fact in facts:
        records[fact.fact].add(fact.record_id)
        wanted.add(key_of(fact))
    found = {}
    for word, record_ids in records.items():
        for some in _batches(sorted(record_ids)):
            same = (SCOPE_FACTS.c.fact == word, SCOPE_FACTS.c.record_id.in_(some))
            for row in connection.execute(select(SCOPE_FACTS).where(*same).with_for_update()).mappings():
                fact = ScopeFact(**{name: row[name] for name in _COLUMNS})
                found[key_of(fact)] = fact
    return {key: fact for key, fact in found.items() if key in wanted}


def add(connection: Connection, facts: Sequence[ScopeFact]) -> None:
    """Store facts about which nothing stands."""
    if facts:
        connection.execute(insert(SCOPE_FACTS), [_values(fact) for fact in facts])


def replace(connection: Connection, facts: Sequence[ScopeFact]) -> None:
    """Store facts in place of what stands about the same."""
    if not facts:
        return
    same = [SCOPE_FACTS.c[name] == bindparam(f"the_{name}") for name in _KEY]
    changed: dict[str, Any] = {name: bindparam(f"the_{name}") for name in _COLUMNS if name not in _KEY}
    rows = [{f"the_{name}": value for name, value in _values(fact).items()} for fact in facts]
    connection.execute(update(SCOPE_FACTS).where(*same).values(changed), rows)


def _values(fact: ScopeFact) -> dict[str, object]:
    return {name: getattr(fact, name) for name in _COLUMNS}


def _batches(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _MANY] for start in range(0, len(values), _MANY))
