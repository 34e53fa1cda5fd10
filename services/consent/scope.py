"""Taking in what areas state about records and people: the newest stands, and who rests on it is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from services.consent import store
from services.consent.held import ScopeFact

# About the participant that the record is, so about all his subjects.
_OF_PARTICIPANT = frozenset({"CASELOAD", "SAFETY"})


@dataclass(frozen=True)
class Stated:
    """Whose decisions may have changed, and whether any of them may show less than before."""

    subject_ids: tuple[str, ...]
    narrows: bool


def take(connection: Connection, facts: Sequence[ScopeFact]) -> Stated:
    """Store facts in the caller's writing transaction, unless newer statements stand (EV-16)."""
    known = {one.subject_id for one in facts if store.is_known(connection, one.subject_id)}
    touched, narrows = set[str](), False
    for fact in facts:
        before = store.stands(connection, fact)
        if store.state(connection, fact) and not _says_the_same(before, fact):
            touched.update(_about(connection, before, fact, known))
            narrows |= before is not None or fact.fact == "SAFETY"
    return Stated(tuple(sorted(touched)), narrows and bool(touched))


def _says_the_same(before: ScopeFact | None, fact: ScopeFact) -> bool:
    return before is not None and replace(before, version=fact.version) == fact


def _about(connection: Connection, before: ScopeFact | None, fact: ScopeFact, known: set[str]) -> Iterator[str]:
    # Nothing was known about any other subject, so no decision about it is held anywhere.
    if fact.subject_id in known:
        yield fact.subject_id
    if before is not None:
        yield before.subject_id
    if fact.fact in _OF_PARTICIPANT:
        yield from store.subjects_of(connection, [fact.record_id])
