"""Sessions of enforcement points: how a revocation gets an end (architecture section 5).

An enforcement point may use decisions and keys only while its session lives: five seconds from the sending of its last
answered renewal. A revocation commits, bumps the epoch, and waits here until every session has applied that epoch or
has died. A session's death is judged later here than there, since its renewal arrives after it was sent.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from services.consent import epochs
from services.consent.models import SESSIONS
from services.shared.clock import Clock
from services.shared.db import Database

LIFE_SECONDS = 5.0
_STORE_EVERY_SECONDS = 1.0


@dataclass
class _Session:
    service: str
    applied: int
    renewed: float
    sequence: int = 0


class Sessions:
    """Every live session of this exchange. Thread-safe."""

    def __init__(self, db: Database, clock: Clock) -> None:
        """Take over the sessions of a process before this one: they live until they are shown dead."""
        self._db = db
        self._clock = clock
        self._changed = threading.Condition()
        # One writer at a time: an older list of sessions must not replace a newer one.
        self._storing = threading.Lock()
        self._stored = clock.monotonic()
        with db.read() as connection:
            rows = connection.execute(select(SESSIONS)).all()
            self._epoch = epochs.current(connection)
        self._sessions = {row.session_id: _Session(row.service, row.applied_epoch, clock.monotonic()) for row in rows}

    def renew(self, session_id: str, service: str, applied_epoch: int, sequence: int) -> None:
        """Note a renewal that has just arrived; what it has applied is an acknowledgement."""
        with self._changed:
            is_new = session_id not in self._sessions
            session = self._sessions.setdefault(session_id, _Session(service, applied_epoch, 0.0))
            session.renewed = self._clock.monotonic()
            session.applied, session.sequence = applied_epoch, sequence
            self._changed.notify_all()
        if is_new or self._clock.monotonic() - self._stored >= _STORE_EVERY_SECONDS:
            self._store()

    def end(self, session_id: str) -> None:
        """Forget a session whose enforcement point said that it uses nothing any more."""
        with self._changed:
            self._sessions.pop(session_id, None)
            self._changed.notify_all()

    def announce(self, epoch: int) -> None:
        """Tell all sessions that there is a new epoch; after its transaction has committed."""
        with self._changed:
            self._epoch = max(self._epoch, epoch)
            self._changed.notify_all()

    def epoch(self) -> int:
        """The newest announced epoch."""
        with self._changed:
            return self._epoch

    def wait_applied(self, epoch: int, longest: float) -> bool:
        """Wait until no live session is behind an announced epoch, at most `longest` seconds; tells whether that is so.

        With `longest` over the life of a session it always comes true. Who doesn't acknowledge is dead by then even if
        his renewals keep coming: the last answer that renewed him was sent before the epoch was announced.
        """
        start = self._clock.monotonic()
        with self._changed:
            while any(True for _ in self._behind(epoch)):
                waited = self._clock.monotonic() - start
                if waited > LIFE_SECONDS:
                    return True
                if waited >= longest:
                    return False
                self._changed.wait(min(longest - waited, 0.1))
        return True

    def is_held(self, session_id: str) -> bool:
        """Tell whether the session has neither ended nor died."""
        with self._changed:
            return session_id in self._sessions

    def wait_news(self, session_id: str, sent_epoch: int, sent_sequence: int, longest: float) -> tuple[int, int]:
        """Wait until there is something to tell a session; returns the newest epoch and its newest renewal."""

        def news() -> bool:
            is_gone = session_id not in self._sessions
            return is_gone or self._epoch > sent_epoch or self._sequence(session_id) > sent_sequence

        with self._changed:
            self._changed.wait_for(news, longest)
            return self._epoch, self._sequence(session_id)

    def _sequence(self, session_id: str) -> int:
        session = self._sessions.get(session_id)
        return 0 if session is None else session.sequence

    def _behind(self, epoch: int) -> Iterator[_Session]:
        now = self._clock.monotonic()
        dead = [key for key, one in self._sessions.items() if now - one.renewed > LIFE_SECONDS]
        for key in dead:
            del self._sessions[key]
        return (one for one in self._sessions.values() if one.applied < epoch)

    def _store(self) -> None:
        with self._storing:
            rows = self._rows()
            with self._db.write() as connection:
                connection.execute(delete(SESSIONS))
                if rows:
                    connection.execute(insert(SESSIONS), rows)

    def _rows(self) -> list[dict[str, Any]]:
        with self._changed:
            self._stored = self._clock.monotonic()
            now = self._clock.now()
            return [
                {"session_id": key, "service": one.service, "applied_epoch": one.applied, "renewed_at": now}
                for key, one in self._sessions.items()
            ]
