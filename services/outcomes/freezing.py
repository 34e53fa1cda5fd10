"""The chore that freezes a quarter when it is complete."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from typing_extensions import override

from services.outcomes import directory, snapshots, store_snapshots
from services.outcomes.domain import Figure, Quarter, frozen_next
from services.outcomes.handlers import Desk
from services.shared.chores import Chore

_log = logging.getLogger(__name__)

By = tuple[str, str]
"""An evaluator agency and its approval."""


class Freezer:
    """Looks from time to time; remembers what it saw last."""

    def __init__(self, desk: Desk, figures: Callable[[str], Iterable[Figure]] = snapshots.figures) -> None:
        """Freeze these figures of each site."""
        self._desk, self._figures = desk, figures
        self._seen: dict[str, Quarter] = {}
        self._stopping = threading.Event()

    def look(self) -> int:
        """Freeze what was complete at the last look already; returns how many snapshots were made.

        A declaration may be quicker than the last links: so they have until the next look to arrive.
        """
        try:
            return sum(self._site(site_id) for site_id in sorted(self._desk.sites))
        except _StoppedError:
            # Nothing is half frozen: the next process begins the quarter again.
            return 0

    def stop(self) -> None:
        """Give up after the report that is being counted."""
        self._stopping.set()

    def _site(self, site_id: str) -> int:
        count = 0
        while (due := self._due(site_id)) is not None:
            quarter, by = due
            if self._seen.get(site_id) != quarter:
                self._seen[site_id] = quarter
                break
            count += self._freeze(site_id, quarter, by)
            # Those that follow were complete as long, as far as anybody looked.
            self._seen[site_id] = quarter.following
        return count

    def _due(self, site_id: str) -> tuple[Quarter, By] | None:
        """Return the quarter to be frozen, with evaluator and approval; None while there is none.

        Whether there is an approval is asked last: each asking is a line on the ledger.
        """
        desk = self._desk
        with desk.db.read() as connection:
            evaluators = directory.evaluators(desk.registry(), site_id)
            due = {each: quarter for each in evaluators if (quarter := self._complete(connection, each, site_id))}
        approved = desk.approved(site_id) if due else {}
        return next(((quarter, (each, approved[each])) for each, quarter in due.items() if each in approved), None)

    def _complete(self, connection: Connection, agency_id: str, site_id: str) -> Quarter | None:
        """Return the quarter that can be frozen from what was opened for an evaluator, if it counts anybody."""
        through = snapshots.complete_through(store_snapshots.feed_ends(connection, agency_id, site_id))
        if through is None:
            return None
        # A feed may declare what is yet to come; nobody's future is counted.
        last = store_snapshots.last_quarter(connection, site_id)
        quarter = frozen_next(last, min(through, self._desk.clock.now()))
        if quarter is None or not store_snapshots.has_referrals(connection, agency_id, site_id, quarter.end):
            return None
        return quarter

    def _freeze(self, site_id: str, quarter: Quarter, by: By) -> bool:
        desk, making = self._desk, import_module("services.outcomes.making")
        wanted = self._figures(site_id)
        reports = making.all_of(desk.db, by[0], desk.sites[site_id], wanted, quarter.end, self._turn)
        snapshot = snapshots.frozen(reports, site_id, quarter, by, desk.clock.now())
        try:
            with desk.db.write() as connection:
                store_snapshots.add(connection, snapshot)
        except IntegrityError:
            # Another process of this area was quicker: what it froze stands.
            return False
        _log.info("snapshot frozen", extra={"area": "outcomes", "count": len(reports)})
        return True

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._stopping.is_set():
            raise _StoppedError
        with self._desk.reports.turn():
            yield


class FreezingChore(Chore):
    """The chore of it: a snapshot takes minutes, and nobody waits so long for a process to end."""

    def __init__(self, freezer: Freezer, seconds: float) -> None:
        """Look every so many seconds."""
        super().__init__("freeze", seconds, freezer.look)
        self._freezer = freezer

    @override
    def stop(self) -> None:
        """End after the report that is being counted."""
        self._freezer.stop()
        super().stop()


class _StoppedError(Exception):
    """The process ends."""
