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
from services.shared.events.sweep import Sweep
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
        self._sweep = Sweep()
        self._session = session
        with db.read() as connection:
            self._stored_epoch = max(0, offsets.position(connection, tables.offsets, offsets.EPOCH))
        session.on_change(self._note)
        self._add(session.changed_keys(self._stored_epoch))

    def round(self) -> bool:
        """Ask for the next keys, or for the next part of the sweep; returns whether there was anything to ask for.

        Raises what `is_away` knows; then the next round asks for the same. Call it inside a live session.
        """
        self._notice_restore()
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
        return self._go_on_sweeping()

    def _ask(self, found: Sequence[Shelved]) -> None:
        for start in range(0, len(found), _AT_ONCE):
            self._batches.late(found[start : start + _AT_ONCE])

    def _go_on_sweeping(self) -> bool:
        with self._lock:
            cursor = self._sweep.cursor()
        if cursor is None:
            self._store_epoch()
            return False
        with self._db.read() as connection:
            found = shelf.page(
                connection, self._tables.shelf, cursor.after, _AT_ONCE, unopened_only=cursor.unopened_only
            )
        self._batches.late(found)
        with self._lock:
            if len(found) == _AT_ONCE:
                self._sweep.came_to(found[-1].place)
            else:
                self._sweep.end()
        return bool(found)

    def _notice_restore(self) -> None:
        """Forget the epoch kept here when consent is behind it: it was restored, and its epochs come again."""
        epoch = self._session.epoch()
        if epoch < self._stored_epoch:
            with self._lock:
                self._sweep.wish(opened_too=True)
            self._put_epoch(epoch)

    def _note(self, change: Change) -> None:
        with self._lock:
            if change.everything:
                # Either it is one change, next in line, or it stands for more than could be told one by one.
                is_told_in_full = change.epoch in {self._stored_epoch, self._newest_epoch, self._newest_epoch + 1}
                self._sweep.wish(opened_too=not is_told_in_full)
                self._newest_epoch = change.epoch
                # Older than what is kept here: consent was restored, and what it tells from now on is new.
                self._stored_epoch = min(self._stored_epoch, change.epoch)
            if change.epoch > self._stored_epoch:
                self._keys.update(dict.fromkeys(change.key_ids))
            self._newest_epoch = max(self._newest_epoch, change.epoch)

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
        """When nothing is left to ask for, remember that every change so far was applied."""
        with self._lock:
            epoch = 0 if self._keys or self._sweep.is_on() else self._newest_epoch
        if epoch > self._stored_epoch:
            self._put_epoch(epoch)

    def _put_epoch(self, epoch: int) -> None:
        with self._db.write() as connection:
            offsets.move(connection, self._tables.offsets, offsets.EPOCH, epoch)
        with self._lock:
            self._stored_epoch = epoch
