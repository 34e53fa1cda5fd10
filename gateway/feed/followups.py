"""Whose feeds must be looked at again, because consent told of a change, or a stream could not be sure."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from services.shared.sharing.session_state import Change


class FollowUps:
    """Subjects that wait, and a walk over all of them. Filled from any thread, worked off by one."""

    def __init__(self) -> None:
        """Begin with a walk over everything: nobody knows what changed while this process was down."""
        self._lock = threading.Lock()
        # In the order in which they came.
        self._subjects: dict[str, None] = {}
        self._is_wished = True
        self._walked_to: str | None = None

    def note(self, change: Change) -> None:
        """Take in what consent told."""
        if change.everything:
            self.wish_all()
        self.add(change.subject_ids)

    def add(self, subject_ids: Iterable[str]) -> None:
        """Look at these subjects again."""
        with self._lock:
            self._subjects.update(dict.fromkeys(subject_ids))

    def wish_all(self) -> None:
        """Look at every subject again, after a walk that is under way."""
        with self._lock:
            self._is_wished = True

    def take(self, most: int) -> list[str]:
        """Return some subjects, which wait no more; give them back to `add` when nothing came of it."""
        with self._lock:
            taken = list(self._subjects)[:most]
            for subject in taken:
                del self._subjects[subject]
            return taken

    def walked_to(self) -> str | None:
        """Return the subject up to which the walk has come, beginning a wished one; None when there is none to do."""
        with self._lock:
            if self._walked_to is None and self._is_wished:
                self._is_wished, self._walked_to = False, ""
            return self._walked_to

    def walk_on(self, subject_id: str | None) -> None:
        """Note how far the walk has come; None: to its end."""
        with self._lock:
            self._walked_to = subject_id
