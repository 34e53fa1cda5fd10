"""Requests that come sealed, over a log, through the consumer loop, as the keys for them are released."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lead.options.v1 import words_pb2

from services.casework import consumers
from services.casework.models import CONSUMER
from services.shared.db import Database, make_engine, new_metadata
from services.shared.events.loop import Consumer, ConsumerLoop
from services.shared.events.outbox import outbox_table
from services.shared.events.publisher import OutgoingEvent, Publisher
from services.shared.events.relay import Relay
from services.shared.ids import Ids
from tests.integration.casework.desk import Desk
from tests.support.keys import FakeConsent
from tests.support.log import FakeLog
from tests.unit.casework.builders import AGENCY, HANDOFF, POLICE, SUBJECT

REFERRAL, IDENTITY = words_pb2.CATEGORY_REFERRAL, words_pb2.CATEGORY_IDENTITY


@dataclass
class Wire:
    """A police agency at one end, the consumer of casework at the other."""

    desk: Desk
    keys: FakeConsent
    publisher: Publisher
    police: Database
    relay: Relay
    loop: ConsumerLoop

    def call_a_case_manager(self, version: int = 1) -> None:
        """Publish a request."""
        message = self.desk.request()
        prepared = self.publisher.prepare([OutgoingEvent(message, HANDOFF, SUBJECT, POLICE, version)])
        with self.police.write() as connection:
            prepared.put(connection)
        self.relay.run_once()

    def consume(self) -> None:
        """Apply what there is."""
        while self.loop.run_once():
            pass


@pytest.fixture
def wire(desk: Desk, tmp_path: Path) -> Iterator[Wire]:
    metadata, log, keys, clock = new_metadata(), FakeLog(), FakeConsent(), desk.clock
    table = outbox_table(metadata)
    engine = make_engine(f"sqlite:///{tmp_path / 'police.db'}")
    metadata.create_all(engine)
    police = Database(engine)
    loop = ConsumerLoop(
        Consumer(
            area="casework",
            topics=("referral",),
            reader=log.reader(),
            db=desk.parts.db,
            tables=CONSUMER,
            keys=keys,
            session=keys.session,
            handlers=consumers.handlers(desk.linker),
            clock=clock,
        )
    )
    publisher = Publisher("referral", table, keys.sealing("referral"), clock, Ids())
    yield Wire(desk, keys, publisher, police, Relay(police, table, log, lambda _kind, _body: None, clock), loop)
    engine.dispose()


def test_a_request_is_read_as_far_as_its_keys_are_released(wire: Wire) -> None:
    wire.keys.allow(REFERRAL, AGENCY)
    wire.call_a_case_manager()
    wire.consume()
    (handoff,) = wire.desk.handoffs()
    assert (handoff.id, handoff.reference.subject_id) == (HANDOFF, SUBJECT)
    assert not handoff.request.family_name


def test_what_is_released_later_is_read_later(wire: Wire) -> None:
    wire.call_a_case_manager()
    wire.consume()
    assert wire.desk.handoffs() == []
    wire.keys.allow(IDENTITY, AGENCY)
    wire.keys.allow(REFERRAL, AGENCY)
    wire.consume()
    (handoff,) = wire.desk.handoffs()
    assert handoff.request.family_name == "Sample"


def test_nothing_is_read_in_the_name_of_an_agency_that_was_not_dispatched(wire: Wire) -> None:
    wire.keys.allow(REFERRAL, "sample-second-outreach")
    wire.call_a_case_manager()
    wire.consume()
    assert wire.desk.handoffs() == []
