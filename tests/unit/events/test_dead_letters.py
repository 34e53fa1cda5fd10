from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert
from sqlalchemy.exc import OperationalError

from services.shared.events.dead_letters import MOST_IN_A_ROW, MOST_IN_WINDOW, WINDOW, Bounds
from services.shared.events.delivery import AnyHandler, Delivery, Handler
from services.shared.events.log import Entry, LogRecord
from tests.unit.events.harness import EFFECTS, TABLES, Receiver, World, an_event, write_down
from tests.unit.events.sample import IDENTITY, TOPIC, SampleChanged, a_change


def fails_for(name: str) -> dict[str, AnyHandler]:
    """Handlers that write their effect and then fail for events with this name."""

    def apply(connection: Connection, delivery: Delivery[Any]) -> None:
        write_down(connection, delivery)
        if delivery.message.name == name:
            raise ValueError("Testa Sample told me so")

    return {"SampleChanged": Handler(SampleChanged, apply)}


def publish(world: World, *names: str) -> None:
    world.consent.allow(IDENTITY)
    for name in names:
        world.producer.put(an_event(a_change(name=name), record_id=f"rec_{world.producer.unsent()}"))
    world.producer.relay.run_once()


def test_one_bad_event_does_not_stop_the_others_and_leaves_no_effect(world: World) -> None:
    publish(world, "good", "bad", "fine")
    receiver = world.receiver(fails_for("bad"))
    receiver.consume()
    assert [name for _, _, name in receiver.effects()] == ["good", "fine"]
    assert receiver.rows(TABLES.dead_letters, "topic", "position", "reason") == [(TOPIC, 1, "ValueError")]


def test_a_dead_letter_tells_reason_and_envelope_and_no_content(world: World, caplog: pytest.LogCaptureFixture) -> None:
    publish(world, "bad")
    receiver = world.receiver(fails_for("bad"))
    with caplog.at_level(logging.DEBUG):
        receiver.consume()
    (row,) = receiver.rows(TABLES.dead_letters)
    everything = repr(row) + caplog.text + repr([record.__dict__ for record in caplog.records])
    for content in ("Testa", "bad", "sub_1", "rec_0"):
        assert content not in everything
    assert row[4].startswith("evt_")


def test_a_dead_event_that_comes_again_is_not_tried_again(world: World) -> None:
    publish(world, "bad")
    receiver = world.receiver(fails_for("bad"))
    receiver.consume()
    (record,) = world.log.records[TOPIC]
    world.log.records[TOPIC].append(LogRecord(TOPIC, 1, record.key, record.value, record.headers))
    receiver.consume()
    assert len(receiver.rows(TABLES.dead_letters)) == 1


@pytest.mark.parametrize("value", [b"", b"\xff\xff", b"hello"])
def test_what_is_no_event_is_a_dead_letter(world: World, value: bytes) -> None:
    world.log.append([Entry(TOPIC, b"\x00", value, {"ce_id": b"\xff\x00", "x": value})])
    publish(world, "good")
    receiver = world.receiver()
    receiver.consume()
    assert receiver.rows(TABLES.dead_letters, "reason") == [("MalformedEventError",)]
    assert [name for _, _, name in receiver.effects()] == ["good"]


def test_over_ten_in_a_row_stop_the_consumer_before_the_eleventh_is_followed_by_more(world: World) -> None:
    publish(world, *["bad"] * 30)
    receiver = world.receiver(fails_for("bad"))
    receiver.consume()
    assert receiver.loop.poisoned()
    assert len(receiver.rows(TABLES.dead_letters)) == MOST_IN_A_ROW + 1
    assert receiver.rows(TABLES.offsets, "position") == [(MOST_IN_A_ROW,)]


def test_a_consumer_that_is_mended_goes_on_where_it_stopped(world: World) -> None:
    publish(world, *["bad"] * 12)
    world.receiver(fails_for("bad")).consume()
    mended = world.receiver()
    mended.consume()
    assert len(mended.effects()) == 1
    assert not mended.loop.poisoned()


def test_what_the_database_refuses_for_its_content_is_the_events_fault(world: World) -> None:
    def twice(connection: Connection, _delivery: Delivery[Any]) -> None:
        connection.execute(insert(EFFECTS), [{"id": 1}, {"id": 1}])

    publish(world, "x")
    receiver = world.receiver({"SampleChanged": Handler(SampleChanged, twice)})
    receiver.consume()
    assert receiver.rows(TABLES.dead_letters, "reason") == [("IntegrityError",)]


def test_what_the_database_refuses_for_its_own_state_is_not(world: World) -> None:
    full = [True]

    def disk_full(connection: Connection, delivery: Delivery[Any]) -> None:
        if full:
            full.pop()
            raise OperationalError("INSERT", {}, Exception("disk full"))
        write_down(connection, delivery)

    publish(world, "x")
    receiver = world.receiver({"SampleChanged": Handler(SampleChanged, disk_full)})
    with pytest.raises(OperationalError):
        receiver.loop.run_once()
    receiver.consume()
    assert (len(receiver.effects()), receiver.rows(TABLES.dead_letters)) == (1, [])


def wait_until(condition: Any) -> bool:
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def running(receiver: Receiver) -> Receiver:
    receiver.loop.start()
    return receiver


def test_a_running_loop_is_ready_takes_what_comes_and_stops_when_told(world: World) -> None:
    receiver = running(world.receiver())
    try:
        assert wait_until(receiver.loop.ready)
        publish(world, "one", "two")
        assert wait_until(lambda: len(receiver.effects()) == 2)
        world.consent.session.is_alive = False
        assert wait_until(lambda: not receiver.loop.ready())
        world.consent.session.is_alive = True
        assert wait_until(receiver.loop.ready)
    finally:
        receiver.loop.stop()
    assert not receiver.loop.ready()


def test_a_poisoned_loop_says_so_loudly_and_is_not_ready(world: World, caplog: pytest.LogCaptureFixture) -> None:
    publish(world, *["bad"] * 30)
    receiver = running(world.receiver(fails_for("bad")))
    assert wait_until(lambda: not receiver.loop._thread.is_alive())
    assert not receiver.loop.ready()
    assert any(record.levelno == logging.CRITICAL for record in caplog.records)
    receiver.loop.stop()


def test_a_grant_wakes_a_loop_that_waits(world: World) -> None:
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = running(world.receiver())
    try:
        assert wait_until(lambda: receiver.shelved() == 1)
        world.consent.allow(IDENTITY)
        assert wait_until(lambda: len(receiver.effects()) == 1)
    finally:
        receiver.loop.stop()


@given(st.lists(st.booleans(), max_size=3 * WINDOW // 10))
def test_bounds_break_exactly_by_run_or_by_ratio(fates: list[bool]) -> None:
    bounds = Bounds()
    for index, dead in enumerate(fates):
        bounds.count(dead=dead)
        seen = fates[: index + 1]
        run = next((place for place, fate in enumerate(reversed(seen)) if not fate), len(seen))
        assert bounds.are_broken() == (run > MOST_IN_A_ROW or sum(seen[-WINDOW:]) > MOST_IN_WINDOW)


def test_five_percent_of_the_last_thousand_are_borne_and_not_one_more() -> None:
    bounds = Bounds()
    for number in range(WINDOW):
        bounds.count(dead=number % 20 == 0)
    assert not bounds.are_broken()
    spare = bounds.copy()
    bounds.count(dead=True)
    bounds.count(dead=True)
    assert bounds.are_broken()
    assert not spare.are_broken()


def test_an_event_that_cannot_be_written_down_is_given_up_alone(world: World) -> None:
    """What is noted of it is written in the same statement as the notes of its whole batch."""
    world.consent.allow(IDENTITY)
    for number in range(3):
        world.producer.put(an_event(a_change(name="x", narrative="x"), record_id=f"rec_{number}"))
    world.producer.relay.run_once()
    receiver = world.receiver({"SampleChanged": Handler(SampleChanged, lambda _conn, _delivery: None)})
    with receiver.db.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON applied_version WHEN NEW.record_id = 'rec_1'"
            " BEGIN SELECT RAISE(ABORT, 'no such record'); END"
        )
    receiver.consume()
    assert receiver.rows(TABLES.dead_letters, "position", "reason") == [(1, "IntegrityError")]
    assert receiver.rows(TABLES.applied, "record_id", "version") == [("rec_0", 1), ("rec_2", 1)]
    assert (receiver.shelved(), len(receiver.rows(TABLES.inbox))) == (2, 3)


def test_what_a_dead_event_would_have_replaced_is_not_replaced(world: World) -> None:
    world.consent.allow(IDENTITY)
    for version, name in ((3, "bad"), (2, "good"), (1, "older")):
        world.producer.put(an_event(a_change(name=name), version=version))
    world.producer.relay.run_once()
    receiver = world.receiver(fails_for("bad"))
    receiver.consume()
    assert receiver.effects() == [("rec_1", 2, "good")]
    assert receiver.rows(TABLES.applied, "version") == [(2,)]


def test_late_events_beside_one_that_cannot_be_applied_are_applied(world: World) -> None:
    for name in ("good", "bad", "fine"):
        world.producer.put(an_event(a_change(name=name), record_id=f"rec_{name}"))
    world.producer.relay.run_once()
    receiver = world.receiver(fails_for("bad"))
    receiver.consume()
    world.consent.allow(IDENTITY)
    receiver.consume()
    assert [name for _, _, name in receiver.effects()] == ["good", "fine"]
    assert receiver.rows(TABLES.dead_letters, "reason") == [("ValueError",)]
    assert receiver.shelved() == 0


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bad=st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_batch_ends_where_one_by_one_would_have_ended(
    tmp_path_factory: pytest.TempPathFactory, bad: list[bool]
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    publish(world, *("bad" if one else "good" for one in bad))
    bounds, taken = Bounds(), 0
    while taken < len(bad) and not bounds.are_broken():
        bounds.count(dead=bad[taken])
        taken += 1
    receiver = world.receiver(fails_for("bad"))
    receiver.consume()
    assert receiver.rows(TABLES.offsets, "position") == [(taken - 1,)]
    assert len(receiver.effects()) == bad[:taken].count(False)
    assert len(receiver.rows(TABLES.dead_letters)) == bad[:taken].count(True)
    assert receiver.loop.poisoned() == bounds.are_broken()
