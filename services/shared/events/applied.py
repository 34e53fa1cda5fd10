"""Which version of which part was applied for whom, so that an older one never overwrites a newer one.

Sections of one event are opened at different times, so the record's version alone is not enough: version 2 may be known
in one category and version 1 in another.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, insert, select, update


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


def advance(connection: Connection, table: Table, slot: Slot, version: int) -> bool:
    """Note a version as applied; False, and nothing noted, when it or a newer one already is."""
    here = (
        (table.c.series == slot.series)
        & (table.c.record_id == slot.record_id)
        & (table.c.subject_id == slot.subject_id)
        & (table.c.category == slot.category)
        & (table.c.part_record_id == slot.part_record_id)
        & (table.c.agency_id == slot.agency_id)
    )
    present = connection.execute(select(table.c.version).where(here)).scalar()
    if present is None:
        connection.execute(
            insert(table).values(
                series=slot.series,
                record_id=slot.record_id,
                subject_id=slot.subject_id,
                category=slot.category,
                part_record_id=slot.part_record_id,
                agency_id=slot.agency_id,
                version=version,
            )
        )
        return True
    if present >= version:
        return False
    connection.execute(update(table).where(here).values(version=version))
    return True
