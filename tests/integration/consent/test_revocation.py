"""A revocation has an end: once it is answered, no decision anywhere allows what was taken back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC

import pytest
from lead.consent.v1 import consent_internal_service_pb2 as internal

from services.consent import epochs
from services.consent.epochs import Change
from services.consent.sessions import LIFE_SECONDS
from services.shared.errors import LeadError
from services.shared.sharing.need import BITS
from services.shared.sharing.session_state import SessionState
from tests.integration.consent.desk import CASE_MANAGER, Office, a_question, a_release
from tests.support.clock import NOON
from tests.unit.consent.builders import SUBJECT

STATUS = BITS["PROGRAM_STATUS"]
QUESTION = a_question("prosecutor", "prosecutor", "DIVERSION_COORD")
READERS, ROUNDS = 6, 5


class Point:
    """An enforcement point as the gateway is: it remembers decisions while its session lives and nothing changed."""

    def __init__(self, office: Office, name: str) -> None:
        self.office, self.name = office, name
        self.state = SessionState(office.clock)
        self.state.on_change(lambda _: self._forget())
        self._remembered: internal.Decision | None = None
        self._told = 0

    def tick(self) -> None:
        """Renew, be answered, and acknowledge: what the stream does once a second and at each change."""
        sequence, applied = self.state.renewal()
        self.office.desk.sessions.renew(self.name, "gateway", applied, sequence)
        with self.office.desk.db.read() as connection:
            changes = epochs.since(connection, applied)
        epoch = max([self.office.desk.sessions.epoch(), *(one.epoch for one in changes)])
        if self.state.received(epoch, [_told(one) for one in changes], sequence):
            sequence, applied = self.state.renewal()
            self.office.desk.sessions.renew(self.name, "gateway", applied, sequence)

    def allows(self) -> bool:
        """Tell whether an answer may leave now; asks when nothing is remembered."""
        if not self.state.alive():
            return False
        decision = self._remembered
        if decision is None:
            epoch = self.state.epoch()
            [decision] = self.office.decide(QUESTION)
            if self.state.changed_subjects(epoch, [SUBJECT]):
                return False
            self._remembered = decision
        return bool(decision.visible & STATUS) and self._remembered is decision and self.state.alive()

    def _forget(self) -> None:
        self._remembered = None


def _told(change: Change) -> internal.HoldSessionResponse.Change:
    return internal.HoldSessionResponse.Change(
        epoch=change.epoch, subject_ids=change.subject_ids, everything=change.everything
    )


@pytest.fixture
def points(office: Office) -> Iterator[list[Point]]:
    """Enforcement points whose sessions are kept by a thread each."""
    points = [Point(office, f"ses_{number}") for number in range(3)]
    stopping = threading.Event()

    def keep(point: Point) -> None:
        while not stopping.is_set():
            point.tick()
            time.sleep(0.002)

    threads = [threading.Thread(target=keep, args=(point,)) for point in points]
    for thread in threads:
        thread.start()
    yield points
    stopping.set()
    for thread in threads:
        thread.join()


def test_no_decision_allows_after_the_revocation_was_answered(office: Office, points: list[Point]) -> None:
    """Many threads ask all the while; what any of them got is judged by when it asked."""
    for _ in range(ROUNDS):
        taken = office.create(CASE_MANAGER, a_release())
        revoked = threading.Event()
        wrong: list[str] = []
        allowed_before = threading.Event()

        def read(
            number: int,
            revoked: threading.Event = revoked,
            wrong: list[str] = wrong,
            allowed: threading.Event = allowed_before,
        ) -> None:
            point = points[number % len(points)]
            for turn in range(4000):
                was_answered = revoked.is_set()
                allows = point.allows() if number % 2 else bool(office.decide(QUESTION)[0].visible & STATUS)
                if allows and was_answered:
                    wrong.append(f"reader {number} at turn {turn}")
                if allows and not was_answered:
                    allowed.set()
                if was_answered and turn > 20:
                    return

        with ThreadPoolExecutor(READERS) as pool:
            readers = [pool.submit(read, number) for number in range(READERS)]
            assert allowed_before.wait(20)
            office.revoke(CASE_MANAGER, taken.id)
            revoked.set()
            for reader in readers:
                reader.result(60)
        assert wrong == []


def test_concurrent_revocations_are_each_a_version_and_none_is_lost(office: Office) -> None:
    taken = office.create(CASE_MANAGER, a_release())
    start = threading.Barrier(8)
    categories = ["NEEDS", "CASE_NOTES", "CHARGE", "DECISION", "IDENTITY", "HOUSING", "SUD_PRESENCE", "EMPLOYMENT"]

    def revoke(category: str) -> int:
        start.wait(20)
        return office.revoke(CASE_MANAGER, taken.id, categories=[category]).consent.version

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(revoke, categories))
    assert sorted(versions) == list(range(2, 10))
    [listed] = office.listed(CASE_MANAGER)
    assert (listed.version, len(listed.revocations)) == (9, 8)


def test_a_repeated_call_at_the_same_time_makes_one_release(office: Office) -> None:
    start = threading.Barrier(6)

    def create(_: int) -> str:
        start.wait(20)
        # Who was not quick enough is told to try again, and finds what the other made.
        with suppress(LeadError):
            return office.create(CASE_MANAGER, a_release(), key="once").id
        return office.create(CASE_MANAGER, a_release(), key="once").id

    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(create, range(6)))
    assert len(made) == len(office.listed(CASE_MANAGER)) == 1


def test_the_effective_time_is_when_nobody_uses_it_any_more(office: Office) -> None:
    """Not when it was asked for: until then a hung enforcement point may have answered on it."""
    taken = office.create(CASE_MANAGER, a_release())
    office.desk.sessions.renew("ses_hung", "gateway", 0, 1)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(office.revoke, CASE_MANAGER, taken.id)
        with pytest.raises(TimeoutError):
            answer.result(0.3)
        office.clock.advance(LIFE_SECONDS + 0.5)
        answered = answer.result(10)
    assert answered.effective_time.ToDatetime(UTC) == office.clock.now()
    assert answered.consent.revocations[0].effective_time.ToDatetime(UTC) == NOON


def test_decisions_deny_from_the_moment_that_the_revocation_is_stored(office: Office) -> None:
    """Any channel counts at once (P2-33), though the answer still waits for who hangs."""
    taken = office.create(CASE_MANAGER, a_release())
    office.desk.sessions.renew("ses_hung", "gateway", 0, 1)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(office.revoke, CASE_MANAGER, taken.id)
        while office.listed(CASE_MANAGER)[0].version == 1:
            time.sleep(0.01)
        assert not office.decide(QUESTION)[0].visible & STATUS
        assert not answer.done()
        office.clock.advance(LIFE_SECONDS + 0.5)
        answer.result(10)
