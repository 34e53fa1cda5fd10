"""The feed's tables as streams see them: asked in threads of its own, so that no other call waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from gateway.feed import store
from gateway.feed.cursor import Lane
from gateway.feed.store import Pointer
from services.shared.db import Database
from services.shared.errors import unavailable

T = TypeVar("T")
_THREADS = 4
_ATTEMPTS = 3


class FeedDesk:
    """Every method raises UNAVAILABLE when the database does not answer: then nothing was read or noted."""

    def __init__(self, db: Database) -> None:
        """Ask this database."""
        self._db = db
        self._threads = ThreadPoolExecutor(_THREADS, "feed-desk")

    async def page(self, lane: Lane, after: int, limit: int) -> list[Pointer]:
        """Return the next pointers of a lane."""
        return await self._in_thread(self._read, lambda it: store.page(it, lane.agency_id, lane.word, after, limit))

    async def newest_place(self) -> int:
        """Return the last place of any feed."""
        return await self._in_thread(self._read, store.newest_place)

    async def withhold(self, lane: Lane, places: Mapping[int, int], waiting: Collection[str]) -> set[str]:
        """Note what a lane passes over, events by their places; durable on return.

        Returns those of the `waiting` subjects whose referral is known by now.
        """

        def work(connection: Connection) -> set[str]:
            store.withhold(connection, lane.agency_id, lane.word, places)
            return store.with_referral(connection, waiting) if waiting else set()

        return await self._in_thread(self._write, work)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True)

    async def _in_thread(self, run: Callable[[Callable[[Connection], T]], T], work: Callable[[Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, run, work)
        except SQLAlchemyError:
            raise unavailable("The feed cannot be read for now; try again.") from None

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._db.read() as connection:
            return work(connection)

    def _write(self, work: Callable[[Connection], T]) -> T:
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._db.in_transaction(work)
            except IntegrityError:
                # Another stream of the lane noted the same just now: looked at again, it is there.
                continue
        return self._db.in_transaction(work)
