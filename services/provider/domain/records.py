"""What all records here share: etags, state tables, time in state. No IO."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.shared.errors import LeadError, aborted, failed_precondition

Moves = Mapping[str, Mapping[str, str]]
"""Move -> states from which it is legal -> state afterwards."""


class ChangedMeanwhileError(Exception):
    """Another call was quicker: the record is not what the change was worked out from. Work it out again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A stretch of time in one state; `until` is None while it lasts."""

    state: str
    since: datetime
    until: datetime | None = None

    @property
    def seconds(self) -> int | None:
        """How long it lasted in whole seconds; None while it lasts."""
        return None if self.until is None else max(0, int((self.until - self.since).total_seconds()))


def etag_of(record_id: str, version: int) -> str:
    """Return an opaque token of one version of one record."""
    return hashlib.sha256(f"{record_id}/{version}".encode()).hexdigest()[:20]


def check_etag(given: str, current: str) -> None:
    """Raise ABORTED when the caller read another version. Asked only about records that the caller may see."""
    if given != current:
        raise stale()


def stale() -> LeadError:
    """Return the refusal of a change to what others have changed meanwhile."""
    return aborted("The record has changed since it was read. Read it again.")


def after(moves: Moves, state: str, move: str, what: str) -> str:
    """Return the state after a move. Raises FAILED_PRECONDITION `ILLEGAL_MOVE` naming the legal ones."""
    legal = moves.get(move, {})
    if state not in legal:
        raise illegal(what, state, [name for name, states in moves.items() if state in states])
    return legal[state]


def illegal(what: str, state: str, legal: list[str]) -> LeadError:
    """Return the refusal of a move that a state does not allow."""
    told = ", ".join(legal) or "nothing"
    return failed_precondition("ILLEGAL_MOVE", f"The {what} is {state}; what may follow is: {told}.")


def entered(spells: tuple[Spell, ...], state: str, now: datetime) -> tuple[Spell, ...]:
    """Return the spells with the last one ended and a new one begun; the same ones when the state stays."""
    if spells and spells[-1].state == state:
        return spells
    ended = tuple(replace(each, until=now) if each.until is None else each for each in spells)
    return (*ended, Spell(state=state, since=now))
