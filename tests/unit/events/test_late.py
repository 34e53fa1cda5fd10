from __future__ import annotations

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection

from services.shared.errors import LeadError
from services.shared.events import shelf
from services.shared.events.delivery import Delivery, Handler
from services.shared.events.keys import Change
from tests.unit.events.harness import EFFECTS, TABLES, Killed, Receiver, World, an_event, write_down
from tests.unit.events.sample import CHARGE, IDENTITY, NARRATIVE, SampleChanged, a_change

KEEPING = {"SampleChanged": Handler(SampleChanged, write_down, for_later_agencies=True)}


def test_a_release_signed_later_makes_the_earlier_event_readable(world: World) -> None:
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver()
    receiver.consume()
    assert receiver.effects() == []
    world.consent.allow(IDENTITY)
    receiver.consume()
    assert receiver.rows(EFFECTS, "record_id", "name", "late") == [("rec_1", "Testa", 1)]
    assert receiver.shelved() == 0


def test_what_comes_late_comes_in_version_order(world: World) -> None:
    for version in (3, 1, 2):
        world.producer.publish(an_event(a_change(name=f"v{version}"), version=version))
    receiver = world.receiver()
    receiver.consume()
    world.consent.allow(IDENTITY)
    receiver.consume()
    assert [version for _, version, _ in receiver.effects()] == [1, 2, 3]


def test_an_older_version_that_opens_late_does_not_overwrite_the_newer_one(world: World) -> None:
    receiver = world.receiver()
    world.producer.publish(an_event(a_change(name="v1"), version=1))
    receiver.consume()
    world.consent.allow(IDENTITY, tell=False)
    world.producer.publish(an_event(a_change(name="v2"), version=2))
    receiver.consume()
    world.consent.change()
    receiver.consume()
    assert receiver.effects() == [("rec_1", 2, "v2")]
    assert receiver.shelved() == 0


def test_a_late_delivery_carries_only_what_is_new(world: World) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa", charges=[{"id": "chg_1"}, {"id": "chg_2"}])))
    receiver = world.receiver()
    receiver.consume()
    world.consent.allow(CHARGE, record_id="chg_2")
    receiver.consume()
    assert receiver.rows(EFFECTS, "name", "charges", "late") == [("Testa", "", 0), ("", "chg_2", 1)]
    assert receiver.shelved() == 1


def test_a_change_that_opens_nothing_changes_nothing(world: World) -> None:
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver()
    receiver.consume()
    world.consent.change("sub_1")
    receiver.consume()
    assert (receiver.effects(), receiver.shelved()) == ([], 1)


def test_a_grant_while_the_process_was_down_is_caught_up_with(world: World) -> None:
    world.producer.publish(an_event(a_change(name="Testa")))
    world.receiver().consume()
    world.consent.allow(IDENTITY)
    again = world.receiver()
    again.consume()
    assert again.effects() == [("rec_1", 1, "Testa")]


def test_a_grant_that_no_session_remembers_is_found_by_the_sweep_after_a_start(world: World) -> None:
    for number in range(450):
        event = an_event(a_change(name="x"), record_id=f"rec_{number}", subject_id=f"sub_{number % 3}")
        world.producer.put(event)
    world.producer.relay.run_once()
    world.receiver().consume()
    world.consent.allow(IDENTITY, tell=False)
    again = world.receiver()
    again.consume()
    assert len(again.effects()) == 450


def test_a_change_of_everything_asks_for_all_that_nobody_has(world: World) -> None:
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver()
    receiver.consume()
    world.consent.allow(IDENTITY, tell=False)
    world.consent.change(everything=True)
    receiver.consume()
    assert receiver.effects() == [("rec_1", 1, "Testa")]


def test_changes_once_applied_are_not_asked_for_again_after_a_restart(world: World) -> None:
    world.consent.allow(IDENTITY)
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver(KEEPING)
    receiver.consume()
    world.consent.change("sub_1")
    receiver.consume()
    asked = len(world.consent.asked)
    world.receiver(KEEPING).consume()
    assert len(world.consent.asked) == asked


def test_a_consent_that_is_away_does_not_lose_a_change(world: World) -> None:
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver()
    receiver.consume()
    world.consent.allow(IDENTITY)
    world.consent.is_away = True
    with pytest.raises(LeadError):
        receiver.loop.run_once()
    world.consent.is_away = False
    receiver.consume()
    assert receiver.effects() == [("rec_1", 1, "Testa")]


def test_a_death_while_something_late_is_applied_counts_once(world: World) -> None:
    deaths = [True]

    def die_once(connection: Connection, delivery: Delivery[Any]) -> None:
        write_down(connection, delivery)
        if deaths:
            deaths.pop()
            raise Killed

    handlers = {"SampleChanged": Handler(SampleChanged, die_once)}
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver(handlers)
    receiver.consume()
    world.consent.allow(IDENTITY)
    with pytest.raises(Killed):
        receiver.consume()
    again = world.receiver(handlers)
    again.consume()
    assert again.effects() == [("rec_1", 1, "Testa")]


def test_another_agency_named_later_learns_what_the_first_one_has(world: World) -> None:
    world.consent.allow(IDENTITY, "north-pd")
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver(KEEPING)
    receiver.consume()
    world.consent.allow(IDENTITY, "south-pd")
    receiver.consume()
    world.consent.change("sub_1")
    receiver.consume()
    assert receiver.rows(EFFECTS, "agency_id", "late") == [("north-pd", 0), ("south-pd", 1)]
    assert receiver.shelved() == 1


def test_without_that_wish_an_opened_section_leaves_the_shelf_and_is_not_asked_for_again(world: World) -> None:
    world.consent.allow(IDENTITY, "north-pd")
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver()
    receiver.consume()
    asked = len(world.consent.asked)
    world.consent.change("sub_1")
    receiver.consume()
    assert len(world.consent.asked) == asked


def test_after_an_expungement_the_shelf_is_purged_and_opens_no_more(world: World) -> None:
    world.producer.publish(an_event(a_change(name="Testa", narrative="secret")))
    receiver = world.receiver()
    receiver.consume()
    destroyed = world.consent.destroy(NARRATIVE)
    with receiver.db.write() as connection:
        assert shelf.purge(connection, TABLES.shelf, destroyed) == 1
    world.consent.allow(IDENTITY)
    world.consent.allow(NARRATIVE)
    receiver.consume()
    assert receiver.effects() == [("rec_1", 1, "Testa")]
    assert receiver.shelved() == 0


def test_a_late_event_that_cannot_be_applied_is_given_up_and_leaves_the_shelf(world: World) -> None:
    def fail(_connection: Connection, _delivery: Delivery[Any]) -> None:
        raise KeyError("secret")

    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver({"SampleChanged": Handler(SampleChanged, fail)})
    receiver.consume()
    world.consent.allow(IDENTITY)
    receiver.consume()
    assert receiver.rows(TABLES.dead_letters, "reason", "position") == [("KeyError", -1)]
    assert receiver.shelved() == 0


def told(epoch: int, *, keys: Collection[bytes] = (), everything: bool = False) -> Change:
    return SimpleNamespace(epoch=epoch, subject_ids=(), key_ids=tuple(keys), everything=everything)


def restarted(world: World, *changes: Change) -> Receiver:
    """Return the consumer after a restart, its new session having told this history at once."""
    world.consent.session.changes.clear()
    receiver = world.receiver(KEEPING)
    for change in changes:
        world.consent.session.tell(change)
    return receiver


def served_one_agency(world: World) -> int:
    """Let a consumer open an event for one agency and keep up with consent; return the epoch."""
    world.consent.allow(IDENTITY, "north-pd")
    world.producer.publish(an_event(a_change(name="Testa")))
    receiver = world.receiver(KEEPING)
    receiver.consume()
    world.consent.change("sub_1")
    receiver.consume()
    return world.consent.session.epoch()


def test_a_session_that_tells_old_changes_again_asks_nothing_again(world: World) -> None:
    epoch = served_one_agency(world)
    asked = list(world.consent.asked)
    restarted(world, told(epoch - 1, keys=asked), told(epoch, everything=True)).consume()
    assert world.consent.asked == asked


def test_changes_too_many_to_be_told_make_the_consumer_ask_for_everything(world: World) -> None:
    served_one_agency(world)
    world.consent.allow(IDENTITY, "south-pd", tell=False)
    receiver = restarted(world, told(1), told(world.consent.release([]).epoch, everything=True))
    receiver.consume()
    assert receiver.rows(EFFECTS, "agency_id") == [("north-pd",), ("south-pd",)]


def test_a_restored_consent_that_counts_from_an_older_epoch_is_listened_to_again(world: World) -> None:
    epoch = served_one_agency(world)
    receiver = restarted(world, told(epoch - 1))
    world.consent._epoch = epoch - 1
    receiver.consume()
    world.consent.allow(IDENTITY, "south-pd")
    receiver.consume()
    assert receiver.rows(EFFECTS, "agency_id") == [("north-pd",), ("south-pd",)]


def test_what_a_restored_consent_tells_right_after_its_restore_is_not_missed(world: World) -> None:
    epoch = served_one_agency(world)
    receiver = world.receiver(KEEPING)
    receiver.consume()
    world.consent.session.tell(told(epoch - 2, everything=True))
    world.consent._epoch = epoch - 2
    receiver.consume()
    world.consent.allow(IDENTITY, "south-pd")
    receiver.consume()
    assert receiver.rows(EFFECTS, "agency_id") == [("north-pd",), ("south-pd",)]
