"""Draws the picture of one person from the database."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from services.casework.index import store, store_links, store_matches
from services.casework.index.people import Record
from services.casework.index.picture import Picture
from services.casework.index.tokens import LOCAL


def draw(connection: Connection, record_id: str) -> Picture:
    """Return everything that has to do with a record: its person, and who shares a mark with him.

    A person's records hang together by local ids, by what people confirmed, and by one participant.
    """
    picture = Picture(person=store.records(connection, [record_id]))
    while True:
        grown = _grown(connection, picture)
        if grown.person.keys() == picture.person.keys():
            break
        picture = grown
    beside = store.records(connection, store.near(connection, list(picture.person)))
    studies = {each.study_id for each in picture.person.values()} - {""}
    return Picture(
        person=picture.person,
        beside=beside,
        matches=grown.matches,
        holdings=grown.holdings,
        first_with=store.first_with(connection, studies),
    )


def _grown(connection: Connection, picture: Picture) -> Picture:
    """Return the picture with whoever is one step away."""
    own = picture.person
    matches = store_matches.about(connection, list(own))
    holdings = store_links.holdings(connection, [each.subject_id for each in own.values() if each.is_referral])
    answered = {one for match in matches if match.state == "CONFIRMED" for one in match.pair}
    linked = store.of_subjects(connection, [each.subject_id for each in holdings if not each.match_id])
    numbered = store.near(connection, list(own), (LOCAL,))
    others = store.records(connection, (answered | linked | numbered) - own.keys())
    wide = Picture(person={**own, **others}, matches=matches, holdings=holdings)
    joined = {one.id: one for one in others.values() if _belongs(wide, own.values(), one)}
    return Picture(person={**own, **joined}, matches=matches, holdings=holdings)


def _belongs(wide: Picture, own: Collection[Record], other: Record) -> bool:
    if any(one.marks.shares(other.marks, LOCAL) for one in own):
        return True
    if any(each.id in {one.id for one in own} for _, each in wide.confirmed(other)):
        return True
    return any(wide.share_participant(one, other) for one in own if one.is_referral and other.is_referral)
