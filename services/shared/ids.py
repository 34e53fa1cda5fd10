"""Record ids: a prefix that says the kind, and a UUIDv7 that sorts by time of birth, `ref_0198c1e2-…`."""

from __future__ import annotations

import re
import secrets
import threading
import time
import uuid
from collections.abc import Callable

# RFC 9562 section 5.7: 48 bits of Unix milliseconds, version 7, 12 bits, variant 2, 62 bits.
_TAIL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_PREFIX = re.compile(r"[a-z]{2,8}", re.ASCII)
# After the milliseconds come 74 bits. Each id raises them by a random step of up to 32 bits when the millisecond has
# not moved (RFC 9562 section 6.2, method 2), so ids of one process rise strictly and still cannot be guessed.
_RANDOM_BITS = 74
_STEP_BITS = 32


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


class Ids:
    """Makes ids. One instance serves all threads of a process; its ids rise strictly, even if the clock goes back."""

    def __init__(
        self,
        milliseconds: Callable[[], int] = _milliseconds,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        """Take the Unix time in milliseconds and the randomness from these two functions."""
        self._milliseconds = milliseconds
        self._random_bits = random_bits
        self._lock = threading.Lock()
        # The last id without version and variant: milliseconds above, 74 bits below.
        self._last = -1

    def new(self, prefix: str) -> str:
        """Return a new id of that kind: `new("ref")` gives `ref_` and a UUIDv7 in lower-case hex with dashes.

        Raises ValueError when the prefix is not two to eight lower-case letters.
        """
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("an id prefix is two to eight lower-case letters")
        return f"{prefix}_{self.uuid()}"

    def uuid(self) -> uuid.UUID:
        """Return a new UUIDv7, for ids that carry no prefix (event ids on the log)."""
        with self._lock:
            fresh = (self._milliseconds() << _RANDOM_BITS) | self._random_bits(_RANDOM_BITS)
            if fresh >> _RANDOM_BITS <= self._last >> _RANDOM_BITS:
                # A step past the 74 bits carries into the milliseconds, which is what keeps the order.
                fresh = self._last + 1 + self._random_bits(_STEP_BITS)
            self._last = fresh
        return _uuid7(fresh >> _RANDOM_BITS, fresh & ((1 << _RANDOM_BITS) - 1))


def _uuid7(milliseconds: int, random: int) -> uuid.UUID:
    high = (milliseconds & ((1 << 48) - 1)) << 80 | 7 << 76 | (random >> 62) << 64
    return uuid.UUID(int=high | 2 << 62 | random & ((1 << 62) - 1))


_process_ids = Ids()


def new_id(prefix: str) -> str:
    """Return a new id from the process-wide maker. Code that is tested for its ids takes an `Ids` instead."""
    return _process_ids.new(prefix)


def is_id(text: str, prefix: str) -> bool:
    """Tell whether the text is an id of that kind, spelled exactly as `new_id` spells it."""
    return text.startswith(f"{prefix}_") and _TAIL.fullmatch(text, len(prefix) + 1) is not None
