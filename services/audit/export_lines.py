"""The lines of an exported ledger, each in one spelling only, so that no byte of the file may change unnoticed (AU-04).

    {"format": "lead-ledger-export/1", "origin": ..., "public_key": base64}
    {"index": 0, "entry": base64, "root": base64}     root of the tree up to this entry, from the *stored* leaf hashes
    {"checkpoint": signed text}                       right after the last entry it covers; also the last line

The `root` of a line is unsigned. It pins down the line that was damaged; what convicts a forger who computes it anew
are the checkpoints, and what convicts the holder of the ledger's key are checkpoints that a witness kept.
"""

from __future__ import annotations

import json

from services.audit.checkpoint import from_base64, to_base64
from services.audit.entry import MAX_ENTRY_BYTES
from services.audit.merkle import LedgerError
from services.audit.verdict import malformed

FORMAT = "lead-ledger-export/1"
# An entry in base64 and what stands around it.
MAX_LINE_BYTES = 2 * MAX_ENTRY_BYTES


def header_line(origin: str, public_key: bytes) -> bytes:
    """The first line of a file; `public_key` is 32 raw bytes."""
    return _render({"format": FORMAT, "origin": origin, "public_key": to_base64(public_key)})


def entry_line(index: int, entry: bytes, root: bytes) -> bytes:
    """The line of one entry; `root` is that of the tree up to it."""
    return _render({"index": index, "entry": to_base64(entry), "root": to_base64(root)})


def checkpoint_line(text: str) -> bytes:
    """The line of one signed checkpoint."""
    return _render({"checkpoint": text})


def parse(line: bytes, index: int) -> dict[str, object]:
    """The object on a line that stands after `index` entries; raises Found `MALFORMED`."""
    try:
        record = json.loads(line)
    # Deep nesting ends in RecursionError, bad UTF-8 and bad JSON in ValueError.
    except (ValueError, RecursionError) as error:
        raise malformed(index, "is not JSON") from error
    if not isinstance(record, dict):
        raise malformed(index, "is not an object")
    return record


def text_of(record: dict[str, object], name: str, index: int) -> str:
    """The text under a name; raises Found `MALFORMED`."""
    value = record.get(name)
    if not isinstance(value, str):
        raise malformed(index, f"has no {name}")
    return value


def bytes_of(record: dict[str, object], name: str, index: int) -> bytes:
    """The bytes that stand in base64 under a name; raises Found `MALFORMED`."""
    try:
        return from_base64(text_of(record, name, index))
    except LedgerError as error:
        raise malformed(index, f"has a {name} that is not base64") from error


def _render(record: dict[str, object]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"
