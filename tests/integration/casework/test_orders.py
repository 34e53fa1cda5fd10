"""Whatever comes first: the same deliveries make the same links and the same questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead.casework.v1 import casework_pb2 as pb
from sqlalchemy import Connection, delete, select

from services.casework.index.consumers import Linker
from services.casework.index.models import MATCHES
from services.casework.index.publish import Publishing
from services.casework.index.tokens import Tokens
from services.casework.models import CIPHER, METADATA
from services.shared.area import Fact
from services.shared.db import Database, make_engine
from services.shared.ids import Ids
from tests.integration.casework.desk import KEY
from tests.integration.casework.linking import (
    Heard,
    Linking,
    a_comparison,
    a_referral,
    an_event,
    delivered,
    referred,
    reported,
)
from tests.support.clock import FakeClock
from tests.unit.casework.builders import POLICE
from tests.unit.casework.registry import FAR_POLICE, JAIL, PRISON, a_registry

NAMES = st.sampled_from([("Testa", "Sample"), ("TESTA", "Sam-ple"), ("Besta", "Sample"), ("", "Sample")])
DATES = st.sampled_from(["", "1990", "1990-05", "1990-05-01", "1990-06-01"])
NUMBERS = st.sampled_from(["", "J-1", "J-2", "0"])
SOURCES = st.sampled_from([JAIL, JAIL, PRISON, FAR_POLICE])


@st.composite
def a_story(draw: st.DrawFn) -> list[Heard]:
    """Return a few referrals, events and comparisons about few people, some of them corrected."""
    story: list[Heard] = []
    for place in range(draw(st.integers(1, 3))):
        for version in range(1, 1 + draw(st.integers(1, 2))):
            numbers = [(JAIL, number) for number in draw(st.sets(NUMBERS, max_size=2)) if number]
            message = a_referral(*draw(NAMES), draw(DATES), sorted(numbers))
            story.append(referred(f"ref_{place}", message, version, POLICE))
    for place in range(draw(st.integers(1, 3))):
        source = draw(SOURCES)
        for version in range(1, 1 + draw(st.integers(1, 2))):
            event = an_event(*draw(NAMES), draw(DATES), draw(NUMBERS), f"B-{place}")
            story.append(reported(f"jev_{place}", event, version, source))
    registered = sorted(draw(st.sets(st.integers(0, 2), max_size=2)))
    return story + [reported(f"eve_{place}", a_comparison(f"B-{place}")) for place in registered]


class Office:
    """The index on a database in memory; what is committed is written down instead of sealed."""

    def __init__(self, db: Database) -> None:
        self.db = db
        with db.write() as connection:
            for table in METADATA.sorted_tables:
                connection.execute(delete(table))
        self.ids = Ids()
        self.clock = FakeClock()
        self.consent = self
        self.links: dict[tuple[str, str, str], tuple[int, float, bool]] = {}
        self._versions: dict[str, int] = {}
        self._publishing = Publishing(cast(Any, self))
        self._handlers = Linker(Tokens(KEY), self.ids).handlers()

    def registry(self) -> Any:
        """Return who takes part."""
        return a_registry()

    def commit(self, facts: Sequence[Fact], write: Callable[[Connection], None], _statements: object = ()) -> None:
        """Do what `Parts.commit` does, and believe what is said."""
        with self.db.write() as connection:
            write(connection)
        for fact in facts:
            self._believe(fact.message, fact.version)

    def hear(self, heard: Heard) -> None:
        """Take in a delivery."""
        delivery = delivered(heard, self.clock.now())
        with self.db.write() as connection:
            self._handlers[delivery.event_name].apply(connection, delivery)

    def settle(self) -> None:
        """Say what follows, until nothing follows any more."""
        while self._publishing.round():
            pass

    def outcome(self) -> Any:
        """Return what stands, study ids told only by which records have them for sure."""
        people: dict[str, set[str]] = {}
        for (record, study, _), (_, score, _) in self.links.items():
            if score == 1.0:
                people.setdefault(study, set()).add(record)
        links = {
            (record, tuple(sorted(people[study])), entry, why) for (record, study, entry), why in self.links.items()
        }
        with self.db.read() as connection:
            rows = connection.execute(select(MATCHES)).mappings().all()
        names = ("known_id", "found_id", "rule", "use", "site_id", "state", "created_at")
        return links, {tuple(row[name] for name in names) for row in rows}

    def _believe(self, link: Any, version: int) -> None:
        assert version > self._versions.get(link.record_id, 0)
        self._versions[link.record_id] = version
        key = (link.record_id, link.study_id, link.entry_id)
        self.links.pop(key, None)
        if not link.withdrawn:
            self.links[key] = (link.rule, round(link.score, 3), link.confirmed)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """One for all examples: statements are compiled once per engine."""
    CIPHER.load(KEY)
    engine = make_engine("sqlite://")
    METADATA.create_all(engine)
    yield Database(engine)
    engine.dispose()


def told(db: Database, deliveries: list[Heard], pauses: list[bool]) -> Any:
    """Return the outcome of deliveries in this order, with a pause to publish after some of them."""
    office = Office(db)
    for each, pause in zip(deliveries, pauses, strict=True):
        office.hear(each)
        if pause:
            office.settle()
    office.settle()
    return office.outcome()


@pytest.mark.slow
@settings(max_examples=20)
@given(data=st.data(), story=a_story())
def test_any_order_of_the_same_deliveries_gives_the_same_links_and_questions(
    database: Database, data: st.DataObject, story: list[Heard]
) -> None:
    pauses = st.lists(st.booleans(), min_size=len(story), max_size=len(story))
    first = told(database, story, [True] * len(story))
    assert told(database, data.draw(st.permutations(story)), data.draw(pauses)) == first


@pytest.mark.parametrize("paused", [True, False])
def test_a_correction_finds_an_event_that_was_heard_before_it(linking: Linking, paused: bool) -> None:
    linking.hear(referred("ref_1", a_referral(given="Besta")))
    if paused:
        linking.settle()
    linking.tell(reported("jev_1"), referred("ref_1", version=2))
    assert linking.studies("jev_1", 0.0) == linking.studies("ref_1")


@pytest.mark.parametrize("known_first", [True, False])
def test_an_event_before_the_person_is_known_and_one_after_give_the_same(linking: Linking, known_first: bool) -> None:
    story = [referred("ref_1"), reported("jev_1")]
    linking.tell(*(story if known_first else reversed(story)))
    (study,) = linking.studies("ref_1")
    assert linking.standing()["jev_1", study, ""] == (pb.MATCH_RULE_NAME_AND_BIRTH_DATE, 0.9, False)
    assert linking.open() == {("ref_1", "jev_1", "NAME_AND_BIRTH_DATE")}
    # Names are kept of who came last only: nothing but tokens is kept of who nobody asks about.
    task = linking.task("ref_1", "jev_1")
    assert (task.found.family_name, task.known.family_name) == (("Sample", "") if known_first else ("", "Sample"))
