"""What single fields may hold: ids, times, days, counts, words and texts. Yields violations by path, never a value.

An id that no record could have is answered like one that no record has: the wish is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from google.protobuf.message import Message

from services.shared.errors import Violation
from services.shared.never_carried import WISHES, by_shape
from services.shared.wire import Words

MISSING = "must be given"
OWN_SERVICE = "a service of the own agency"
OWN_REFERRAL = "a service referral that was addressed to the own agency"
OWN_PARTICIPANT = "a participant that was referred to the own agency"
FORMULA = "text that no spreadsheet takes for a formula: it may not begin with = + - @ or a tab"

# How far a clock of the sender may go before ours (contract, Rules).
_AHEAD = timedelta(minutes=5)
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_SECONDS = (-62_135_596_800, 253_402_300_799)
# Everything but tab and line ends: these are nobody's words, and PostgreSQL takes no NUL.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SYSTEM = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*", re.ASCII)
_RECORD_ID = re.compile(r"[!-~]([ -~]*[!-~])?", re.ASCII)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def given(path: str, value: object) -> Iterator[Violation]:
    """Yield a violation when nothing is said."""
    if not value:
        yield Violation(path, MISSING)


def text(path: str, said: str, most: int) -> Iterator[Violation]:
    """Yield what is wrong with free text."""
    if len(said) > most:
        yield Violation(path, f"at most {most} characters")
    elif has_control(said):
        yield Violation(path, "text without control characters")
    elif reason := by_shape(said):
        yield Violation(path, WISHES[reason])


def system(path: str, said: str) -> Iterator[Violation]:
    """Yield what is wrong with the name of a source system."""
    if is_formula(said):
        yield Violation(path, FORMULA)
    elif said and (len(said) > 64 or not _SYSTEM.fullmatch(said)):
        yield Violation(path, "lower-case letters, digits, and . _ - between them, at most 64")


def record_id(path: str, said: str) -> Iterator[Violation]:
    """Yield what is wrong with the id of a record in its source system."""
    if is_formula(said):
        yield Violation(path, FORMULA)
    elif said and (len(said) > 128 or not _RECORD_ID.fullmatch(said)):
        yield Violation(path, "at most 128 visible ASCII characters")


def time(message: Message, field: str, path: str, now: datetime) -> Iterator[Violation]:
    """Yield what is wrong with a time that lies behind us: at most five minutes ahead."""
    if not message.HasField(field):
        return
    if not is_time(message, field):
        yield Violation(path, "an RFC 3339 time")
        return
    at = getattr(message, field).ToDatetime(tzinfo=UTC)
    if at > now + _AHEAD:
        yield Violation(path, "a time that is not in the future")
    elif at < _EARLIEST:
        yield Violation(path, "a time from 1900 on")


def is_time(message: Message, field: str) -> bool:
    """Tell whether a timestamp field holds a time that a calendar has."""
    value = getattr(message, field)
    return bool(_SECONDS[0] <= value.seconds <= _SECONDS[1] and 0 <= value.nanos < 1_000_000_000)


def day(path: str, said: str, now: datetime) -> Iterator[Violation]:
    """Yield what is wrong with a day, `YYYY-MM-DD`, that lies behind us."""
    found = day_of(said)
    if found is None:
        yield Violation(path, "a day, YYYY-MM-DD")
    elif found.year < _EARLIEST.year:
        yield Violation(path, "a day from 1900 on")
    elif found > now.date() + timedelta(days=1):
        # A day's grace: it may be tomorrow already where it was written.
        yield Violation(path, "a day that is not in the future")


def day_of(said: str) -> date | None:
    """Return the day of a text, None for a text that is none."""
    if not _DAY.fullmatch(said):
        return None
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def count(message: Message, field: str, path: str, most: int) -> Iterator[Violation]:
    """Yield what is wrong with a whole number from 0 on."""
    if message.HasField(field) and not 0 <= getattr(message, field) <= most:
        yield Violation(path, f"a whole number from 0 to {most}")


def word(path: str, number: int, words: Words, names: Iterable[str]) -> Iterator[Violation]:
    """Yield a violation for a number that stands for no word; 0 says nothing."""
    if number and not words.word(number):
        yield Violation(path, one_of(names))


def chosen(path: str, number: int, words: Words, names: Iterable[str]) -> Iterator[Violation]:
    """Yield a violation unless a word is given."""
    if not words.word(number):
        yield Violation(path, one_of(names))


def one_of(names: Iterable[str]) -> str:
    """Return the wish for one of an enum's words."""
    return f"one of {', '.join(name for name in names if not name.endswith('_UNSPECIFIED'))}"


def has_control(said: str) -> bool:
    """Tell whether there are characters that are nobody's words."""
    return _CONTROL.search(said) is not None


def is_formula(said: str) -> bool:
    """Tell whether a spreadsheet that a row is exported to would run it."""
    return said.lstrip(" ").startswith(_FORMULA)


def beside(found: Iterable[Violation], more: Callable[[], Iterable[Violation]]) -> list[Violation]:
    """Return violations and, for paths that are not wrong yet, what else is wrong."""
    wrong = list(found)
    told = {each.path for each in wrong}
    return [*wrong, *(each for each in more() if each.path not in told)]
