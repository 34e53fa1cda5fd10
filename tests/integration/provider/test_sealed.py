"""Participants that come sealed, over a log, through the consumer loop, as the keys for them are released."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lead.casework.v1 import casework_pb2
from lead.casework.v1.casework_events_pb2 import ParticipantRecorded
from lead.options.v1 import words_pb2
from lead.provider.v1 import provider_pb2 as pb

from services.provider import consumers
from services.provider.models import CONSUMER
from services.shared.db import Database, make_engine, new_metadata
from services.shared.events.loop import Consumer, ConsumerLoop
from services.shared.events.outbox import outbox_table
from services.shared.events.publisher import OutgoingEvent, Publisher
from services.shared.events.relay import Relay
from services.shared.ids import Ids
from tests.integration.provider.house import House, Person, a_provider
from tests.support.keys import FakeConsent
from tests.support.log import FakeLog
from tests.unit.provider.builders import HOUSING, OUTREACH, TREATMENT

IDENTITY, NEEDS = words_pb2.CATEGORY_IDENTITY, words_pb2.CATEGORY_NEEDS


@dataclass
class Wire:
    """A case-management agency at one end, the consumer of provider at the other."""

    house: House
    keys: FakeConsent
    publisher: Publisher
    outreach: Database
    relay: Relay
    loop: ConsumerLoop

    def tell(self, person: Person, version: int = 1, family_name: str = "Sample") -> None:
        """Publish what a provider must know of somebody."""
        message = ParticipantRecorded(given_name="Testa", family_name=family_name, needs=[casework_pb2.NEED_HOUSING])
        event = OutgoingEvent(message, person.participant_id, person.subject_id, OUTREACH, version)
        prepared = self.publisher.prepare([event])
        with self.outreach.write() as connection:
            prepared.put(connection)
        self.relay.run_once()

    def consume(self) -> None:
        """Apply what there is."""
        while self.loop.run_once():
            pass

    def seen(self, referral: pb.ServiceReferral, agency_id: str = TREATMENT) -> pb.ServiceReferral:
        """Return the service referral as its provider sees it."""
        return self.house.seen(referral.id, a_provider(agency_id))


@pytest.fixture
def wire(house: House, tmp_path: Path) -> Iterator[Wire]:
    metadata, log, keys, clock = new_metadata(), FakeLog(), FakeConsent(), house.clock
    table = outbox_table(metadata)
    engine = make_engine(f"sqlite:///{tmp_path / 'outreach.db'}")
    metadata.create_all(engine)
    outreach = Database(engine)
    loop = ConsumerLoop(
        Consumer(
            area="provider",
            topics=consumers.TOPICS,
            reader=log.reader(),
            db=house.parts.db,
            tables=CONSUMER,
            keys=keys,
            session=keys.session,
            handlers=consumers.handlers(clock),
            clock=clock,
        )
    )
    publisher = Publisher("casework", table, keys.sealing("casework"), clock, Ids())
    relay = Relay(outreach, table, log, lambda _kind, _body: None, clock)
    yield Wire(house, keys, publisher, outreach, relay, loop)
    engine.dispose()


def test_a_participant_is_read_as_far_as_the_release_goes(wire: Wire) -> None:
    person = wire.house.a_person()
    asked = wire.house.asked(person)
    wire.keys.allow(NEEDS, TREATMENT)
    wire.tell(person)
    wire.consume()
    assert list(wire.seen(asked).told.needs) == [casework_pb2.NEED_HOUSING]
    assert not wire.seen(asked).HasField("person")


def test_a_release_that_is_signed_later_makes_the_earlier_event_readable(wire: Wire) -> None:
    person = wire.house.a_person()
    asked = wire.house.asked(person)
    wire.tell(person)
    wire.consume()
    assert not wire.seen(asked).HasField("person")
    wire.keys.allow(IDENTITY, TREATMENT)
    wire.consume()
    assert wire.seen(asked).person.family_name == "Sample"


def test_a_release_that_names_another_provider_later_serves_it_too(wire: Wire) -> None:
    person = wire.house.a_person(releases_to=(TREATMENT, HOUSING))
    asked, beds = wire.house.asked(person), wire.house.asked(person, wire.house.a_service(HOUSING))
    wire.keys.allow(IDENTITY, TREATMENT)
    wire.tell(person)
    wire.consume()
    assert wire.seen(asked).HasField("person")
    assert not wire.seen(beds, HOUSING).HasField("person")
    wire.keys.allow(IDENTITY, HOUSING)
    wire.consume()
    assert wire.seen(beds, HOUSING).person.family_name == "Sample"


def test_a_newer_version_takes_the_place_of_an_older_one(wire: Wire) -> None:
    person = wire.house.a_person()
    asked = wire.house.asked(person)
    wire.keys.allow(IDENTITY, TREATMENT)
    wire.tell(person, 1)
    wire.tell(person, 2, "Sampleson")
    wire.consume()
    assert wire.seen(asked).person.family_name == "Sampleson"
