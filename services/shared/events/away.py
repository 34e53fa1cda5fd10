"""Which failures are the surroundings' and pass, so that trying again is right and no event is to blame."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, OperationalError

from services.shared.errors import Code, LeadError
from services.shared.events.keys import LeaseLostError
from services.shared.events.log import LogUnavailableError

_PASSING = {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED}


def is_away(error: BaseException) -> bool:
    """Tell whether the log, the database, consent or a session with it was out of reach."""
    if isinstance(error, LeadError):
        return error.code in _PASSING
    if isinstance(error, DBAPIError):
        # Locks, a full disk, a lost connection, a serialization conflict; not a broken constraint or a bad value.
        return isinstance(error, OperationalError) or error.connection_invalidated
    return isinstance(error, LeaseLostError | LogUnavailableError)


def pause(attempts: int, share: float, most: float = 5.0) -> float:
    """Return how many seconds to wait after that many failures in a row: doubling from 50 ms up to `most`.

    `share`, a random number in [0, 1], takes off up to half, so that processes do not come back in step.
    """
    # The exponent is bounded before it is used: a day-long outage makes it large.
    longest = min(most, 0.05 * 2 ** min(attempts, 20))
    return float(longest * (1 - share / 2))
