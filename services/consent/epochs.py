"""Epochs: each change that can alter a decision gets a number and says whom it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from services.consent.models import EPOCHS


@dataclass(frozen=True)
class Change:
    """What one epoch changed: some subjects, or everything."""

    epoch: int
    subject_ids: tuple[str, ...]
    everything: bool


def bump(
    connection: Connection, reason: str, subject_ids: Sequence[str], now: datetime, *, everything: bool = False
) -> int:
    """Store a change and return its epoch; in the same transaction as what changed."""
    values = {"reason": reason, "subject_ids": list(subject_ids), "everything": everything, "at": now}
    return int(connection.execute(insert(EPOCHS).values(values).returning(EPOCHS.c.epoch)).scalar_one())


def current(connection: Connection) -> int:
    """Return the newest epoch; 0 before the first."""
    return int(connection.execute(select(func.max(EPOCHS.c.epoch))).scalar() or 0)


def since(connection: Connection, epoch: int, limit: int = 1000) -> list[Change]:
    """Return the changes after an epoch, oldest first."""
    query = select(EPOCHS).where(EPOCHS.c.epoch > epoch).order_by(EPOCHS.c.epoch).limit(limit)
    return [Change(row.epoch, tuple(row.subject_ids), row.everything) for row in connection.execute(query)]
