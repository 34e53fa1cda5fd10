"""Keeps entries that are on their way to the ledger apart: appended twice at once, they are still one entry."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from services.audit.merkle import LedgerError


# Compared by identity: a claim without a mark is like no other.
@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One entry on its way; its place comes once it is durable. `mark` is None for one that can't be known again."""

    mark: bytes | None
    place: Future[int] = field(default_factory=Future)


class Claims:
    """All that is on its way in this process. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[bytes, Claim] = {}

    def take(self, marks: Sequence[bytes | None]) -> tuple[list[Claim], list[bool]]:
        """Return the claim of each mark, and for each whether it is new: those the caller must settle or fail."""
        with self._lock:
            taken = [self._one(mark) for mark in marks]
        return [claim for claim, _ in taken], [fresh for _, fresh in taken]

    def settle(self, claims: Sequence[Claim], places: Sequence[int]) -> None:
        """Tell all who wait for these claims where their entries are. They must be durable and found by their marks."""
        self._forget(claims)
        for claim, place in zip(claims, places, strict=True):
            claim.place.set_result(place)

    def fail(self, claims: Sequence[Claim], error: BaseException) -> None:
        """Tell all who wait for these claims that they wait in vain; claims that are settled stay so."""
        # Of a foreign error only its kind: a driver's text may quote what it was given.
        reason, text = "NOT_DURABLE", f"the entry was not taken ({type(error).__name__})"
        if isinstance(error, LedgerError):
            reason, text = error.reason, error.text
        self._forget(claims)
        for claim in claims:
            if not claim.place.done():
                # One each, since every waiter's thread adds its own traceback.
                claim.place.set_exception(LedgerError(reason, text))

    def _one(self, mark: bytes | None) -> tuple[Claim, bool]:
        if mark is None:
            return Claim(None), True
        known = self._running.get(mark)
        if known is not None:
            return known, False
        self._running[mark] = made = Claim(mark)
        return made, True

    def _forget(self, claims: Sequence[Claim]) -> None:
        with self._lock:
            for claim in claims:
                if claim.mark is not None and self._running.get(claim.mark) is claim:
                    del self._running[claim.mark]
