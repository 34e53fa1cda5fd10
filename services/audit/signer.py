"""Signs what the ledger has grown to, and sees to it that the witnesses have it (AU-02)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.exc import SQLAlchemyError

from services.audit import store
from services.audit.checkpoint import Checkpoint, sign
from services.audit.ledger import Ledger
from services.audit.merkle import LedgerError
from services.audit.store import Signed
from services.audit.witness import Witness
from services.shared.clock import Clock
from services.shared.db import Database

_log = logging.getLogger(__name__)


class Signer:
    """Safe to call from any thread."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        key: Ed25519PrivateKey,
        origin: str,
        witnesses: Sequence[Witness],
        clock: Clock,
    ) -> None:
        """Sign the tree in this database under the name `origin`; a ledger that doesn't open is never signed."""
        self._db, self._ledger, self._clock = db, ledger, clock
        self._key, self._origin, self._witnesses = key, origin, witnesses
        self._signing = threading.Lock()
        # What each witness was given by this process; what one was given before, it is given again.
        self._given: dict[Witness, int] = {}
        self._refused = ""

    def newest(self) -> Signed:
        """Return the checkpoint over all durable entries, signed now if there is none. Raises LedgerError."""
        self._ledger.open()
        try:
            with self._signing:
                return self._newest()
        except SQLAlchemyError as error:
            raise LedgerError("UNREADABLE", f"the ledger can't be read ({type(error).__name__})") from None

    def tick(self) -> None:
        """Sign if the ledger has grown, give each witness what it doesn't have, tell the log what is in the way."""
        try:
            signed = self.newest()
        except LedgerError as error:
            if error.reason != self._refused:
                _log.error("ledger.refused", extra={"reason": error.reason})
            self._refused = error.reason
            return
        self._refused = ""
        for witness in self._witnesses:
            if self._given.get(witness) != signed.size:
                self._give(witness, signed)

    def _give(self, witness: Witness, signed: Signed) -> None:
        try:
            witness.give(signed.size, signed.note)
            self._given[witness] = signed.size
        except OSError as error:
            # The other witnesses still get theirs, and this one the next time.
            _log.warning("witness.unreached", extra={"reason": type(error).__name__})

    def _newest(self) -> Signed:
        with self._db.read() as connection:
            head, last = store.head(connection), store.last_signed(connection)
        if last is not None and last.size == head.size:
            return last
        now = self._clock.now()
        checkpoint = Checkpoint(self._origin, head.size, head.root(), now)
        made = Signed(head.size, sign(checkpoint, self._key), now)
        with self._db.write() as connection:
            store.keep(connection, made)
        return made
