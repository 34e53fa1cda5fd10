"""One state of the stored ledger as an export file, taken beside a running exchange or without one (AU-04)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.audit import store
from services.audit.checkpoint import parse_and_verify
from services.audit.export import StoredEntry, write_export
from services.audit.merkle import LedgerError
from services.shared.db import Database

# Passes entries on while it tells how far they are; takes how many there will be.
Shown = Callable[[Iterable[StoredEntry], int], Iterable[StoredEntry]]


class Exported(NamedTuple):
    """What went into a file, and how many entries were too new to be signed and stayed out."""

    origin: str
    entries: int
    unsigned: int


def export_to(
    output: Path, database: Database, public_key: Ed25519PublicKey, shown: Shown = lambda entries, _: entries
) -> Exported:
    """Write every entry up to the newest checkpoint to a file, which is replaced as a whole or not at all.

    Reads in one transaction and writes nothing to the database. Raises LedgerError `UNSIGNED` when there is no
    checkpoint, or what `checkpoint.parse_and_verify` raises for one of another key; OSError for the file.
    """
    with database.read() as connection:
        last = store.last_signed(connection)
        if last is None:
            raise LedgerError("UNSIGNED", "nothing is signed yet")
        origin = parse_and_verify(last.note, public_key).origin
        unsigned = store.head(connection).size - last.size
        entries = shown(store.whole(connection, last.size), last.size)
        with _whole_or_not(output) as stream:
            count = write_export(stream, origin, public_key, entries, store.notes(connection))
    return Exported(origin, count, unsigned)


@contextmanager
def _whole_or_not(output: Path) -> Iterator[BinaryIO]:
    partial = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with partial.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
