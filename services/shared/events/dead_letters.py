"""Events that a consumer gave up on: who they were, never what they said; and when giving up must stop.

The operator sees reason and envelope only; mending means that the producing agency issues the event again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, insert

from services.shared.db.types import UtcDateTime

MOST_IN_A_ROW = 10
WINDOW = 1000
MOST_IN_WINDOW = WINDOW * 5 // 100
# The envelope as the operator may see it; the subject is the topic's pseudonym. Longer is no event of the exchange.
_SHOWN = ("ce_id", "ce_type", "ce_time", "ce_subject")
_LONGEST = 160


def dead_letters_table(metadata: MetaData) -> Table:
    """Add the table `dead_letter` to an area's metadata."""
    return Table(
        "dead_letter",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("topic", String(40), nullable=False),
        # Where it lies on the topic; -1 when it came off the shelf.
        Column("position", BigInteger, nullable=False),
        # Class name of the exception; its text could quote the payload.
        Column("reason", String(80), nullable=False),
        *(Column(name, String(_LONGEST), nullable=False) for name in _SHOWN),
        Column("buried_at", UtcDateTime, nullable=False),
        sqlite_autoincrement=True,
    )


def bury(
    connection: Connection,
    table: Table,
    topic: str,
    position: int,
    headers: Mapping[str, bytes],
    error: Exception,
    now: datetime,
) -> None:
    """Note that an event was given up."""
    envelope = {name: headers.get(name, b"").decode("ascii", "replace")[:_LONGEST] for name in _SHOWN}
    reason = type(error).__name__[:80]
    connection.execute(insert(table).values(topic=topic, position=position, reason=reason, buried_at=now, **envelope))


class Bounds:
    """Counts how events fared. Too many dead ones mean that this consumer is wrong, not they: it must stop."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._in_a_row = 0

    def count(self, *, dead: bool) -> None:
        """Note one more event."""
        self._recent.append(dead)
        self._in_a_row = self._in_a_row + 1 if dead else 0

    def are_broken(self) -> bool:
        """Tell whether over 10 in a row, or over 5% of the last 1000, were given up."""
        return self._in_a_row > MOST_IN_A_ROW or sum(self._recent) > MOST_IN_WINDOW

    def copy(self) -> Bounds:
        """Return counts of their own, for a batch that may yet be taken back."""
        other = Bounds()
        other._recent, other._in_a_row = self._recent.copy(), self._in_a_row
        return other
