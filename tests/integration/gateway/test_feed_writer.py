"""The writer: what of the log becomes whose feed, and what a change at consent brings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.feed import store
from gateway.models import DEAD_LETTERS, FEED_EVENT
from services.shared.errors import LeadError
from services.shared.events.dead_letters import MOST_IN_A_ROW
from services.shared.events.keys import LeaseLostError
from tests.integration.gateway.feeding import Feeding

OFFICE, PROVIDER = "office", "provider"


@pytest.fixture
def feeding(tmp_path: Path) -> Iterator[Feeding]:
    made = Feeding(tmp_path)
    made.consent.followed = {"sub_1": {OFFICE}}
    yield made
    made.close()


def dead(feeding: Feeding) -> list[str]:
    with feeding.db.read() as connection:
        return list(connection.execute(select(DEAD_LETTERS.c.reason)).scalars())


def test_an_event_reaches_those_who_follow_its_subject_and_its_source(feeding: Feeding) -> None:
    feeding.happens()
    feeding.rounds()
    assert feeding.told(OFFICE) == feeding.told("source") == ["ReferralRecorded"]
    assert feeding.told(PROVIDER) == []
    assert set(feeding.rung) == {OFFICE, "source"}


def test_an_event_that_comes_twice_is_fed_once(feeding: Feeding) -> None:
    feeding.log.append([feeding.happens()])
    feeding.rounds()
    assert feeding.told(OFFICE) == ["ReferralRecorded"]


def test_what_nobody_is_ever_told_of_is_not_kept(feeding: Feeding) -> None:
    """Research events, and names that this release does not know."""
    feeding.happens("ReferralFollowed")
    feeding.happens("SomethingNew")
    feeding.rounds()
    assert feeding.told(OFFICE) == []
    with feeding.db.read() as connection:
        assert connection.execute(select(FEED_EVENT)).first() is None


def test_what_happened_before_the_time_that_is_kept_is_not_fed_and_its_referral_is_known(feeding: Feeding) -> None:
    """A new gateway reads the whole log."""
    feeding.happens(at=feeding.clock.now() - timedelta(days=31))
    feeding.happens("ChargeDecided", topic="review", record="chg_1")
    feeding.rounds()
    assert feeding.told(OFFICE) == ["ChargeDecided"]
    with feeding.db.read() as connection:
        assert store.with_referral(connection, ["sub_1"]) == {"sub_1"}


def test_an_event_whose_keys_are_destroyed_is_nobodys_and_no_fault(feeding: Feeding) -> None:
    feeding.happens()
    feeding.consent.destroy(0)
    for _ in range(2 * MOST_IN_A_ROW):
        feeding.happens(subject="sub_9")
        feeding.consent.destroy(0)
    feeding.rounds()
    assert feeding.told(OFFICE) == []
    assert dead(feeding) == []
    assert not feeding.writer.poisoned()


def test_an_event_that_cannot_be_read_is_counted_and_the_next_is_fed(feeding: Feeding) -> None:
    feeding.broken()
    entry = feeding.entry("ReferralRecorded", "sub_1", "referral", "ref_1")
    feeding.log.append([type(entry)(entry.topic, entry.key, b"\xff", entry.headers)])
    feeding.happens()
    feeding.rounds()
    assert feeding.told(OFFICE) == ["ReferralRecorded"]
    assert sorted(dead(feeding)) == ["MalformedEventError", "SealBrokenError"]


def test_a_feed_of_broken_events_stops_instead_of_going_on(feeding: Feeding) -> None:
    for _ in range(MOST_IN_A_ROW + 1):
        feeding.broken()
    feeding.happens()
    feeding.rounds()
    assert feeding.writer.poisoned()
    assert feeding.told(OFFICE) == []


def test_while_consent_is_away_nothing_is_taken_in_and_nothing_is_lost(feeding: Feeding) -> None:
    feeding.happens()
    feeding.consent.is_away = True
    with pytest.raises(LeadError):
        feeding.rounds()
    feeding.consent.is_away = False
    feeding.rounds()
    assert feeding.told(OFFICE) == ["ReferralRecorded"]


def test_without_a_session_no_key_is_asked_for(feeding: Feeding) -> None:
    feeding.happens()
    feeding.session.is_alive = False
    with pytest.raises(LeaseLostError):
        feeding.rounds()
    assert feeding.consent.asked_about == []


def test_an_agency_that_begins_to_follow_gets_what_was_before(feeding: Feeding) -> None:
    feeding.happens()
    feeding.happens("ReferralWithdrawn")
    feeding.rounds()
    feeding.consent.followed["sub_1"] = {OFFICE, PROVIDER}
    feeding.consent.change("sub_1")
    feeding.rounds()
    assert feeding.told(PROVIDER) == ["ReferralRecorded", "ReferralWithdrawn"]
    assert feeding.told(OFFICE) == ["ReferralRecorded", "ReferralWithdrawn"]


def test_a_change_about_a_subject_feeds_again_what_was_withheld_of_it(feeding: Feeding) -> None:
    feeding.happens()
    feeding.happens("ReferralWithdrawn")
    feeding.rounds()
    feeding.pass_over(OFFICE, {1: 1})
    feeding.rung.clear()
    feeding.consent.change("sub_1")
    feeding.rounds()
    assert feeding.told(OFFICE) == ["ReferralWithdrawn", "ReferralRecorded"]
    assert feeding.rung == [OFFICE]


def test_a_change_that_comes_while_consent_is_away_is_followed_up_later(feeding: Feeding) -> None:
    feeding.happens()
    feeding.rounds()
    feeding.consent.followed["sub_1"] = {OFFICE, PROVIDER}
    feeding.consent.change("sub_1")
    feeding.consent.is_away = True
    with pytest.raises(LeadError):
        feeding.rounds()
    feeding.consent.is_away = False
    feeding.rounds()
    assert feeding.told(PROVIDER) == ["ReferralRecorded"]


@pytest.mark.parametrize("how", ["everything", "restart"])
def test_when_nobody_knows_what_changed_every_subject_is_looked_at(feeding: Feeding, how: str) -> None:
    subjects = [f"sub_{number}" for number in range(250)]
    for subject in subjects:
        feeding.happens(subject=subject)
    feeding.rounds()
    feeding.consent.followed = {subject: {PROVIDER} for subject in subjects}
    feeding.consent.asked_about.clear()
    if how == "everything":
        feeding.consent.change(everything=True)
        feeding.rounds()
    else:
        feeding.rounds(feeding.another())
    assert sorted(feeding.consent.asked_about) == sorted(subjects)
    assert len(feeding.told(PROVIDER)) == len(subjects)


def test_a_referral_that_is_heard_of_late_feeds_what_waited_for_it(feeding: Feeding) -> None:
    feeding.happens("ChargeDecided", topic="review", record="chg_1")
    feeding.rounds()
    feeding.pass_over(OFFICE, {1: 1})
    feeding.happens()
    feeding.rounds()
    assert sorted(feeding.told(OFFICE)) == ["ChargeDecided", "ReferralRecorded"]


def test_two_processes_feed_an_event_once(feeding: Feeding) -> None:
    other = feeding.another()
    feeding.happens()
    feeding.rounds()
    feeding.rounds(other)
    feeding.happens("ReferralWithdrawn")
    feeding.rounds(other)
    feeding.rounds()
    assert feeding.told(OFFICE) == ["ReferralRecorded", "ReferralWithdrawn"]


def test_the_thread_keeps_up_and_forgets_what_is_old(feeding: Feeding) -> None:
    feeding.happens()
    feeding.rounds()
    feeding.clock.advance(31 * 24 * 3600)
    feeding.happens("ReferralWithdrawn")
    feeding.writer.start()
    for _ in range(500):
        if feeding.told(OFFICE) == ["ReferralWithdrawn"]:
            break
        time.sleep(0.02)
    feeding.writer.stop()
    assert feeding.told(OFFICE) == ["ReferralWithdrawn"]
