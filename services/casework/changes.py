"""When what a record says of each category changed last: so that a hidden change does not show in a visible time.

Times by category word, as casework keeps them; what differs between two states of a record says `shared.changes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from google.protobuf.message import Message
from lead.options.v1 import words_pb2
from lead.options.v1.options_pb2 import Reference

from services.shared.changes import differing
from services.shared.wire import Words, stamp

Times = Mapping[str, datetime]
"""Time of the last change by category word."""
CATEGORIES = Words(words_pb2.Category, "CATEGORY_")


def noted(before: Message | None, after: Message, times: Times, now: datetime) -> Times:
    """Return the times after a change, now for each category that says something else; before is None for a new one."""
    changed = differing(type(after)() if before is None else before, after)
    return {**times, **{CATEGORIES.word(number): now for number in changed}}


def listed(message: Message, times: Times, otherwise: datetime) -> Iterator[Reference.Change]:
    """Yield the time of each category that the record says or said anything of; `otherwise` where none was noted."""
    said = {CATEGORIES.word(number) for number in differing(type(message)(), message)}
    for word in sorted({*said, *times}, key=CATEGORIES.number):
        yield Reference.Change(category=CATEGORIES.number(word), time=stamp(times.get(word, otherwise)))
