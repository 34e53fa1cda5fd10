"""Key-encryption keys behind a small interface: a key file by default, a KMS of another legal entity in production."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

KEY_BYTES = 32


class KeyEncryption(Protocol):
    """Wraps and unwraps data keys of 32 bytes. `kek_id` says with which key, so that rotation can rewrap."""

    @property
    def kek_id(self) -> str:
        """The key that new wraps are made with."""

    def wrap(self, key: bytes) -> bytes:
        """Return the wrapped key."""

    def unwrap(self, kek_id: str, wrapped: bytes) -> bytes:
        """Return the key. Raises KeyError when that key-encryption key is gone."""


class KeyFile:
    """AES key wrap (RFC 3394) under 32 bytes in a file that only its owner reads."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises ValueError when it doesn't hold 32 bytes."""
        self._key = path.read_bytes()
        if len(self._key) != KEY_BYTES:
            raise ValueError("a key file holds exactly 32 bytes")

    @staticmethod
    def create(path: Path) -> None:
        """Write a new key, mode 0600. Raises FileExistsError rather than replace one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(KEY_BYTES))

    @property
    def kek_id(self) -> str:
        """One file, one key."""
        return "file-1"

    def wrap(self, key: bytes) -> bytes:
        """Return the wrapped key."""
        return aes_key_wrap(self._key, key)

    def unwrap(self, kek_id: str, wrapped: bytes) -> bytes:
        """Return the key. Raises KeyError when it was wrapped with another one."""
        if kek_id != self.kek_id:
            raise KeyError(kek_id)
        return aes_key_unwrap(self._key, wrapped)
