"""Small steps between the wire and the domain that every message needs: times, enum words, fields that are not set."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

M = TypeVar("M", bound=Message)


def stamp(moment: datetime) -> Timestamp:
    """Return a timestamp of an aware time."""
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def moment(message: Message, field: str) -> datetime | None:
    """Return the aware UTC time of a timestamp field, None when it is not set. Raises ValueError for no such time."""
    if not message.HasField(field):
        return None
    found: Timestamp = getattr(message, field)
    try:
        return found.ToDatetime(tzinfo=UTC)
    except OverflowError:
        raise ValueError("not a time") from None


class Words:
    """An enum's values as short words, both ways: `DOOR_COMMUNITY` is `COMMUNITY`; 0 and unknown numbers are ""."""

    def __init__(self, enum: Any, prefix: str) -> None:
        """Take the prefix off every value but the unspecified one."""
        self._by_number: dict[int, str] = {n: name.removeprefix(prefix) for name, n in enum.items() if n}
        self._by_word = {word: number for number, word in self._by_number.items()}

    def word(self, number: int) -> str:
        """Return the word."""
        return self._by_number.get(number, "")

    def number(self, word: str) -> Any:
        """Return the number, None for the empty word. Raises KeyError for one that the contract does not have."""
        return self._by_word[word] if word else None

    def has(self, word: str) -> bool:
        """Tell whether the contract has the word."""
        return word in self._by_word


def filled(message: M, **values: Any) -> M:
    """Set the fields that have something to say: None, empty text and empty lists are left out, False and 0 are not."""
    for name, value in values.items():
        if value is None or value in ("", (), []):
            continue
        if isinstance(value, datetime):
            getattr(message, name).FromDatetime(value)
        elif isinstance(value, Message):
            getattr(message, name).CopyFrom(value)
        elif isinstance(value, (str, int)):
            setattr(message, name, value)
        else:
            getattr(message, name).extend(value)
    return message


def said(message: M) -> M | None:
    """Return the message, or None when nothing in it is set, so that it isn't sent empty."""
    return message if message.ListFields() else None
