"""The ledger of this process: opens it when it is sound, appends each entry once, tells its place once durable."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from lead.audit.v1.audit_internal_service_pb2 import EntryDraft
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from services.audit import store
from services.audit.claims import Claim, Claims
from services.audit.merkle import Frontier, LedgerError
from services.audit.sealing import Sealing
from services.audit.sequencer import Row, Sequencer
from services.audit.writer import WriterLock
from services.shared.db import Database

# Longer than any batch takes; a caller's own deadline is usually shorter.
_PATIENCE_SECONDS = 10.0


class Ledger:
    """Safe to call from any thread. Opens itself at the first call that needs it, and anew after another writer."""

    def __init__(
        self,
        db: Database,
        sealing: Sealing,
        sound_head: Callable[[Connection], Frontier],
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        """Append to this database; `sound_head` tells the tree to go on from or raises LedgerError."""
        self._db, self._sealing, self._sound_head = db, sealing, sound_head
        self._patience = patience_seconds
        self._writer = WriterLock(db.engine)
        self._claims = Claims()
        self._opening = threading.Lock()
        self._sequencer: Sequencer | None = None
        self._ended = False

    def open(self) -> None:
        """Make ready to append, unless it is.

        Raises LedgerError `STANDBY` (another process appends), `UNREADABLE`, `CLOSED`, or as `sound_head` does.
        """
        self._opened()

    def is_open(self) -> bool:
        """Tell whether entries are taken now."""
        return self._sequencer is not None

    def append(self, service: str, drafts: Sequence[EntryDraft]) -> list[int]:
        """Return the places of these entries, in order, once all are durable.

        A draft whose `entry_key` this service used before is that entry. Raises LedgerError as `open` and the
        sequencer do, and `LATE` when it takes too long: the entries may still become durable, so trying again is right.
        """
        sequencer = self._opened()
        marks = [self._sealing.mark(service, one.entry_key) if one.entry_key else None for one in drafts]
        claims, fresh = self._claims.take(marks)
        mine = [number for number, is_new in enumerate(fresh) if is_new]
        try:
            self._send(sequencer, [claims[number] for number in mine], [drafts[number] for number in mine])
            return [claim.place.result(self._patience) for claim in claims]
        except TimeoutError:
            raise LedgerError("LATE", "the store takes too long") from None
        except LedgerError as error:
            if error.reason == "FOREIGN_WRITER":
                self._drop(sequencer)
            raise

    def close(self) -> None:
        """Commit what waits, refuse what comes, and let another process append. Safe to repeat."""
        self._ended = True
        if self._sequencer is not None:
            self._drop(self._sequencer)

    def _opened(self) -> Sequencer:
        with self._opening:
            if self._ended:
                raise LedgerError("CLOSED", "the ledger takes no more entries")
            if self._sequencer is None:
                self._sequencer = self._open()
            return self._sequencer

    def _open(self) -> Sequencer:
        try:
            if not self._writer.take():
                raise LedgerError("STANDBY", "another process appends to the ledger")
            with self._db.read() as connection:
                frontier = self._sound_head(connection)
        except (SQLAlchemyError, OSError) as error:
            raise LedgerError("UNREADABLE", f"the ledger can't be read ({type(error).__name__})") from None
        return Sequencer(self._write, frontier, reload=self._head)

    def _drop(self, sequencer: Sequencer) -> None:
        with self._opening:
            if self._sequencer is not sequencer:
                return
            self._sequencer = None
            sequencer.close()
            self._writer.release()

    def _send(self, sequencer: Sequencer, claims: Sequence[Claim], drafts: Sequence[EntryDraft]) -> None:
        """Settle or fail each claim, at once or when its batch is done."""
        try:
            left = self._unknown(claims)
            waiting = [claims[number] for number in left]
            entries = [self._sealing.entry(drafts[number]) for number in left]
            sent = sequencer.submit(entries, [claim.mark for claim in waiting])
        # Whatever it was: a claim that nobody ends would keep its entry off the ledger for ever.
        except BaseException as error:
            self._claims.fail(claims, error)
            raise
        sent.add_done_callback(lambda done: self._sent(waiting, done))

    def _unknown(self, claims: Sequence[Claim]) -> list[int]:
        """Settle the claims whose entries are on the ledger already; return which of the others are left."""
        known = self._known([claim.mark for claim in claims if claim.mark is not None])
        done = [claim for claim in claims if claim.mark in known]
        self._claims.settle(done, [known[claim.mark] for claim in done if claim.mark is not None])
        return [number for number, claim in enumerate(claims) if claim.mark not in known]

    def _known(self, marks: Sequence[bytes]) -> dict[bytes, int]:
        if not marks:
            return {}
        try:
            with self._db.read() as connection:
                return store.places(connection, marks)
        except SQLAlchemyError as error:
            raise LedgerError("UNREADABLE", f"the ledger can't be read ({type(error).__name__})") from None

    def _sent(self, claims: Sequence[Claim], done: Future[list[int]]) -> None:
        error = done.exception()
        if error is not None:
            self._claims.fail(claims, error)
        else:
            self._claims.settle(claims, done.result())

    def _write(self, rows: Sequence[Row]) -> None:
        with self._db.write() as connection:
            store.append(connection, rows)

    def _head(self) -> Frontier:
        with self._db.read() as connection:
            return store.head(connection)
