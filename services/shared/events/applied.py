"""Which version of which part was applied for whom, so that an older one never overwrites a newer one.

Sections of one event are opened at different times, so the record's version alone is not enough: version 2 may be known
in one category and version 1 in another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)

# The columns of a slot, in the table's order and the slot's.
_KEY = ("series", "record_id", "subject_id", "category", "part_record_id", "agency_id")
# The parameters of one statement are bounded.
_MANY = 400


@dataclass(frozen=True, slots=True)
class Slot:
    """What a newer version replaces: one category of one record of one subject, for one agency, within one series.

    The subject belongs to it, since one record may speak of several: a participant's confirmation goes to each subject
    that was linked to him.
    `part_record_id` is that of a record with a key of its own (a charge of a referral), else empty or the record's.
    """

    series: str
    record_id: str
    subject_id: str
    category: int
    part_record_id: str
    agency_id: str


def applied_table(metadata: MetaData) -> Table:
    """Add the table `applied_version` to an area's metadata."""
    return Table(
        "applied_version",
        metadata,
        Column("series", String(80), primary_key=True),
        Column("record_id", String(64), primary_key=True),
        Column("subject_id", String(64), primary_key=True),
        Column("category", Integer, primary_key=True),
        Column("part_record_id", String(64), primary_key=True),
        Column("agency_id", String(64), primary_key=True),
        Column("version", BigInteger, nullable=False),
    )


class Versions:
    """The versions that a batch may move: read together, moved in memory, stored together in its transaction."""

    def __init__(self, connection: Connection, table: Table, slots: Iterable[Slot]) -> None:
        """Read what is there for these slots, locked for the rest of the transaction."""
        wanted = set(slots)
        self._table = table
        self._stored: dict[Slot, int] = dict(_stored(connection, table, wanted)) if wanted else {}
        self._moved: dict[Slot, int] = {}

    def advance(self, slot: Slot, version: int) -> bool:
        """Note a version as applied; False, and nothing noted, when it or a newer one already is.

        The slot is one of those that were read.
        """
        present = self._moved.get(slot, self._stored.get(slot))
        if present is not None and present >= version:
            return False
        self._moved[slot] = version
        return True

    def store(self, connection: Connection) -> None:
        """Write down what was moved."""
        new = [_row(slot, version) for slot, version in self._moved.items() if slot not in self._stored]
        newer = [_bound(slot, version) for slot, version in self._moved.items() if slot in self._stored]
        if new:
            connection.execute(insert(self._table), new)
        if newer:
            here = [self._table.c[name] == bindparam(f"of_{name}") for name in _KEY]
            connection.execute(update(self._table).where(*here).values(version=bindparam("to_version")), newer)


def _stored(connection: Connection, table: Table, slots: Collection[Slot]) -> Iterator[tuple[Slot, int]]:
    """Yield what is stored of the records that the slots are of, those of the slots among it."""
    series, records = sorted({slot.series for slot in slots}), sorted({slot.record_id for slot in slots})
    for start in range(0, len(records), _MANY):
        of_records = table.c.record_id.in_(records[start : start + _MANY])
        # In one order, so that two processes of an area do not wait for each other in a circle.
        query = select(table).where(table.c.series.in_(series), of_records).order_by(*table.primary_key)
        for *key, version in connection.execute(query.with_for_update()):
            yield Slot(*key), version


def _row(slot: Slot, version: int) -> dict[str, object]:
    return {**{name: getattr(slot, name) for name in _KEY}, "version": version}


def _bound(slot: Slot, version: int) -> dict[str, object]:
    return {**{f"of_{name}": getattr(slot, name) for name in _KEY}, "to_version": version}
