"""What a stream has passed over: noted before anything later is sent, so that a later release can feed it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.feed.cursor import Lane
from gateway.feed.desk import FeedDesk
from gateway.feed.store import Pointer
from services.shared.sharing.session_state import SessionState


@dataclass(frozen=True, slots=True)
class _Note:
    """An event that was passed over; `epoch` is that of its denial, None for what waits for its referral."""

    seq: int
    subject_id: str
    epoch: int | None


class Passed:
    """The notes of one stream that are still to be written."""

    def __init__(
        self, desk: FeedDesk, lane: Lane, session: SessionState, look_again: Callable[[Iterable[str]], None]
    ) -> None:
        """`look_again` has what was withheld about some subjects fed again."""
        self._desk, self._lane, self._session, self._look_again = desk, lane, session, look_again
        self._by_place: dict[int, _Note] = {}

    def denied(self, pointer: Pointer, epoch: int) -> None:
        """Pass over what was denied at this epoch."""
        self._note(pointer, epoch)

    def without_referral(self, pointer: Pointer) -> None:
        """Pass over what is read at a referral that is not known yet."""
        self._note(pointer, None)

    def again(self, pointer: Pointer) -> None:
        """Have what was passed over before, and may be told by now, fed again: it is told at its new place alone."""
        self._look_again([pointer.event.subject_id])

    async def write(self) -> None:
        """Return when everything is noted. Raises LeadError; then it still waits."""
        if not self._by_place:
            return
        notes = self._by_place.values()
        waiting = {one.subject_id for one in notes if one.epoch is None}
        late = await self._desk.withhold(self._lane, {place: one.seq for place, one in self._by_place.items()}, waiting)
        # Somebody may have looked for notes between a denial and now, and found none.
        late |= {one.subject_id for one in notes if self._has_changed(one)}
        self._by_place.clear()
        if late:
            self._look_again(late)

    def _note(self, pointer: Pointer, epoch: int | None) -> None:
        if not pointer.is_noted:
            self._by_place[pointer.place] = _Note(pointer.seq, pointer.event.subject_id, epoch)

    def _has_changed(self, one: _Note) -> bool:
        return one.epoch is not None and self._session.changed_subjects(one.epoch, [one.subject_id])
