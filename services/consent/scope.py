"""Taking in what areas state about records and people: the newest stands, and who rests on it is found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from services.consent import store, store_scope
from services.consent.held import ScopeFact
from services.consent.store_scope import Key, key_of

# About the participant that the record is, so about all his subjects.
_OF_PARTICIPANT = frozenset({"CASELOAD", "SAFETY"})
_WINDOWS = frozenset({"DISPATCHED"})


@dataclass(frozen=True)
class Stated:
    """Whose decisions may have changed, and whether any of them may show less than before."""

    subject_ids: tuple[str, ...]
    narrows: bool


@dataclass(frozen=True)
class _Change:
    """A statement that was taken: what stood before, and what it says."""

    before: ScopeFact | None
    fact: ScopeFact


def take(connection: Connection, facts: Sequence[ScopeFact]) -> Stated:
    """Store facts in the caller's writing transaction, in their order, unless newer statements stand (EV-16).

    A window that was closed or shortened is never opened again: whoever closed it need not be heard of by the others.
    """
    known = store_scope.known(connection, {one.subject_id for one in facts})
    standing = store_scope.standing(connection, facts)
    old, stands = frozenset(standing), dict(standing)
    taken = list(_taken(stands, facts))
    changed = {key_of(one.fact) for one in taken}
    store_scope.add(connection, [stands[key] for key in stands if key not in old])
    store_scope.replace(connection, [stands[key] for key in stands if key in old & changed])
    told = [one for one in taken if not _says_the_same(one)]
    touched = {subject for one in told for subject in _about(connection, one, known)}
    narrows = any(one.before is not None or one.fact.fact == "SAFETY" for one in told)
    return Stated(tuple(sorted(touched)), narrows and bool(touched))


def _taken(stands: dict[Key, ScopeFact], facts: Sequence[ScopeFact]) -> Iterator[_Change]:
    """Yield the statements that are newer than what stands, each of which then stands itself."""
    for fact in facts:
        before = stands.get(key_of(fact))
        if before is None or before.version < fact.version:
            stands[key_of(fact)] = _narrowed(before, fact)
            yield _Change(before, fact)


def _narrowed(before: ScopeFact | None, fact: ScopeFact) -> ScopeFact:
    if before is None or fact.fact not in _WINDOWS:
        return fact
    ends = [end for end in (before.until_at, fact.until_at) if end is not None]
    return replace(fact, closed=fact.closed or before.closed, until_at=min(ends, default=None))


def _says_the_same(one: _Change) -> bool:
    return one.before is not None and replace(one.before, version=one.fact.version) == one.fact


def _about(connection: Connection, one: _Change, known: Collection[str]) -> Iterator[str]:
    # Nothing was known about any other subject, so no decision about it is held anywhere.
    if one.fact.subject_id in known:
        yield one.fact.subject_id
    if one.before is not None:
        yield one.before.subject_id
    if one.fact.fact in _OF_PARTICIPANT:
        yield from store.subjects_of(connection, [one.fact.record_id])
