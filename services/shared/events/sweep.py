"""A walk over the whole shelf, a page at a time, when it is not known which keys changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.shared.events.log import START


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a sweep has come (place on the shelf), and whether it leaves out what some agencies have already."""

    after: int
    unopened_only: bool


class Sweep:
    """One walk at a time; a wish that comes meanwhile begins another one after it. The caller holds its lock."""

    def __init__(self) -> None:
        """Wish for a first one, over what nobody has."""
        self._is_wished = True
        self._opened_too = False
        self._cursor: Cursor | None = None

    def wish(self, *, opened_too: bool) -> None:
        """Ask for a sweep; `opened_too`: over sections, too, that some agencies have."""
        self._is_wished = True
        self._opened_too = self._opened_too or opened_too

    def is_on(self) -> bool:
        """Tell whether one is under way or wished for."""
        return self._is_wished or self._cursor is not None

    def cursor(self) -> Cursor | None:
        """Return where to go on, beginning a wished one; None when there is nothing to do."""
        if self._cursor is None and self._is_wished:
            self._cursor = Cursor(START, unopened_only=not self._opened_too)
            self._is_wished = self._opened_too = False
        return self._cursor

    def came_to(self, place: int) -> None:
        """Note the last place asked for."""
        if self._cursor is not None:
            self._cursor = replace(self._cursor, after=place)

    def end(self) -> None:
        """Note that the end of the shelf was reached."""
        self._cursor = None
