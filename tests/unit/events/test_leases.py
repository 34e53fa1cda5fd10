from __future__ import annotations

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from lead.options.v1 import words_pb2

from services.shared.errors import LeadError
from services.shared.events.keys import Change, Lease, LeaseLostError, Leases, SealedKeys
from tests.support.clock import FakeClock
from tests.support.keys import FakeConsent, Place

PLACE = Place("sample", "sub_1", "springfield-pd", words_pb2.CATEGORY_IDENTITY, "")


class Desk:
    """A consent that releases one key of the subject `sub_1`, and the guard over it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.consent = FakeConsent()
        self.leases = Leases(self.consent, self.consent.session, self.clock)
        self.ask = SealedKeys(
            routing_key_id=self.consent.key(Place("sample", "sub_1", "", 0, "")).key_id,
            section_key_ids=[self.consent.key(PLACE).key_id],
        )
        self.consent.allow(words_pb2.CATEGORY_IDENTITY)

    def take(self) -> Lease:
        return self.leases.take([self.ask])

    def commit(self, lease: Lease, *subjects: str) -> None:
        with self.leases.committing(lease, subjects or ("sub_1",)):
            pass


@pytest.fixture
def desk() -> Desk:
    return Desk()


def a_change(epoch: int, *subjects: str, everything: bool = False) -> Change:
    return SimpleNamespace(epoch=epoch, subject_ids=subjects, key_ids=(), everything=everything)


def test_a_fresh_lease_is_good(desk: Desk) -> None:
    lease = desk.take()
    assert lease.events[0].sections[0].key == desk.consent.key(PLACE).key
    desk.commit(lease)


def test_nothing_is_asked_for_without_a_live_session(desk: Desk) -> None:
    desk.consent.session.is_alive = False
    with pytest.raises(LeaseLostError):
        desk.take()
    assert desk.consent.asked == []


def test_a_lease_ends_with_the_session(desk: Desk) -> None:
    lease = desk.take()
    desk.consent.session.is_alive = False
    with pytest.raises(LeaseLostError):
        desk.commit(lease)


def test_a_lease_ends_after_sixty_seconds(desk: Desk) -> None:
    lease = desk.take()
    desk.clock.advance(60)
    desk.commit(lease)
    desk.clock.advance(0.1)
    with pytest.raises(LeaseLostError):
        desk.commit(lease)


def test_a_lease_never_outlives_the_consent_it_rests_on(desk: Desk) -> None:
    desk.consent.until = desk.clock.now() + timedelta(seconds=10)
    lease = desk.take()
    desk.clock.advance(9)
    desk.commit(lease)
    desk.clock.advance(1)
    with pytest.raises(LeaseLostError):
        desk.commit(lease)


def test_a_change_about_the_person_ends_the_lease_for_that_person_only(desk: Desk) -> None:
    lease = desk.take()
    desk.consent.session.tell(a_change(lease.epoch + 1, "sub_2"))
    desk.commit(lease)
    desk.consent.session.tell(a_change(lease.epoch + 2, "sub_1"))
    desk.commit(lease, "sub_3")
    with pytest.raises(LeaseLostError):
        desk.commit(lease, "sub_3", "sub_1")


def test_a_change_of_everything_ends_every_lease(desk: Desk) -> None:
    lease = desk.take()
    desk.consent.session.tell(a_change(lease.epoch + 1, everything=True))
    with pytest.raises(LeaseLostError):
        desk.commit(lease, "sub_9")


def test_a_change_that_the_release_already_knew_does_not_end_it(desk: Desk) -> None:
    desk.consent.change("sub_1", tell=False)
    lease = desk.take()
    desk.consent.session.tell(a_change(lease.epoch, "sub_1"))
    desk.commit(lease)


def test_an_answer_older_than_what_is_known_is_refused(desk: Desk) -> None:
    desk.consent.session.tell(a_change(99))
    with pytest.raises(LeaseLostError):
        desk.take()


def test_a_wall_clock_that_goes_back_ends_the_lease(desk: Desk) -> None:
    lease = desk.take()
    desk.clock.set_wall(desk.clock.now() - timedelta(seconds=4))
    desk.commit(lease)
    desk.clock.set_wall(desk.clock.now() - timedelta(seconds=2))
    with pytest.raises(LeaseLostError):
        desk.commit(lease)


def test_a_consent_that_does_not_answer_is_said_as_it_is(desk: Desk) -> None:
    desk.consent.is_away = True
    with pytest.raises(LeadError):
        desk.take()


def test_a_change_is_not_acknowledged_while_what_it_ends_is_being_committed(desk: Desk) -> None:
    lease = desk.take()
    acknowledged = threading.Event()

    def revoke() -> None:
        desk.consent.change("sub_1")
        acknowledged.set()

    thread = threading.Thread(target=revoke)
    with desk.leases.committing(lease, ["sub_1"]):
        thread.start()
        assert not acknowledged.wait(0.05)
    thread.join()
    assert acknowledged.is_set()
    with pytest.raises(LeaseLostError):
        desk.commit(lease)


def test_what_is_remembered_of_changes_is_bounded_and_errs_on_the_safe_side(desk: Desk) -> None:
    lease = desk.take()
    for number in range(10_001):
        desk.consent.session.tell(a_change(lease.epoch + 1 + number, f"sub_other_{number}"))
    assert len(desk.leases._changed) <= 10_000
    with pytest.raises(LeaseLostError):
        desk.commit(lease)


def test_after_a_restore_an_older_epoch_still_ends_what_was_leased_before(desk: Desk) -> None:
    lease = desk.take()
    desk.consent.session.tell(a_change(lease.epoch + 5, "sub_1"))
    desk.consent.session.tell(a_change(0, everything=True))
    with pytest.raises(LeaseLostError):
        desk.commit(lease, "sub_2")
    desk.commit(desk.take())
