"""Column types: times that are always aware UTC, and text that lies sealed on disk."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import DateTime, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime, in and out. SQLite stores no zone, so it is taken off and put on again here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the value in UTC, without its zone for SQLite. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return what was stored, aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class TextCipher(Protocol):
    """Seals text for one area; `AreaCipher` is the one in use."""

    def seal(self, text: str) -> bytes:
        """Return the text sealed."""
        ...

    def open(self, sealed: bytes) -> str:
        """Return the text that was sealed."""
        ...


class SealedText(TypeDecorator[str]):
    """Text that only its area can read: sealed on the way in, opened on the way out; None stays None.

    Meant for OFFICER_NARRATIVE, CASE_NOTES, SUD, MENTAL_HEALTH and PHYSICAL_HEALTH columns (architecture section 6).
    It cannot be searched or compared: each value is sealed with a nonce of its own.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, cipher: TextCipher) -> None:
        """Seal with `cipher`, whose key may be loaded later, before the first row."""
        super().__init__()
        self.cipher = cipher

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Seal the text."""
        return None if value is None else self.cipher.seal(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Open what is stored. Raises what the cipher raises when its key is another one."""
        return None if value is None else self.cipher.open(bytes(value))
