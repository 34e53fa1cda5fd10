"""What of a ledger entry needs a secret: the sealed identifying part and the pseudonym it is found by (AU-05).

An entry is bytes, hashed and kept as they came and never serialised again. Whoever destroys the key of the sealed part
leaves the hashes true and the persons gone.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.audit.merkle import LedgerError

KEY_BYTES = 32
NONCE_BYTES = 12
SALT_BYTES = 16
# A bound, so that one line of an export has one too.
MAX_ENTRY_BYTES = 1 << 16


class SealedIdentity(NamedTuple):
    """The identifying part as it lies in an entry: nonce (12 bytes), ciphertext with tag."""

    nonce: bytes
    ciphertext: bytes


def seal_identity(
    plaintext: bytes, key: bytes, aad: bytes, random: Callable[[int], bytes] = os.urandom
) -> SealedIdentity:
    """Seal the identifying part of one entry with AES-256-GCM; `aad` binds it to its entry.

    A fresh salt of 16 bytes is sealed in front of it, so that no two entries about a person are alike and no hash of
    the clear text can be guessed from names and dates (AU-05). Nonces are random, so one key may seal 2**32 entries at
    most (NIST SP 800-38D, 8.3).
    Raises LedgerError `KEY` unless `key` is 32 bytes.
    """
    cipher = _cipher(key)
    nonce, salt = random(NONCE_BYTES), random(SALT_BYTES)
    return SealedIdentity(nonce, cipher.encrypt(nonce, salt + plaintext, aad))


def open_identity(sealed: SealedIdentity, key: bytes, aad: bytes) -> bytes:
    """The clear text of `seal_identity`; raises LedgerError `SEAL` if key, aad, nonce or a byte is another one."""
    cipher = _cipher(key)
    try:
        salted = cipher.decrypt(sealed.nonce, sealed.ciphertext, aad)
    except (InvalidTag, ValueError) as error:
        raise LedgerError("SEAL", "the identifying part doesn't open") from error
    return salted[SALT_BYTES:]


def pseudonym(secret: bytes, subject: str) -> bytes:
    """HMAC-SHA-256(secret, subject), 32 bytes: finds a subject's entries without naming the subject (AU-05).

    Raises LedgerError `KEY` for a secret under 32 bytes: a guessable one would undo the pseudonym.
    """
    if len(secret) < KEY_BYTES:
        raise LedgerError("KEY", "the secret must have at least 32 bytes")
    return hmac.new(secret, subject.encode("utf-8"), hashlib.sha256).digest()


def _cipher(key: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise LedgerError("KEY", "the key must have 32 bytes")
    return AESGCM(key)
