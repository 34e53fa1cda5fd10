"""Referrals that a caller may be shown: one, or a page by id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.referral import store
from services.referral.domain import Referral
from services.referral.handlers.desk import Desk, Whole, whole
from services.referral.paging import id_token_of
from services.referral.scope import require_police
from services.shared.errors import not_found
from services.shared.sharing.assertion import Caller


def get(desk: Desk, caller: Caller, referral_id: str) -> Whole:
    """Return one referral, whole. Raises NOT_FOUND, with one answer for absent and withheld (P2-02)."""
    require_police(caller)
    granted = desk.granted(caller)
    with desk.db.read() as connection:
        found = store.find(connection, referral_id, caller, granted)
        if found is None:
            raise not_found()
        return whole(connection, [found])[0]


def complete(desk: Desk, referrals: Sequence[Referral]) -> list[Whole]:
    """Return referrals with what other agencies said about them."""
    with desk.db.read() as connection:
        return whole(connection, referrals)


def listed(
    desk: Desk, caller: Caller, updated_after: datetime | None, after_id: str, size: int
) -> tuple[list[Whole], str]:
    """Return a page of the caller's referrals by id, and the token of the next page, "" at the end."""
    require_police(caller)
    granted = desk.granted(caller)
    with desk.db.read() as connection:
        # One more than asked for tells whether there is a next page.
        found = store.page(connection, caller, granted, after_id, updated_after, size + 1)
        rows = whole(connection, found[:size])
    return rows, _next(found, size)


def _next(found: Sequence[Referral], size: int) -> str:
    return id_token_of(found[size - 1].id) if len(found) > size else ""
