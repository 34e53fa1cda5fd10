"""Referrals that a caller may be shown: one, or a page by time of change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.referral import store
from services.referral.domain import Referral
from services.referral.handlers.desk import Desk, Whole, whole
from services.referral.paging import Place, token_of
from services.referral.scope import require_police
from services.shared.sharing.assertion import Caller

# Behind every id: "changed after T" is everything behind the last row of that moment.
_LAST = "ref_z"


def get(desk: Desk, caller: Caller, referral_id: str) -> Whole:
    """Return one referral, whole. Raises NOT_FOUND."""
    require_police(caller)
    return complete(desk, [desk.find(caller, referral_id)])[0]


def complete(desk: Desk, referrals: Sequence[Referral]) -> list[Whole]:
    """Return referrals with what other agencies said about them."""
    with desk.db.read() as connection:
        return whole(connection, referrals)


def listed(
    desk: Desk, caller: Caller, updated_after: datetime | None, place: Place | None, size: int
) -> tuple[list[Whole], str]:
    """Return a page of the caller's referrals by time of change, and the token of the next page, "" at the end."""
    require_police(caller)
    granted = desk.granted(caller)
    after = place if updated_after is None else max(place or (updated_after, _LAST), (updated_after, _LAST))
    with desk.db.read() as connection:
        # One more than asked for tells whether there is a next page.
        found = store.page(connection, caller, granted, after, size + 1)
        rows = whole(connection, found[:size])
    return rows, _next(found, size)


def _next(found: Sequence[Referral], size: int) -> str:
    if len(found) <= size:
        return ""
    last = found[size - 1]
    return "" if last.updated_at is None else token_of((last.updated_at, last.id))
