"""A feed in memory, and clients that read it as streams do: each event decided when it is sent, and cut anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.feed import store
from gateway.feed.store import FeedEvent, Pointer
from gateway.models import METADATA
from services.shared.db import Database, make_engine
from tests.support.clock import NOON

AGENCY = "sample-office"


def a_feed() -> Database:
    """An empty feed."""
    db = Database(make_engine("sqlite://"))
    METADATA.create_all(db.engine)
    with db.write() as connection:
        store.feed_id(connection, "fed_1")
    return db


def an_event(number: int = 1, subject: str = "sub_1", name: str = "ReferralRecorded") -> FeedEvent:
    return FeedEvent(f"evt_{number}", "referral", name, f"ref_{subject}", subject, "sample-police", 1, NOON)


def arrive(db: Database, event: FeedEvent, followers: Iterable[str] = (AGENCY,)) -> None:
    """Take an event in, as the writer does."""
    with db.write() as connection:
        store.hold(connection)
        store.add(connection, event, NOON)
        store.follow(connection, event.subject_id, followers, NOON, NOON)


def reconcile(db: Database, subject: str, followers: Iterable[str] = (AGENCY,)) -> set[str]:
    """Follow a change up, as the writer does."""
    with db.write() as connection:
        store.hold(connection)
        grown = store.follow(connection, subject, followers, NOON, NOON)
        return grown | store.feed_again(connection, subject, NOON)


@dataclass
class Reader:
    """A client of one lane. `look_again` has a subject followed up."""

    db: Database
    lane: str
    look_again: Callable[[str], object]
    place: int = 0
    received: list[FeedEvent] = field(default_factory=list)
    # What cut streams had still to note, by place: event and subject. It may yet be written.
    unwritten: list[dict[int, tuple[int, str]]] = field(default_factory=list)

    def read(self, allowed: Callable[[str], bool], most: int = 1000, lost: int = 0) -> int:
        """Read at most so many events; the last `lost` of them, and what was passed over last, a cut takes away."""
        sent: list[Pointer] = []
        passed: dict[int, tuple[int, str]] = {}
        place = self.place
        while pointers := self._page(place):
            for pointer in pointers:
                if len(sent) == most:
                    break
                place = pointer.place
                self._look(pointer, allowed, sent, passed)
            if len(sent) == most:
                break
        if lost:
            self.unwritten.append(passed)
        else:
            self.note(passed)
        for one in sent[: len(sent) - lost] if lost else sent:
            self.received.append(one.event)
            self.place = one.place
        return len(sent)

    def _look(
        self,
        pointer: Pointer,
        allowed: Callable[[str], bool],
        sent: list[Pointer],
        passed: dict[int, tuple[int, str]],
    ) -> None:
        subject = pointer.event.subject_id
        if not allowed(subject):
            if not pointer.is_noted:
                passed[pointer.place] = (pointer.seq, subject)
        elif pointer.is_noted:
            self.look_again(subject)
        else:
            self.note(passed)
            passed.clear()
            sent.append(pointer)

    def note(self, passed: dict[int, tuple[int, str]]) -> None:
        """Write down what was passed over."""
        if passed:
            with self.db.write() as connection:
                store.withhold(connection, AGENCY, self.lane, {place: seq for place, (seq, _) in passed.items()})

    def _page(self, place: int) -> list[Pointer]:
        with self.db.read() as connection:
            return store.page(connection, AGENCY, self.lane, place, 3)
