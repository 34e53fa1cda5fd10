"""The feed's tables: who has an event, where it lies in a lane, and what is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.feed import store
from gateway.models import METADATA
from services.shared.db import Database, make_engine
from services.shared.db.migrations import check, drift, upgrade
from tests.integration.gateway.lanes import AGENCY, Reader, a_feed, an_event, arrive, reconcile
from tests.support.clock import NOON

LANE = "prosecutor/DIVERSION_COORD/"
OTHER = "prosecutor/DIVERSION_ELIG/"
DAY = timedelta(days=1)


@pytest.fixture
def db() -> Iterator[Database]:
    made = a_feed()
    yield made
    made.engine.dispose()


def places(db: Database, lane: str = LANE, agency: str = AGENCY, after: int = 0) -> list[tuple[int, str]]:
    with db.read() as connection:
        return [(one.place, one.event.event_id) for one in store.page(connection, agency, lane, after, 100)]


def told(db: Database, lane: str = LANE, agency: str = AGENCY) -> list[str]:
    return [event_id for _, event_id in places(db, lane, agency)]


def pass_over(db: Database, places: dict[int, int], lane: str = LANE) -> None:
    with db.write() as connection:
        store.withhold(connection, AGENCY, lane, places)


def test_migrations_make_the_tables_that_the_models_declare(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'gateway.db'}")
    upgrade("gateway", engine)
    assert check("gateway", engine) == []
    assert drift("gateway", engine, METADATA) == []
    engine.dispose()


def test_a_feed_keeps_the_id_that_it_got_first(db: Database) -> None:
    with db.write() as connection:
        assert store.feed_id(connection, "fed_2") == "fed_1"


def test_an_event_is_in_the_feeds_of_its_followers_and_in_no_other(db: Database) -> None:
    arrive(db, an_event(1), ["a", "b"])
    assert told(db, agency="a") == told(db, agency="b") == ["evt_1"]
    assert told(db, agency="c") == []


def test_who_begins_to_follow_gets_all_events_in_their_order(db: Database) -> None:
    arrive(db, an_event(1), [])
    arrive(db, an_event(2, "sub_2"), [AGENCY])
    arrive(db, an_event(3), [])
    assert told(db) == ["evt_2"]
    assert reconcile(db, "sub_1") == {AGENCY}
    assert told(db) == ["evt_2", "evt_1", "evt_3"]


def test_who_begins_to_follow_as_something_happens_gets_what_was_before_it_first(db: Database) -> None:
    arrive(db, an_event(1), [])
    arrive(db, an_event(2), [AGENCY])
    assert told(db) == ["evt_1", "evt_2"]


def test_looking_again_gives_nobody_anything_twice(db: Database) -> None:
    arrive(db, an_event(1))
    assert reconcile(db, "sub_1") == set()
    assert told(db) == ["evt_1"]


def test_what_was_fed_too_long_ago_goes_to_no_new_follower(db: Database) -> None:
    arrive(db, an_event(1), [])
    with db.write() as connection:
        assert store.follow(connection, "sub_1", [AGENCY], NOON + DAY, NOON + DAY) == set()


def test_what_a_lane_passed_over_is_fed_again_at_its_end_and_in_that_lane_alone(db: Database) -> None:
    arrive(db, an_event(1))
    arrive(db, an_event(2, "sub_2"))
    pass_over(db, {1: 1})
    assert reconcile(db, "sub_1") == {AGENCY}
    assert told(db) == ["evt_2", "evt_1"]
    assert told(db, OTHER) == ["evt_1", "evt_2"]


def test_what_was_fed_again_is_not_fed_once_more(db: Database) -> None:
    arrive(db, an_event(1))
    pass_over(db, {1: 1})
    reconcile(db, "sub_1")
    assert reconcile(db, "sub_1") == set()
    assert places(db) == [(2, "evt_1")]


def test_what_is_passed_over_at_its_new_place_is_fed_again_from_there(db: Database) -> None:
    arrive(db, an_event(1))
    pass_over(db, {1: 1})
    reconcile(db, "sub_1")
    pass_over(db, {2: 1})
    assert reconcile(db, "sub_1") == {AGENCY}
    assert places(db) == [(3, "evt_1")]


def test_a_late_note_about_a_place_that_was_left_counts_for_nothing(db: Database) -> None:
    """Otherwise the next change would feed an event again that had arrived at its new place."""
    arrive(db, an_event(1))
    pass_over(db, {1: 1})
    reconcile(db, "sub_1")
    pass_over(db, {1: 1})
    assert reconcile(db, "sub_1") == set()


def test_what_may_be_told_before_it_was_fed_again_is_told_at_its_new_place_alone(db: Database) -> None:
    arrive(db, an_event(1))
    looked = list[str]()
    first, second = Reader(db, LANE, looked.append), Reader(db, LANE, looked.append)
    first.read(lambda _: False)
    # A release is signed, and the writer has not heard of it yet.
    assert second.read(lambda _: True) == 0
    assert looked == ["sub_1"]
    reconcile(db, "sub_1")
    assert first.read(lambda _: True) == second.read(lambda _: True) == 1
    assert first.read(lambda _: True) == second.read(lambda _: True) == 0


def test_a_page_is_bounded_and_goes_on_behind_its_last_place(db: Database) -> None:
    for number in range(1, 6):
        arrive(db, an_event(number))
    with db.read() as connection:
        first = store.page(connection, AGENCY, LANE, 0, 2)
    assert [one.place for one in first] == [1, 2]
    assert [place for place, _ in places(db, after=2)] == [3, 4, 5]


def test_the_newest_version_of_a_referral_counts(db: Database) -> None:
    arrive(db, an_event(1, name="ChargeDecided"))
    with db.write() as connection:
        store.note_referral(connection, "sub_1", "ref_b", 2, NOON)
        store.note_referral(connection, "sub_1", "ref_a", 1, NOON)
        [pointer] = store.page(connection, AGENCY, LANE, 0, 10)
    assert pointer.referral_id == "ref_b"


def test_the_feed_forgets_after_its_time_and_its_places_go_on(db: Database) -> None:
    arrive(db, an_event(1))
    arrive(db, an_event(2))
    pass_over(db, {1: 1})
    with db.write() as connection:
        store.note_referral(connection, "sub_1", "ref_1", 1, NOON)
        store.purge(connection, NOON + DAY, NOON)
        assert store.newest_place(connection) == 2
        assert store.with_referral(connection, ["sub_1"]) == {"sub_1"}
        assert store.feed_again(connection, "sub_1", NOON) == set()
        store.purge(connection, NOON + DAY, NOON + DAY)
        assert store.with_referral(connection, ["sub_1"]) == set()
    assert [event_id for _, event_id in places(db)] == ["evt_2"]


def test_what_was_fed_again_of_late_is_kept_though_it_is_old(db: Database) -> None:
    arrive(db, an_event(1))
    pass_over(db, {1: 1})
    with db.write() as connection:
        store.feed_again(connection, "sub_1", NOON + DAY)
        arrive_at = NOON + DAY
        store.purge(connection, arrive_at, NOON)
    assert places(db) == [(2, "evt_1")]
    assert told(db, OTHER) == []


def test_subjects_are_walked_in_order(db: Database) -> None:
    for number in range(1, 4):
        arrive(db, an_event(number, f"sub_{number}"))
    with db.read() as connection:
        assert store.subjects_after(connection, "", 2) == ["sub_1", "sub_2"]
        assert store.subjects_after(connection, "sub_2", 2) == ["sub_3"]
        assert store.fed_subjects(connection, ["sub_9", "sub_3"]) == ["sub_3"]
