"""What lies on the shelf and may be openable now: keys that a change names, and after a start everything unopened.

A change that comes while the process is down is caught twice over: the session tells the keys named since the epoch
that was last applied here, and the sweep after a start asks again for whatever nobody has.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import islice

from services.shared.db import Database
from services.shared.events import offsets, shelf
from services.shared.events.batch import Batches
from services.shared.events.keys import Change, Session
from services.shared.events.shelf import Shelved
from services.shared.events.tables import ConsumerTables

_AT_ONCE = 200


class Late:
    """Keeps the list of keys to ask for again. `_note` runs in the session's thread, all else in the loop's."""

    def __init__(self, db: Database, tables: ConsumerTables, session: Session, batches: Batches) -> None:
        """Listen to the session from now on, and recall what changed since this consumer last kept up."""
        self._db, self._tables, self._batches = db, tables, batches
        self._lock = threading.Lock()
        # A dict for its order: first named, first asked.
        self._keys: dict[bytes, None] = {}
        self._newest_epoch = 0
        self._wants_sweep = True
        self._sweep_after: int | None = None
        with db.read() as connection:
            self._stored_epoch = max(0, offsets.position(connection, tables.offsets, offsets.EPOCH))
        session.on_change(self._note)
        self._add(session.changed_keys(self._stored_epoch))

    def round(self) -> bool:
        """Ask for the next keys, or for the next part of the sweep; returns whether there was anything to ask for.

        Raises what `is_away` knows; then the next round asks for the same.
        """
        if keys := self._take_keys():
            try:
                with self._db.read() as connection:
                    found = shelf.under_keys(connection, self._tables.shelf, keys)
                self._ask(found)
            except BaseException:
                self._add(keys)
                raise
            self._store_epoch()
            return True
        return self._sweep()

    def _ask(self, found: Sequence[Shelved]) -> None:
        for start in range(0, len(found), _AT_ONCE):
            self._batches.late(found[start : start + _AT_ONCE])

    def _sweep(self) -> bool:
        with self._lock:
            if self._sweep_after is None and self._wants_sweep:
                self._sweep_after, self._wants_sweep = 0, False
            after = self._sweep_after
        if after is None:
            return False
        with self._db.read() as connection:
            found = shelf.never_opened(connection, self._tables.shelf, after, _AT_ONCE)
        self._batches.late(found)
        self._sweep_after = found[-1].place if len(found) == _AT_ONCE else None
        return bool(found)

    def _note(self, change: Change) -> None:
        with self._lock:
            self._keys.update(dict.fromkeys(change.key_ids))
            self._newest_epoch = max(self._newest_epoch, change.epoch)
            self._wants_sweep = self._wants_sweep or change.everything

    def _add(self, keys: Iterable[bytes]) -> None:
        with self._lock:
            self._keys.update(dict.fromkeys(keys))

    def _take_keys(self) -> list[bytes]:
        """Take the next keys off the list before asking, so that a change about one meanwhile puts it back."""
        with self._lock:
            keys = list(islice(self._keys, _AT_ONCE))
            for key in keys:
                del self._keys[key]
            return keys

    def _store_epoch(self) -> None:
        """When no key is left, remember that every change so far was applied."""
        with self._lock:
            epoch = 0 if self._keys else self._newest_epoch
        if epoch > self._stored_epoch:
            with self._db.write() as connection:
                offsets.move(connection, self._tables.offsets, offsets.EPOCH, epoch)
            self._stored_epoch = epoch
