"""Taking in what is heard of a record: its tokens, the questions that it raises, and what may have to be published.

All of it in the transaction of the inbox and without a word to anybody else: publishing needs keys from consent, so it
follows (`publish.py`).
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from services.casework.index import people, store, store_matches, store_pending
from services.casework.index.people import Match, Record
from services.casework.index.tokens import Named
from services.shared.ids import Ids


def hear(connection: Connection, record: Record, named: Named, ids: Ids) -> bool:
    """Take in a version of a record, unless it or a newer one was heard; tells whether something may be published."""
    if store.version_of(connection, record.id) >= record.version:
        return False
    before = store.near(connection, [record.id])
    store.put(connection, record)
    ask(connection, record.id, named, ids)
    after = store.near(connection, [record.id])
    return touch(connection, {record.id}, before | after)


def hear_entry(connection: Connection, entry_id: str, token: bytes, version: int, ids: Ids) -> bool:
    """Take in a comparison: its index event's person is one who is counted, whenever that event is heard of."""
    before = store.put_entry(connection, entry_id, token, version)
    touched = store.named(connection, [each for each in (before, token) if each is not None])
    for record_id in touched:
        ask(connection, record_id, None, ids)
    # The event that was left is no entry any more, but what was published of it has to be taken back.
    store_pending.mark(connection, touched)
    return touch(connection, touched, store.near(connection, touched))


def touch(connection: Connection, ids: Collection[str], beside: Collection[str]) -> bool:
    """Mark records that changed, and those beside them that it may concern; tells whether there are any.

    What is said of somebody who is counted concerns everybody beside him; what is said of a stranger, only those.
    """
    if store.matter(connection, ids):
        store_pending.mark(connection, {*ids, *beside})
        return True
    matter = store.matter(connection, beside)
    if matter:
        store_pending.mark(connection, {*ids, *matter})
    return bool(matter)


def ask(connection: Connection, record_id: str, named: Named | None, ids: Ids) -> None:
    """Raise the questions that a record raises now, and drop those that it no longer does."""
    found = store.records(connection, {record_id, *store.near(connection, [record_id])})
    record = found.pop(record_id)
    known = store_matches.about(connection, [record_id])
    wanted = {
        people.asked(record, other, rule, ids.new("mat"))
        for other in found.values()
        if (rule := people.question(record, other)) is not None
    }
    asked = {(*each.pair, each.rule) for each in wanted}
    store_matches.drop(connection, [each.id for each in known if (*each.pair, each.rule) not in asked])
    for match in sorted(wanted, key=lambda each: each.id):
        if not people.is_settled(match, known):
            store_matches.add(connection, match)
    if named is not None:
        store_matches.rename(connection, record_id, named)


def subjects_changed(connection: Connection, subject_ids: Collection[str]) -> None:
    """Mark the records of subjects that a person has linked to a participant."""
    touch(connection, store.of_subjects(connection, subject_ids), ())


def decided(connection: Connection, match: Match) -> None:
    """Mark what a decision may change: both records, and all that share a number with them."""
    pair = set(match.pair)
    touch(connection, pair, store.near(connection, pair))
