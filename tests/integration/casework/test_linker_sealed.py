"""Sealed events over a log: the linker opens IDENTITY in nobody's name, and what it says is sealed again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from google.protobuf.message import Message
from lead.options.v1 import words_pb2
from sqlalchemy import func, select

from services.casework import consumers
from services.casework.index.models import RECORDS
from services.casework.models import CONSUMER
from services.shared.db import Database, make_engine, new_metadata
from services.shared.events.loop import Consumer, ConsumerLoop
from services.shared.events.outbox import outbox_table
from services.shared.events.publisher import OutgoingEvent, Publisher
from services.shared.events.relay import Relay
from services.shared.ids import Ids
from tests.integration.casework.linking import Heard, Linking, a_comparison, a_referral, an_event, referred, reported
from tests.support.keys import FakeConsent
from tests.support.log import FakeLog
from tests.unit.casework.builders import AGENCY, POLICE
from tests.unit.casework.registry import JAIL

IDENTITY, RESEARCH = words_pb2.CATEGORY_IDENTITY, words_pb2.CATEGORY_LINKED_RESEARCH
NUMBERED = a_referral(local_ids=[(JAIL, "J-7")])


@dataclass
class Exchange:
    """Areas that publish, and the consumer of casework."""

    linking: Linking
    keys: FakeConsent
    log: FakeLog
    loop: ConsumerLoop
    folder: Path

    def publish(self, topic: str, *heard: Heard) -> None:
        """Publish, sealed, as the area of this topic."""
        metadata = new_metadata()
        table = outbox_table(metadata)
        engine = make_engine(f"sqlite:///{self.folder / topic}.db")
        metadata.create_all(engine)
        area, clock = Database(engine), self.linking.desk.clock
        publisher = Publisher(topic, table, self.keys.sealing(topic), clock, Ids())
        for each in heard:
            event = OutgoingEvent(each.message, each.record_id, each.subject_id, each.source, each.version)
            prepared = publisher.prepare([event])
            with area.write() as connection:
                prepared.put(connection)
        Relay(area, table, self.log, lambda _kind, _body: None, clock).run_once()
        engine.dispose()

    def consume(self) -> None:
        """Apply what there is, and say what follows."""
        while self.loop.run_once():
            pass
        self.linking.settle()

    def known(self) -> int:
        """How many records the index knows."""
        with self.linking.desk.parts.db.read() as connection:
            return connection.execute(select(func.count()).select_from(RECORDS)).scalar() or 0


@pytest.fixture
def exchange(linking: Linking, tmp_path: Path) -> Exchange:
    log, keys, desk = FakeLog(), FakeConsent(), linking.desk
    loop = ConsumerLoop(
        Consumer(
            area="casework",
            topics=("referral", "outcomes"),
            reader=log.reader(),
            db=desk.parts.db,
            tables=CONSUMER,
            keys=keys,
            session=keys.session,
            handlers=consumers.handlers(desk.linker),
            clock=desk.clock,
        )
    )
    return Exchange(linking, keys, log, loop, tmp_path)


def test_a_referral_and_an_event_meet_by_what_custody_without_an_agency_opens(exchange: Exchange) -> None:
    exchange.keys.allow(IDENTITY)
    exchange.publish("referral", referred("ref_1", NUMBERED), reported("jev_1", an_event(given="X", local_id="J-7")))
    exchange.consume()
    assert exchange.linking.studies("ref_1") == exchange.linking.studies("jev_1") != set()


def test_a_comparison_comes_by_its_own_topic(exchange: Exchange) -> None:
    exchange.keys.allow(IDENTITY)
    exchange.publish("outcomes", reported("eve_1", a_comparison()))
    exchange.publish("referral", reported("jev_1"))
    exchange.consume()
    assert [key[2] for key in exchange.linking.standing()] == ["eve_1"]


def test_what_is_opened_for_an_agency_only_tells_the_linker_nothing(exchange: Exchange) -> None:
    exchange.keys.allow(IDENTITY, AGENCY)
    exchange.publish("referral", referred("ref_1"))
    exchange.consume()
    assert exchange.known() == 0


def test_the_counted_part_of_an_event_tells_the_linker_nothing(exchange: Exchange) -> None:
    exchange.keys.allow(RESEARCH)
    exchange.publish("referral", reported("jev_1"))
    exchange.consume()
    assert exchange.known() == 0


def test_what_is_opened_late_makes_the_same_links(exchange: Exchange) -> None:
    exchange.publish("referral", referred("ref_1", NUMBERED), reported("jev_1", an_event(local_id="J-7")))
    exchange.consume()
    assert exchange.known() == 0
    exchange.keys.allow(IDENTITY)
    exchange.consume()
    assert exchange.linking.studies("ref_1") == exchange.linking.studies("jev_1") != set()


def test_a_corrected_referral_that_comes_first_is_not_overwritten(exchange: Exchange) -> None:
    exchange.keys.allow(IDENTITY)
    exchange.publish("referral", referred("ref_1", NUMBERED, 2), referred("ref_1", a_referral("Besta"), 1))
    exchange.publish("referral", reported("jev_1", an_event(given="X", local_id="J-7")))
    exchange.consume()
    assert exchange.linking.studies("ref_1") == exchange.linking.studies("jev_1")


def test_study_links_leave_sealed_on_the_records_own_subject(exchange: Exchange) -> None:
    exchange.keys.allow(IDENTITY)
    exchange.publish("referral", referred("ref_1"))
    exchange.consume()
    (event,) = exchange.linking.said()
    study = event.message.study_id
    assert isinstance(event.message, Message)
    assert event.subject_id == "sub_of_ref_1"
    with exchange.linking.desk.parts.db.read() as connection:
        values = connection.exec_driver_sql("SELECT value FROM outbox WHERE kind = 'event'").scalars().all()
    assert len(values) == 1
    assert study.encode() not in values[0]
    assert POLICE.encode() not in values[0]
