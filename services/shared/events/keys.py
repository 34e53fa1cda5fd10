"""Where data keys come from, and how long a released one may be used.

A released key is good only inside a live session with consent, while no change about its person has arrived since,
never past the decision's own end, and at most 60 s (architecture section 5). `Leases` holds that, so that no consumer
has to remember it; what was done with a key counts only when it was still good at the commit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from lead.consent.v1.consent_internal_service_pb2 import (
    ReleasedKey,
    ReleaseKeysRequest,
    ReleaseKeysResponse,
    SealingLease,
    SealingNeed,
)

from services.shared.clock import Clock

MOST_SECONDS = 60.0
# A wall clock that jumps back further makes every stored end uncertain.
_JUMP = timedelta(seconds=5)
_MOST_REMEMBERED = 10_000

SealedKeys = ReleaseKeysRequest.SealedKeys
ReleasedKeys = ReleaseKeysResponse.ReleasedKeys


class LeaseLostError(Exception):
    """Released keys may no longer be used: ask for them again."""


class SealingKeys(Protocol):
    """Data keys to seal with."""

    def lease(self, needs: Sequence[SealingNeed]) -> Sequence[SealingLease]:
        """Return one lease per need, in order. Raises LeadError when consent does not answer."""
        ...


class ReleasingKeys(Protocol):
    """Data keys to open with, as far as the decision allows at this moment."""

    def release(self, events: Sequence[SealedKeys]) -> ReleaseKeysResponse:
        """Return what is released for each event, in order. Raises LeadError when consent does not answer."""
        ...


class Change(Protocol):
    """What one epoch changed. The message `HoldSessionResponse.Change` is one."""

    @property
    def epoch(self) -> int:
        """The epoch that the change made."""

    @property
    def subject_ids(self) -> Iterable[str]:
        """Whom it is about."""

    @property
    def key_ids(self) -> Iterable[bytes]:
        """Their keys: sections under these may now be openable."""

    @property
    def everything(self) -> bool:
        """Whether it may have changed any decision."""


class Session(Protocol):
    """The process's session with consent.

    It acknowledges an epoch only after every callback has returned for its changes: that is what lets a revocation end.
    """

    def alive(self) -> bool:
        """Tell whether the session was renewed within its life."""
        ...

    def epoch(self) -> int:
        """Return the newest epoch whose changes have been passed to the callbacks."""
        ...

    def changed_keys(self, since_epoch: int) -> Collection[bytes]:
        """Return the keys named by the changes after an epoch, as far as the session still knows them."""
        ...

    def on_change(self, callback: Callable[[Change], None]) -> None:
        """Call this for each change, in order, before acknowledging it."""
        ...


@dataclass(frozen=True)
class Lease:
    """What one request released, event by event, and when."""

    events: tuple[ReleasedKeys, ...]
    epoch: int
    # How often everything had changed when it was asked for.
    drops: int
    taken_at: datetime
    taken_monotonic: float

    def until(self) -> datetime | None:
        """Return the earliest end of what was released, None when nothing has one."""
        ends = [_end(key) for event in self.events for key in event.sections if key.HasField("until_time")]
        return min(ends, default=None)


class Leases:
    """Takes leases and says whether they are still good."""

    def __init__(self, keys: ReleasingKeys, session: Session, clock: Clock) -> None:
        """Listen to the session from now on."""
        self._keys, self._session, self._clock = keys, session, clock
        # Held over a commit, so that a change is acknowledged before it or noticed by it, never in between.
        self._lock = threading.Lock()
        self._changed: dict[str, int] = {}
        self._drops = 0
        session.on_change(self._note)

    def take(self, events: Sequence[SealedKeys]) -> Lease:
        """Ask for the keys of these events. Raises LeaseLostError without a live session or for a stale answer."""
        if not self._session.alive():
            raise LeaseLostError("no session with consent")
        known, drops, now, monotonic = self._session.epoch(), self._drops, self._clock.now(), self._clock.monotonic()
        answer = self._keys.release(events)
        if answer.epoch < known or len(answer.events) != len(events):
            raise LeaseLostError("the answer is older than what this process was told already")
        return Lease(tuple(answer.events), answer.epoch, drops, now, monotonic)

    @contextmanager
    def committing(self, lease: Lease, subject_ids: Collection[str]) -> Iterator[None]:
        """Hold changes back while what was read about these subjects is committed.

        Enter it last inside the transaction and leave it after the commit. Raises LeaseLostError when the lease is no
        longer good for one of them.
        """
        with self._lock:
            self._check(lease, subject_ids)
            yield

    def _check(self, lease: Lease, subject_ids: Collection[str]) -> None:
        now, age = self._clock.now(), self._clock.monotonic() - lease.taken_monotonic
        until = lease.until()
        if not self._session.alive() or age > MOST_SECONDS or (until is not None and now >= until):
            raise LeaseLostError("the lease has ended")
        if now < lease.taken_at + timedelta(seconds=age) - _JUMP:
            raise LeaseLostError("the wall clock went back")
        newest = max((self._changed.get(subject, 0) for subject in subject_ids), default=0)
        if self._drops > lease.drops or newest > lease.epoch:
            raise LeaseLostError("something changed since the keys were released")

    def _note(self, change: Change) -> None:
        with self._lock:
            if change.everything or len(self._changed) >= _MOST_REMEMBERED:
                # Whatever its epoch: after a restore consent counts from an older one again.
                self._drops += 1
                self._changed.clear()
            self._changed.update(dict.fromkeys(change.subject_ids, change.epoch))


def _end(key: ReleasedKey) -> datetime:
    return key.until_time.ToDatetime(tzinfo=UTC)
