"""Hands signed checkpoints to those who keep them: a folder for each agency, which it takes away from there (AU-02)."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.audit.checkpoint import Checkpoint, parse_and_verify
from services.audit.merkle import LedgerError

_LATEST = "latest.note"


class Witness:
    """One agency's folder: `checkpoint-<size>.note` for each checkpoint, `latest.note` for the newest."""

    def __init__(self, folder: Path) -> None:
        """Use this folder; it is made when the first checkpoint is given."""
        self._folder = folder

    def give(self, size: int, note: str) -> None:
        """Leave a checkpoint over `size` entries. Whole or not at all, even if the machine stops. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in (f"checkpoint-{size}.note", _LATEST):
            _write(self._folder / name, note.encode("utf-8"))
        _sync(self._folder)

    def latest(self, public_key: Ed25519PublicKey) -> Checkpoint | None:
        """Return the newest checkpoint that lies here; None where none does, or none that this key signed."""
        try:
            text = (self._folder / _LATEST).read_text("utf-8")
            return parse_and_verify(text, public_key)
        # A folder out of reach, or whatever others left in it, must not keep the ledger from its work.
        except (OSError, UnicodeDecodeError, LedgerError):
            return None


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
