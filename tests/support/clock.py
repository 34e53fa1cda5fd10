"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class FakeClock:
    """Obeys `services.shared.clock.Clock`; both its clocks move only by `advance`, and the wall alone by `set_wall`."""

    def __init__(self, now: datetime = NOON) -> None:
        """Start at an aware time. Raises ValueError for a naive one."""
        self._monotonic = 1000.0
        self._wall = _aware(now)

    def now(self) -> datetime:
        """Return the wall time in UTC."""
        return self._wall

    def monotonic(self) -> float:
        """Return the monotonic seconds."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks. Raises ValueError when it would go back."""
        if seconds < 0:
            raise ValueError("time does not go back; use set_wall for a wall clock that jumps")
        self._monotonic += seconds
        self._wall += timedelta(seconds=seconds)

    def set_wall(self, now: datetime) -> None:
        """Jump the wall clock, to the past too, as a machine whose clock is set; monotonic time does not notice."""
        self._wall = _aware(now)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a clock's time is aware")
    return moment.astimezone(UTC)
