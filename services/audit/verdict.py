"""What a check of an exported ledger can come to (AU-04)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Finding(StrEnum):
    """What a check of an export came to."""

    HELD = "HELD"
    # Whole in itself, but nobody's checkpoint was at hand: a tail that was cut off would not be seen.
    HELD_UNWITNESSED = "HELD_UNWITNESSED"
    MALFORMED = "MALFORMED"
    # The file names another key than the one that was expected.
    WRONG_KEY = "WRONG_KEY"
    # A witnessed checkpoint isn't signed with the file's key, or is of another ledger.
    FOREIGN_WITNESS = "FOREIGN_WITNESS"
    BAD_CHECKPOINT = "BAD_CHECKPOINT"
    # A line is missing, doubled or in another place.
    OUT_OF_ORDER = "OUT_OF_ORDER"
    # An entry isn't the one that was appended there.
    ALTERED = "ALTERED"
    # The lines agree with each other and not with a signed root: all was computed anew from some entry on.
    REWRITTEN = "REWRITTEN"
    # The ledger's key signed two histories.
    FORKED = "FORKED"
    # A checkpoint in the file covers more entries than stand before it.
    MISSING = "MISSING"
    # A witness saw more entries than the file has.
    TRUNCATED = "TRUNCATED"
    # The last line isn't a checkpoint over all entries.
    UNCLOSED = "UNCLOSED"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    `size` is the number of entries read, `vouched` how many of them an agreeing signature vouches for.
    `first_bad_index` is the first entry that the lines themselves show as damaged or missing. Where only a signature
    disagrees it is `vouched`: the change lies there or later. None when the entries aren't to blame.
    """

    ok: bool
    size: int
    vouched: int
    first_bad_index: int | None
    reason: Finding
    text: str


class Found(Exception):  # noqa: N818 - carries a verdict, not an error
    """Ends a check: what was found, and the first bad entry where one is to blame."""

    def __init__(self, reason: Finding, index: int | None, text: str) -> None:
        super().__init__(text)
        self.reason, self.index, self.text = reason, index, text


def malformed(entries: int, what: str) -> Found:
    """A line isn't one that an export has; `entries` were read before it."""
    return Found(Finding.MALFORMED, entries, f"the line after {entries} entries {what}")
