"""How far a consumer has read each topic: in its own database, moved in the transaction of a batch's effects."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, insert, select, update

from services.shared.events.log import START

# Beside the topics: the epoch up to which changes of keys were applied to the shelf. No topic has such a name.
EPOCH = "~epoch"


def offsets_table(metadata: MetaData) -> Table:
    """Add the table `consumer_offset` to an area's metadata."""
    return Table(
        "consumer_offset",
        metadata,
        Column("topic", String(40), primary_key=True),
        Column("position", BigInteger, nullable=False),
    )


def position(connection: Connection, table: Table, topic: str, *, lock: bool = False) -> int:
    """Return the offset of the last applied record, `START` before the first.

    With `lock`, inside a writing transaction, no other consumer of the area can move it meanwhile.
    """
    query = select(table.c.position).where(table.c.topic == topic)
    found = connection.execute(query.with_for_update() if lock else query).scalar()
    return START if found is None else int(found)


def move(connection: Connection, table: Table, topic: str, to: int) -> None:
    """Note that everything up to this offset is applied."""
    moved = connection.execute(update(table).where(table.c.topic == topic).values(position=to))
    if moved.rowcount == 0:
        connection.execute(insert(table).values(topic=topic, position=to))
