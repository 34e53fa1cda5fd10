"""Copies of an exported ledger that somebody has tampered with, and what an offline check finds in them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.audit.verdict import Verdict
from services.audit.verify import verify_export

_PLACES = 8


def check(copy: bytes, key: Ed25519PublicKey, witnessed: Sequence[str] = ()) -> Verdict:
    """Check a copy as `leadx audit verify` does: no server, only the file, the key, and what witnesses kept."""
    return verify_export(io.BytesIO(copy), witnessed, key)


def flipped(export: bytes) -> Iterator[bytes]:
    """Yield copies with one bit of one byte flipped, at places all over the file."""
    for part in range(_PLACES):
        place = len(export) * (2 * part + 1) // (2 * _PLACES)
        yield export[:place] + bytes([export[place] ^ 1]) + export[place + 1 :]


def dropped(export: bytes) -> bytes:
    """Return a copy without one entry from the middle."""
    lines = export.splitlines(keepends=True)
    entries = [number for number, line in enumerate(lines) if "entry" in json.loads(line)]
    del lines[entries[len(entries) // 2]]
    return b"".join(lines)


def cut(export: bytes, witnessed: str) -> bytes:
    """Return a copy that ends, signed and whole in itself, before what the witness has seen; empty if there is none."""
    lines = export.splitlines(keepends=True)
    ends = [
        number
        for number, line in enumerate(lines)
        if (note := json.loads(line).get("checkpoint")) and size_of(note) < size_of(witnessed)
    ]
    return b"".join(lines[: ends[-1] + 1]) if ends else b""


def size_of(note: str) -> int:
    """Return how many entries a checkpoint covers: the second line of its text."""
    return int(note.split("\n")[1])
