"""Says what follows from what was heard: study links, subject links, questions to programme offices.

The index marks a record in the transaction that changes something about it; here each mark is worked off: what should
be said is derived anew from what is known, compared with what was said, and committed with the mark's removal. So a
crash anywhere repeats the work and never the word.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Connection

from services.casework import announce, store_participants
from services.casework.domain import Participant
from services.casework.index import store, store_links, store_matches, store_pending
from services.casework.index.draw import draw
from services.casework.index.offices import Offices
from services.casework.index.plan import Plan, plan
from services.shared.area import Fact, Parts
from services.shared.errors import LeadError

_log = logging.getLogger(__name__)
_AT_ONCE = 100


class _MovedError(Exception):
    """What the plan rests on has changed meanwhile; it is made again."""


class Publishing:
    """Works off the marks, one person at a time. Safe to call from several threads."""

    def __init__(self, parts: Parts) -> None:
        """Publish with these parts."""
        self._parts = parts
        self._lock = threading.Lock()

    def round(self) -> int:
        """Work off all marks that there are; returns how many. One that fails waits for the next round."""
        done, after = 0, ""
        while True:
            with self._parts.db.read() as connection:
                found = store_pending.pending(connection, after, _AT_ONCE)
            if not found:
                return done
            done += sum(self._guarded(*one) for one in found)
            after = found[-1][0]

    def of(self, record_ids: Collection[str]) -> None:
        """Work off these marks before an answer goes out; what consent does not take now follows with a round."""
        with self._parts.db.read() as connection:
            found = store_pending.pending_of(connection, record_ids)
        for one in found:
            self._guarded(*one)

    def _guarded(self, record_id: str, revision: int) -> bool:
        try:
            with self._lock:
                self._settle(record_id, revision)
            return True
        except _MovedError:
            return False
        except LeadError as error:
            _log.warning("links wait", extra={"reason": error.reason})
            return False
        except Exception as error:  # noqa: BLE001 - one person's links never hold up another's
            _log.error("links not published", extra={"reason": type(error).__name__})
            return False

    def _settle(self, record_id: str, revision: int) -> None:
        """Say and write down what follows from one record's picture. Raises LeadError when consent does not answer."""
        offices = Offices(self._parts.consent.registry().agencies)
        with self._parts.db.read() as connection:
            picture = draw(connection, record_id)
            published = store_links.published(connection, list(picture.person))
            ruled = store_links.ruled(connection, [each.subject_id for each in picture.referrals])
            made = plan(picture, published, ruled, offices, self._fresh)
            people = self._people(connection, made)

        def write(connection: Connection) -> None:
            self._write(connection, made, people)
            store_pending.done(connection, record_id, revision)

        self._parts.commit([*made.facts, *_intakes(made, people)], write, made.statements)

    def _fresh(self, prefix: str) -> str:
        # A study id must not even tell when it was made.
        return f"stu_{secrets.token_hex(16)}" if prefix == "stu" else self._parts.ids.new(prefix)

    def _people(self, connection: Connection, made: Plan) -> dict[str, Participant]:
        ids = sorted({each.holding.participant_id for each in made.joined})
        found = (store_participants.by_id(connection, each) for each in ids)
        return {each.id: each for each in found if each is not None}

    def _write(self, connection: Connection, made: Plan, people: dict[str, Participant]) -> None:
        now = self._parts.clock.now()
        for news in made.news:
            study_id = made.study_id if news.record.is_anchor else ""
            if not store.note(connection, news.record, study_id, news.record.said + len(news.facts)):
                raise _MovedError
            if news.facts:
                store_links.publish(connection, news.record.id, news.links)
        _ask(connection, made)
        for each in made.joined:
            participant = people[each.holding.participant_id]
            if store_participants.by_id(connection, participant.id) != participant:
                raise _MovedError
            store_participants.link(
                connection, each.holding.subject_id, participant, each.account_id, now, each.holding.match_id
            )
        store_links.rule(connection, made.ruled, now)
        store_pending.mark(connection, made.onward)


def forget(parts: Parts, look_back: timedelta) -> int:
    """Delete the tokens of justice events that were nobody's for so long; returns of how many events."""
    before, gone = parts.clock.now() - look_back, 0
    while True:
        with parts.db.write() as connection:
            some = store.forget(connection, before, _AT_ONCE)
        gone += some
        if some < _AT_ONCE:
            return gone


def _ask(connection: Connection, made: Plan) -> None:
    asked = made.questions
    store_matches.drop(connection, asked.dropped)
    for match in asked.added:
        store_matches.add(connection, match)
    for match, office in asked.put:
        store_matches.put_to(connection, match.id, office.site_id)


def _intakes(made: Plan, people: dict[str, Participant]) -> list[Fact]:
    """Return the confirmations for subjects that are linked now: who follows a referral knows no other."""
    return [
        fact
        for each in made.joined
        if (participant := people[each.holding.participant_id]).intake_confirmed_at is not None
        for fact in announce.intake_facts(participant, [each.holding.subject_id])
    ]
