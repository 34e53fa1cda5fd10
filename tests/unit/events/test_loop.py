from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lead.envelope.v1.envelope_pb2 import SealedEvent
from sqlalchemy import Connection
from sqlalchemy.event import listen

from services.shared.errors import LeadError
from services.shared.events.cloudevents import MalformedEventError
from services.shared.events.delivery import Delivery, Handler
from services.shared.events.incoming import from_record, open_event
from services.shared.events.keys import LeaseLostError
from services.shared.events.log import LogRecord, LogUnavailableError
from services.shared.events.seal import SealBrokenError
from tests.unit.events.harness import EFFECTS, TABLES, Killed, World, an_event, write_down
from tests.unit.events.sample import CHARGE, IDENTITY, TOPIC, SampleChanged, SampleWithdrawn, a_change


def test_what_is_released_reaches_the_handler_and_the_rest_is_shelved(world: World) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa", narrative="secret")))
    got: list[Delivery[Any]] = []
    receiver = world.receiver({"SampleChanged": Handler(SampleChanged, lambda _conn, delivery: got.append(delivery))})
    receiver.consume()
    (delivery,) = got
    assert (delivery.event_name, delivery.topic) == ("SampleChanged", TOPIC)
    assert (delivery.record_id, delivery.subject_id, delivery.version) == ("rec_1", "sub_1", 1)
    assert delivery.source_agency_id == "springfield-pd"
    assert delivery.time == world.clock.now()
    assert delivery.opened_categories == {IDENTITY}
    assert delivery.consents == (("con_sample", 1),)
    assert delivery.message == a_change(name="Testa")
    assert not delivery.late
    assert receiver.shelved() == 1


def test_each_agency_gets_only_what_was_opened_for_it(world: World) -> None:
    world.consent.allow(IDENTITY, "north-office", "south-office")
    world.consent.allow(CHARGE, "north-office", record_id="chg_1")
    world.consent.allow(CHARGE, "south-office", record_id="chg_2")
    world.producer.publish(an_event(a_change(name="Testa", charges=[{"id": "chg_1"}, {"id": "chg_2"}])))
    receiver = world.receiver()
    receiver.consume()
    assert receiver.rows(EFFECTS, "agency_id", "name", "charges") == [
        ("north-office", "Testa", "chg_1"),
        ("south-office", "Testa", "chg_2"),
    ]


def test_an_event_that_may_not_be_opened_leaves_no_trace_but_the_shelf(world: World) -> None:
    world.producer.publish(an_event(a_change(name="Testa", narrative="secret")))
    receiver = world.receiver()
    receiver.consume()
    assert receiver.effects() == []
    assert receiver.shelved() == 2
    assert receiver.rows(TABLES.dead_letters) == []


def test_five_duplicates_count_once_and_ask_for_keys_once(world: World) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver()
    receiver.consume()
    asked = list(world.consent.asked)
    (record,) = world.log.records[TOPIC]
    for offset in range(1, 6):
        world.log.records[TOPIC].append(LogRecord(TOPIC, offset, record.key, record.value, record.headers))
    receiver.consume()
    assert receiver.effects() == [("rec_1", 1, "Testa")]
    assert world.consent.asked == asked
    assert receiver.rows(TABLES.offsets, "position") == [(5,)]


def test_duplicates_within_one_batch_count_once(world: World) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa")))
    (record,) = world.log.records[TOPIC]
    world.log.records[TOPIC].append(LogRecord(TOPIC, 1, record.key, record.value, record.headers))
    receiver = world.receiver()
    receiver.consume()
    assert receiver.effects() == [("rec_1", 1, "Testa")]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations([1, 2, 3, 4]), repeats=st.lists(st.integers(0, 3), max_size=5))
def test_in_whatever_order_events_come_the_newest_version_stands(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], repeats: list[int]
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    world.consent.allow(IDENTITY)
    for version in (1, 2, 3, 4):
        world.producer.publish(an_event(a_change(name=f"v{version}"), version=version))
    records = world.log.records[TOPIC]
    shuffled = [records[version - 1] for version in order] + [records[index] for index in repeats]
    world.log.records[TOPIC] = [
        LogRecord(TOPIC, offset, record.key, record.value, record.headers) for offset, record in enumerate(shuffled)
    ]
    receiver = world.receiver()
    receiver.consume()
    versions = [version for _, version, _ in receiver.effects()]
    assert versions == sorted(set(versions))
    assert versions[-1] == 4


def test_an_older_version_still_tells_what_the_newer_one_left_out(world: World) -> None:
    world.consent.allow(IDENTITY)
    world.consent.allow(CHARGE)
    world.producer.publish(an_event(a_change(name="v2"), version=2))
    world.producer.publish(an_event(a_change(name="v1", charges=[{"id": "chg_1"}]), version=1))
    receiver = world.receiver()
    receiver.consume()
    assert receiver.rows(EFFECTS, "version", "name", "charges") == [(2, "v2", ""), (1, "", "chg_1")]


def test_events_of_one_series_replace_each_other(world: World) -> None:
    world.consent.allow(3)
    world.producer.publish(an_event(SampleWithdrawn(reason="gone"), version=2))
    world.producer.publish(an_event(a_change(at_time={"seconds": 1}), version=1))
    got: list[int] = []
    handlers = {
        "SampleChanged": Handler(SampleChanged, lambda _conn, it: got.append(it.version), series="sample"),
        "SampleWithdrawn": Handler(SampleWithdrawn, lambda _conn, it: got.append(it.version), series="sample"),
    }
    world.receiver(handlers).consume()
    assert got == [2]


def test_a_death_between_effect_and_commit_counts_once(world: World) -> None:
    world.consent.allow(IDENTITY)
    for number in range(3):
        world.producer.publish(an_event(a_change(name=f"n{number}"), record_id=f"rec_{number}"))
    deaths = [True]

    def die_once(connection: Connection, delivery: Delivery[Any]) -> None:
        write_down(connection, delivery)
        if delivery.record_id == "rec_1" and deaths:
            deaths.pop()
            raise Killed

    handlers = {"SampleChanged": Handler(SampleChanged, die_once)}
    with pytest.raises(Killed):
        world.receiver(handlers).consume()
    again = world.receiver(handlers)
    assert again.effects() == []
    again.consume()
    assert [name for _, _, name in again.effects()] == ["n0", "n1", "n2"]


@pytest.mark.parametrize("what", ["consent", "log"])
def test_while_something_is_away_nothing_is_lost_and_nothing_is_given_up(world: World, what: str) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver()
    if what == "consent":
        world.consent.is_away = True
    else:
        world.log.fail(1)
    with pytest.raises((LeadError, LogUnavailableError)):
        receiver.loop.run_once()
    world.consent.is_away = False
    receiver.consume()
    assert receiver.effects() == [("rec_1", 1, "Testa")]
    assert receiver.rows(TABLES.dead_letters) == []


def test_nothing_is_read_without_a_live_session(world: World) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver()
    world.consent.session.is_alive = False
    with pytest.raises(LeaseLostError):
        receiver.loop.run_once()
    assert world.consent.asked == []


def test_a_revocation_between_release_and_commit_takes_the_effect_back(world: World) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver()

    def revoke() -> None:
        world.consent.meanwhile = lambda: None
        world.consent.deny(IDENTITY)

    world.consent.meanwhile = revoke
    with pytest.raises(LeaseLostError):
        receiver.loop.run_once()
    assert receiver.effects() == []
    receiver.consume()
    assert receiver.effects() == []
    assert receiver.shelved() == 1


def test_a_new_consumer_that_replays_everything_opens_only_what_is_allowed_now(world: World) -> None:
    world.consent.allow(IDENTITY, subject_id="sub_1")
    world.consent.allow(IDENTITY, subject_id="sub_2")
    for subject in ("sub_1", "sub_2"):
        world.producer.publish(an_event(a_change(name=subject), record_id=subject, subject_id=subject))
    world.receiver().consume()
    world.consent.deny(IDENTITY, subject_id="sub_1")
    (world.folder / "replay").mkdir()
    world.folder = world.folder / "replay"
    replay = world.receiver()
    replay.consume()
    assert [name for _, _, name in replay.effects()] == ["sub_2"]


def test_an_event_that_this_release_does_not_know_is_skipped(world: World) -> None:
    world.consent.allow(3)
    world.producer.publish(an_event(SampleWithdrawn(reason="gone")))
    receiver = world.receiver()
    receiver.consume()
    assert (receiver.effects(), receiver.shelved(), receiver.rows(TABLES.dead_letters)) == ([], 0, [])
    assert receiver.rows(TABLES.offsets, "position") == [(0,)]


def test_an_event_changed_on_the_log_is_given_up(world: World) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa")))
    (record,) = world.log.records[TOPIC]
    changed = record.value[:-1] + bytes([record.value[-1] ^ 1])
    world.log.records[TOPIC] = [LogRecord(TOPIC, 0, record.key, changed, record.headers)]
    receiver = world.receiver()
    receiver.consume()
    assert receiver.effects() == []
    assert receiver.rows(TABLES.dead_letters, "reason") == [("SealBrokenError",)]


def test_a_section_of_another_source_than_its_event_is_refused(world: World) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa")))
    incoming = from_record(world.log.records[TOPIC][0])
    released = world.consent.release([incoming.ask()]).events[0]
    assert open_event(incoming, released) is not None
    released.sections[0].source_agency_id = "shelbyville-pd"
    with pytest.raises(SealBrokenError):
        open_event(incoming, released)


def test_a_section_that_is_on_the_log_twice_is_refused(world: World) -> None:
    world.producer.publish(an_event(a_change(name="Testa")))
    (record,) = world.log.records[TOPIC]
    event = SealedEvent.FromString(record.value)
    event.sections.append(event.sections[0])
    with pytest.raises(MalformedEventError):
        from_record(LogRecord(TOPIC, 0, record.key, event.SerializeToString(), record.headers))


def test_two_consumers_of_one_area_do_not_apply_twice(world: World) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa")))
    one, other = world.receiver(), world.receiver()

    def be_quicker() -> None:
        """Run the other one between the first one's poll and its transaction."""
        world.consent.meanwhile = lambda: None
        other.consume()

    world.consent.meanwhile = be_quicker
    one.consume()
    assert one.effects() == [("rec_1", 1, "Testa")]


def statements_of_a_batch(world: World, size: int) -> int:
    """Let a new consumer take this many events in one batch, one in two of which opens; count what it asks of SQL."""
    world.folder = world.folder / str(size)
    world.folder.mkdir()
    handlers = {"SampleChanged": Handler(SampleChanged, lambda _conn, _delivery: None)}
    receiver = world.receiver(handlers)
    world.log.records[TOPIC].clear()
    for number in range(size):
        world.producer.put(an_event(a_change(name="x"), record_id=f"rec_{number}", subject_id=f"sub_{number % 2}"))
    world.producer.relay.run_once()
    said: list[str] = []
    listen(receiver.db.engine, "after_cursor_execute", lambda *its: said.append(its[2]))
    receiver.loop.run_once()
    assert receiver.rows(TABLES.offsets, "position") == [(size - 1,)]
    assert receiver.shelved() == size // 2
    return len(said)


def test_a_batch_asks_the_database_as_often_whether_it_is_small_or_large(world: World) -> None:
    world.consent.allow(IDENTITY, subject_id="sub_1")
    assert statements_of_a_batch(world, 4) == statements_of_a_batch(world, 60)
