"""The key that an area seals its most sensitive columns with."""

from __future__ import annotations

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 4


class CipherError(Exception):
    """Sealed text cannot be opened: no key of this area fits, or its bytes were changed. Carries no content."""


class AreaCipher:
    """AES-256-GCM for the columns of one area.

    Made empty where tables are declared, loaded with its key where the process is wired. A sealed value is a 4-byte tag
    of its key, a 12-byte nonce, then the ciphertext, bound to the area's word.
    """

    def __init__(self, area: str) -> None:
        """Bind everything sealed here to this area."""
        self._bound = f"lead.column.v1/{area}".encode()
        self._keys: dict[bytes, AESGCM] = {}
        self._current = b""

    def load(self, key: bytes, *older: bytes) -> None:
        """Seal with `key` (32 bytes) from now on, and still open what the older keys sealed.

        Raises ValueError when a key has another length.
        """
        if any(len(each) != _KEY_BYTES for each in (key, *older)):
            raise ValueError("an area key has 32 bytes")
        self._keys = {_tag(each): AESGCM(each) for each in (key, *older)}
        self._current = _tag(key)

    def seal(self, text: str) -> bytes:
        """Return the text sealed under the current key. Raises CipherError when none was loaded."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._key(self._current).encrypt(nonce, text.encode(), self._bound)
        return self._current + nonce + sealed

    def open(self, sealed: bytes) -> str:
        """Return the text. Raises CipherError when no loaded key fits or a byte was changed."""
        tag, nonce, ciphertext = _cut(sealed)
        try:
            return self._key(tag).decrypt(nonce, ciphertext, self._bound).decode()
        except InvalidTag:
            raise CipherError("sealed text was changed, or belongs to another area") from None

    def _key(self, tag: bytes) -> AESGCM:
        key = self._keys.get(tag)
        if key is None:
            raise CipherError("no key of this area fits")
        return key


def _tag(key: bytes) -> bytes:
    return hashlib.sha256(b"lead.column.v1/tag" + key).digest()[:_TAG_BYTES]


def _cut(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    head = _TAG_BYTES + _NONCE_BYTES
    return sealed[:_TAG_BYTES], sealed[_TAG_BYTES:head], sealed[head:]
