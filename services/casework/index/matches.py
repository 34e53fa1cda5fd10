"""Use cases of the programme office: which pairs may be of one person, and its answer.

Visibility first, then the etag, then the move.
"""

from __future__ import annotations

from sqlalchemy import Connection

from services.casework.domain import check_etag
from services.casework.index import hearing, people, store_matches
from services.casework.index.people import Match
from services.casework.index.publish import Publishing
from services.casework.paging import Place, token_of
from services.shared.area import Parts
from services.shared.errors import not_found
from services.shared.sharing.assertion import Caller


def list_matches(parts: Parts, caller: Caller, state: str, after: Place | None, size: int) -> tuple[list[Match], str]:
    """Return a page of the matches of the caller's sites, open ones first, and the token of the next page or ""."""
    with parts.db.read() as connection:
        # One more than asked for tells whether there is a next page.
        found = store_matches.page(connection, caller, state, after, size + 1)
    if len(found) <= size:
        return found, ""
    last = found[size - 1]
    return found[:size], token_of((not last.is_open, last.created_at, last.id))


def decide(parts: Parts, publishing: Publishing, caller: Caller, match_id: str, etag: str, move: str) -> Match:
    """Confirm or reject a match, and forget its names. Raises NOT_FOUND, ABORTED, FAILED_PRECONDITION.

    What follows is said before the answer where consent takes it, else as soon as it does.
    """
    with parts.db.read() as connection:
        before = store_matches.find(connection, match_id, caller)
    if before is None:
        raise not_found()
    check_etag(etag, before.etag)
    after = people.decided(before, move, caller.account_id, parts.clock.now())

    def write(connection: Connection) -> None:
        store_matches.save(connection, before, after)
        hearing.decided(connection, after)

    parts.db.in_transaction(write)
    publishing.of(after.pair)
    return after
