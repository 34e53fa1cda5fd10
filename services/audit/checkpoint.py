"""Signed checkpoints: what the ledger says it was at one moment, for witnesses to keep (AU-02, architecture section 8).

The text is a signed note: origin, size, root, time, each on a line of its own; a blank line; the signature line
`— <origin> <base64(key id | signature)>`. The key id is the first four bytes of SHA-256(name | 0x0A | 0x01 | key),
the signature is Ed25519 over everything before the blank line. There is exactly one text for a checkpoint.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.audit.merkle import HASH_BYTES, LedgerError

_ORIGIN = re.compile(r"[!-*,-~]{1,200}")  # visible ASCII; no blank and no plus sign, which signed notes forbid in names
# Each value in the one spelling that `sign` writes; base64 sees to its own.
_BODY = re.compile(
    r"(?P<origin>[^\n]+)\n"
    r"(?P<size>0|[1-9][0-9]{0,18})\n"
    r"(?P<root>[^\n]+)\n"
    r"(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)\n"
)
_SIGNATURE_LINE = re.compile(r"\u2014 (?P<name>[^ \n]+) (?P<value>[^ \n]+)\n")
_ED25519 = b"\x01"  # the algorithm byte inside a key id
_KEY_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of the ledger `origin` had `size` leaves and this root at `time` (aware UTC).

    Raises LedgerError `MALFORMED` for a value that has no text form.
    """

    origin: str
    size: int
    root: bytes
    time: datetime

    def __post_init__(self) -> None:
        if not _ORIGIN.fullmatch(self.origin):
            raise _malformed("the origin must be visible ASCII without blanks or plus signs")
        if not 0 <= self.size < 1 << 63 or len(self.root) != HASH_BYTES:
            raise _malformed("size or root out of range")
        if self.time.utcoffset() != timedelta(0):
            raise _malformed("the time must be aware UTC")


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The signed text of a checkpoint."""
    body = _body(checkpoint)
    signature = key.sign(body.encode("ascii"))
    value = to_base64(_key_id(checkpoint.origin, key.public_key()) + signature)
    return f"{body}\n\u2014 {checkpoint.origin} {value}\n"


def parse_and_verify(text: str, public_key: Ed25519PublicKey) -> Checkpoint:
    """The checkpoint in `text`, signed with `public_key`'s private half.

    Raises LedgerError: `MALFORMED`, `KEY` (signed with another key) or `SIGNATURE`.
    """
    head, blank, signature_line = text.partition("\n\n")
    match = _SIGNATURE_LINE.fullmatch(signature_line)
    if not blank or match is None:
        raise _malformed("a body, a blank line and one signature line are wanted")
    body = f"{head}\n"
    checkpoint = _parse_body(body)
    if match["name"] != checkpoint.origin:
        raise _malformed("the signature must name the origin")
    _check_signature(body, checkpoint.origin, from_base64(match["value"]), public_key)
    return checkpoint


def to_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """The inverse of `to_base64`; raises LedgerError `MALFORMED` for any spelling `to_base64` doesn't produce."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise LedgerError("MALFORMED", "not base64") from error
    if to_base64(data) != text:
        raise LedgerError("MALFORMED", "not the one base64 spelling")
    return data


def _check_signature(body: str, name: str, value: bytes, public_key: Ed25519PublicKey) -> None:
    if value[:_KEY_ID_BYTES] != _key_id(name, public_key):
        raise LedgerError("KEY", "the checkpoint is signed with another key")
    try:
        public_key.verify(value[_KEY_ID_BYTES:], body.encode("ascii"))
    except InvalidSignature as error:
        raise LedgerError("SIGNATURE", "the signature doesn't hold") from error


def _body(checkpoint: Checkpoint) -> str:
    # Always with microseconds: one text per checkpoint.
    time = checkpoint.time.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return f"{checkpoint.origin}\n{checkpoint.size}\n{to_base64(checkpoint.root)}\n{time}\n"


def _parse_body(body: str) -> Checkpoint:
    match = _BODY.fullmatch(body)
    if match is None:
        raise _malformed("origin, size, root and time are wanted, a line each")
    try:
        time = datetime.fromisoformat(match["time"])
    except ValueError as error:
        raise _malformed("no such time") from error
    return Checkpoint(match["origin"], int(match["size"]), from_base64(match["root"]), time)


def _key_id(name: str, public_key: Ed25519PublicKey) -> bytes:
    material = name.encode("ascii") + b"\n" + _ED25519 + public_key.public_bytes_raw()
    return hashlib.sha256(material).digest()[:_KEY_ID_BYTES]


def _malformed(text: str) -> LedgerError:
    return LedgerError("MALFORMED", text)
