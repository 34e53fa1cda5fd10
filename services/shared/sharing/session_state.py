"""What a session with consent means, without any IO: whether it lives, and what has changed (architecture section 5).

A session lives five seconds from the *sending* of its last answered renewal. Counted from the answer's arrival, a
process that was stopped, or a network that was cut, would find an old answer waiting and believe itself alive while
consent has long given it up and let a revocation end.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.shared.clock import Clock

LIFE_SECONDS = 5.0
PARTING = -1
"""Number of the last renewal of all: the enforcement point uses nothing any more. Real ones count from 1."""

# A wall clock that goes back further makes every stored end uncertain.
_JUMP_SECONDS = 5.0
_K = TypeVar("_K", str, bytes)


@dataclass(frozen=True, slots=True)
class Change:
    """What one epoch changed: decisions about these subjects, keys that may now open something, or everything."""

    epoch: int
    subject_ids: tuple[str, ...] = ()
    key_ids: tuple[bytes, ...] = ()
    everything: bool = False


class ToldChange(Protocol):
    """A change as consent tells it; the message `HoldSessionResponse.Change` is one."""

    @property
    def epoch(self) -> int:
        """The epoch that the change made."""

    @property
    def subject_ids(self) -> Iterable[str]:
        """Whom it is about."""

    @property
    def key_ids(self) -> Iterable[bytes]:
        """Their keys."""

    @property
    def everything(self) -> bool:
        """Whether it may have changed any decision."""


class SessionState:
    """One enforcement point's side of a session. Asked from any thread; `received` belongs to one."""

    def __init__(self, clock: Clock, remembered: int = 50_000) -> None:
        """Remember changes of so many subjects and so many keys; about what is older, everything counts as changed."""
        self._clock = clock
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[Change], None]] = []
        self._applied = 0
        self._sequence = 0
        self._sent: OrderedDict[int, float] = OrderedDict()
        self._renewed: float | None = None
        # How often the wall clock went back, and of how many of these the callbacks know.
        self._drops, self._drops_told = 0, 0
        self._closed = False
        self._offset = self._wall_offset()
        self._changes = _Changes(remembered)

    def alive(self) -> bool:
        """Tell whether decisions and keys may be used now."""
        with self._lock:
            self._watch_wall()
            if self._closed or self._renewed is None:
                return False
            return self._clock.monotonic() - self._renewed < LIFE_SECONDS

    def epoch(self) -> int:
        """Return the newest epoch whose changes every callback has seen."""
        with self._lock:
            return self._applied

    def changed_subjects(self, since_epoch: int, subject_ids: Iterable[str]) -> bool:
        """Tell whether a decision made at that epoch about one of these may have changed since."""
        with self._lock:
            return self._changes.about(since_epoch, subject_ids)

    def changed_keys(self, since_epoch: int) -> Collection[bytes]:
        """Return the keys named by changes after an epoch, as far as they are remembered: see `remembers`."""
        with self._lock:
            return self._changes.keys_after(since_epoch)

    def remembers(self, since_epoch: int) -> bool:
        """Tell whether all changes after that epoch are known one by one; if not, everything counts as changed."""
        with self._lock:
            return self._changes.reach_back_to(since_epoch)

    def on_change(self, callback: Callable[[Change], None]) -> None:
        """Call this for each change, in order, before it is acknowledged.

        When it raises, nothing is acknowledged, the session ends, and the change comes again with the next one.
        """
        with self._lock:
            self._callbacks.append(callback)

    def renewal(self) -> tuple[int, int]:
        """Return sequence and applied epoch of a renewal that is sent right after."""
        with self._lock:
            self._watch_wall()
            now = self._clock.monotonic()
            while self._sent and now - next(iter(self._sent.values())) >= LIFE_SECONDS:
                self._sent.popitem(last=False)
            self._sequence += 1
            self._sent[self._sequence] = now
            return self._sequence, self._applied

    def received(self, epoch: int, changes: Sequence[ToldChange], sequence: int) -> bool:
        """Take in an answer of consent; returns whether there is something to acknowledge, by a renewal at once."""
        drops = self._drops
        news = self._dropping(drops) + self._news(epoch, changes)
        with self._lock:
            for change in news:
                self._changes.note(change)
            callbacks = tuple(self._callbacks)
        try:
            for change in news:
                for callback in callbacks:
                    callback(change)
        except BaseException:
            self.end()
            raise
        self._apply(epoch, sequence, drops)
        return bool(news)

    def end(self) -> None:
        """Use nothing any more, until a renewal that is sent from now on is answered."""
        with self._lock:
            self._end()

    def close(self) -> None:
        """Use nothing ever again."""
        with self._lock:
            self._closed = True

    def _end(self) -> None:
        self._renewed = None
        self._sent.clear()

    def _dropping(self, drops: int) -> list[Change]:
        with self._lock:
            return [Change(self._applied, everything=True)] if drops > self._drops_told else []

    def _news(self, epoch: int, changes: Sequence[ToldChange]) -> list[Change]:
        with self._lock:
            applied = self._applied
            if epoch < applied:
                # Consent was restored from a backup and counts again from there.
                self._changes.restart(applied)
        if epoch < applied:
            return [Change(epoch, everything=True)]
        told = [
            Change(one.epoch, tuple(one.subject_ids), tuple(one.key_ids), one.everything)
            for one in changes
            if one.epoch > applied
        ]
        if (told[-1].epoch if told else applied) < epoch:
            # More has changed than the answer has room to tell.
            told.append(Change(epoch, everything=True))
        return told

    def _apply(self, epoch: int, sequence: int, drops: int) -> None:
        with self._lock:
            self._applied = epoch
            self._drops_told = drops
            sent = self._sent.get(sequence)
            if sent is not None and (self._renewed is None or sent > self._renewed):
                self._renewed = sent

    def _wall_offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _watch_wall(self) -> None:
        # Against the furthest the wall clock has ever been, so that many small steps back count together.
        offset = self._wall_offset()
        if offset < self._offset - _JUMP_SECONDS:
            self._drops += 1
            self._end()
            self._offset = offset
        self._offset = max(self._offset, offset)


class _Changes:
    """Which subjects and keys changed in which epoch, as far back as memory allows."""

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._subjects: OrderedDict[str, int] = OrderedDict()
        self._keys: OrderedDict[bytes, int] = OrderedDict()
        # About what lies before this epoch, everything counts as changed.
        self._floor = 0
        # Epochs of a consent that has since been restored, up to this one.
        self._newest, self._void = 0, 0

    def note(self, change: Change) -> None:
        self._newest = change.epoch
        if change.everything:
            self._floor = change.epoch
            self._subjects.clear()
            self._keys.clear()
        self._floor = max(self._floor, self._put(self._subjects, change.subject_ids, change.epoch))
        self._floor = max(self._floor, self._put(self._keys, change.key_ids, change.epoch))

    def restart(self, applied: int) -> None:
        self._void = max(self._void, applied)

    def about(self, since: int, subject_ids: Iterable[str]) -> bool:
        if not self.reach_back_to(since):
            return True
        return any(self._subjects.get(subject, 0) > since for subject in subject_ids)

    def keys_after(self, since: int) -> list[bytes]:
        found = []
        for key, epoch in reversed(self._keys.items()):
            if epoch <= since:
                break
            found.append(key)
        return found

    def reach_back_to(self, since: int) -> bool:
        return since >= self._floor and not self._newest < since <= self._void

    def _put(self, table: OrderedDict[_K, int], items: Iterable[_K], epoch: int) -> int:
        forgotten = 0
        for item in items:
            table[item] = epoch
            table.move_to_end(item)
            if len(table) > self._remembered:
                forgotten = table.popitem(last=False)[1]
        return forgotten
