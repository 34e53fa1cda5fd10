"""Sessions of enforcement points: a revocation waits for every one of them, and for none longer than it lives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Delete, Insert

from services.consent.sessions import LIFE_SECONDS, Sessions
from services.shared.db import Database
from tests.support.clock import FakeClock

ONE, TWO = "ses_one", "ses_two"
LONGEST = LIFE_SECONDS + 3
# Long enough for a thread that need not wait to be through.
SOON = 0.25


class FakeTable:
    """The sessions table of a database that does nothing else: obeys what `Sessions` asks of `Database`."""

    def __init__(self, epoch: int = 0) -> None:
        self.rows: list[Mapping[str, Any]] = []
        self.writes = 0
        self.epoch = epoch
        # Called inside each write, before it commits.
        self.meanwhile: Callable[[], None] = lambda: None

    @contextmanager
    def read(self) -> Iterator[FakeTable]:
        yield self

    @contextmanager
    def write(self) -> Iterator[FakeTable]:
        yield self
        self.writes += 1

    def execute(self, statement: Any, rows: Sequence[Mapping[str, Any]] = ()) -> Any:
        if isinstance(statement, Delete):
            self.meanwhile()
            self.rows = []
        elif isinstance(statement, Insert):
            self.rows = list(rows)
        return SimpleNamespace(all=lambda: [SimpleNamespace(**row) for row in self.rows], scalar=lambda: self.epoch)

    def ids(self) -> set[str]:
        return {row["session_id"] for row in self.rows}


def opened(table: FakeTable, clock: FakeClock) -> Sessions:
    return Sessions(cast(Database, table), clock)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def table() -> FakeTable:
    return FakeTable()


@pytest.fixture
def sessions(table: FakeTable, clock: FakeClock) -> Sessions:
    return opened(table, clock)


@pytest.fixture
def pool(clock: FakeClock) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool
        # Whoever still waits, because a test has failed, waits no more.
        clock.advance(1000)


def waits(found: Future[bool]) -> bool:
    """Whether it is still waiting, after it has had time to find out that it need not."""
    try:
        found.result(SOON)
    except TimeoutError:
        return True
    return False


def test_nothing_is_waited_for_where_nobody_holds_a_session(sessions: Sessions) -> None:
    assert sessions.wait_applied(5, LONGEST)


def test_a_change_is_waited_for_until_every_session_has_acknowledged_it(
    sessions: Sessions, pool: ThreadPoolExecutor
) -> None:
    for session in (ONE, TWO):
        sessions.renew(session, "gateway", 0, 1)
    sessions.announce(1)
    found = pool.submit(sessions.wait_applied, 1, LONGEST)
    sessions.renew(ONE, "gateway", 1, 2)
    assert waits(found)
    sessions.renew(TWO, "gateway", 1, 2)
    assert found.result(5)


def test_an_acknowledgement_of_an_earlier_change_is_none(sessions: Sessions, pool: ThreadPoolExecutor) -> None:
    sessions.renew(ONE, "gateway", 0, 1)
    sessions.announce(2)
    found = pool.submit(sessions.wait_applied, 2, LONGEST)
    sessions.renew(ONE, "gateway", 1, 2)
    assert waits(found)
    sessions.renew(ONE, "gateway", 3, 3)
    assert found.result(5)


def test_a_hung_session_is_waited_for_until_it_dies_and_not_longer(
    sessions: Sessions, clock: FakeClock, pool: ThreadPoolExecutor
) -> None:
    sessions.renew(ONE, "gateway", 0, 1)
    clock.advance(2)
    sessions.announce(1)
    found = pool.submit(sessions.wait_applied, 1, LONGEST)
    clock.advance(LIFE_SECONDS - 2)
    assert waits(found)
    clock.advance(0.001)
    assert found.result(5)
    assert not sessions.is_held(ONE)


def test_a_session_that_renews_and_never_acknowledges_is_dead_five_seconds_after_the_change(
    sessions: Sessions, clock: FakeClock, pool: ThreadPoolExecutor
) -> None:
    """Its last answered renewal was sent before the change was told, whatever it has sent since."""
    sessions.renew(ONE, "gateway", 0, 1)
    sessions.announce(1)
    found = pool.submit(sessions.wait_applied, 1, LONGEST)
    assert waits(found)
    for second in range(5):
        clock.advance(1)
        sessions.renew(ONE, "gateway", 0, second + 2)
    assert waits(found)
    clock.advance(0.001)
    assert found.result(5)


def test_waiting_ends_where_it_may_not_take_longer(
    sessions: Sessions, clock: FakeClock, pool: ThreadPoolExecutor
) -> None:
    sessions.renew(ONE, "gateway", 0, 1)
    sessions.announce(1)
    found = pool.submit(sessions.wait_applied, 1, 0.5)
    assert waits(found)
    clock.advance(0.5)
    assert not found.result(5)
    assert sessions.is_held(ONE)


def test_an_ended_session_is_waited_for_no_more(sessions: Sessions, pool: ThreadPoolExecutor) -> None:
    sessions.renew(ONE, "gateway", 0, 1)
    sessions.announce(1)
    found = pool.submit(sessions.wait_applied, 1, LONGEST)
    assert waits(found)
    sessions.end(ONE)
    assert found.result(5)
    assert not sessions.is_held(ONE)
    sessions.end("ses_nobody")


def test_a_restarted_consent_takes_over_the_sessions_of_the_process_before_it(
    table: FakeTable, clock: FakeClock, pool: ThreadPoolExecutor
) -> None:
    opened(table, clock).renew(ONE, "gateway", 3, 1)
    after = opened(table, clock)
    assert after.is_held(ONE)
    assert after.wait_applied(3, 0)
    after.announce(4)
    found = pool.submit(after.wait_applied, 4, LONGEST)
    assert waits(found)
    after.renew(ONE, "gateway", 4, 2)
    assert found.result(5)


def test_a_session_of_the_process_before_dies_when_nobody_renews_it(
    table: FakeTable, clock: FakeClock, pool: ThreadPoolExecutor
) -> None:
    opened(table, clock).renew(ONE, "gateway", 0, 1)
    clock.advance(100)
    after = opened(table, clock)
    after.announce(1)
    found = pool.submit(after.wait_applied, 1, LONGEST)
    assert waits(found)
    clock.advance(LIFE_SECONDS + 0.001)
    assert found.result(5)


def test_a_restarted_consent_goes_on_from_the_newest_epoch(clock: FakeClock) -> None:
    assert opened(FakeTable(epoch=17), clock).epoch() == 17


def test_a_new_session_is_stored_before_it_is_answered_and_a_known_one_once_a_second(
    sessions: Sessions, table: FakeTable, clock: FakeClock
) -> None:
    sessions.renew(ONE, "gateway", 0, 1)
    assert (table.ids(), table.writes) == ({ONE}, 1)
    for sequence in range(2, 12):
        clock.advance(0.25)
        sessions.renew(ONE, "gateway", 0, sequence)
    assert table.writes == 3
    sessions.renew(TWO, "review", 0, 1)
    assert (table.ids(), table.writes) == ({ONE, TWO}, 4)


def test_a_session_is_not_lost_from_the_store_by_another_that_comes_at_the_same_time(
    sessions: Sessions, table: FakeTable, pool: ThreadPoolExecutor
) -> None:
    """An older list of sessions must not be written over a newer one: after a crash nobody would wait for the rest."""
    first_is_writing, second_is_through = threading.Event(), threading.Event()

    def meanwhile() -> None:
        table.meanwhile = lambda: None
        first_is_writing.set()
        second_is_through.wait(SOON)

    table.meanwhile = meanwhile
    first = pool.submit(sessions.renew, ONE, "gateway", 0, 1)
    assert first_is_writing.wait(5)
    second = pool.submit(sessions.renew, TWO, "review", 0, 1)
    second.add_done_callback(lambda _: second_is_through.set())
    first.result(5)
    second.result(5)
    assert table.ids() == {ONE, TWO}


def test_an_announcement_is_news_for_every_session(sessions: Sessions, pool: ThreadPoolExecutor) -> None:
    sessions.renew(ONE, "gateway", 0, 7)
    found = pool.submit(sessions.wait_news, ONE, 0, 7, 30.0)
    sessions.announce(1)
    assert found.result(5) == (1, 7)


def test_a_renewal_is_news_to_be_answered(sessions: Sessions, pool: ThreadPoolExecutor) -> None:
    sessions.renew(ONE, "gateway", 0, 1)
    assert sessions.wait_news(ONE, 0, 0, 30.0) == (0, 1)
    found = pool.submit(sessions.wait_news, ONE, 0, 1, 30.0)
    sessions.renew(ONE, "gateway", 0, 2)
    assert found.result(5) == (0, 2)


def test_the_end_of_a_session_is_news(sessions: Sessions, pool: ThreadPoolExecutor) -> None:
    sessions.renew(ONE, "gateway", 0, 1)
    found = pool.submit(sessions.wait_news, ONE, 0, 1, 30.0)
    sessions.end(ONE)
    assert found.result(5) == (0, 0)


def test_without_news_a_session_is_told_nothing_new(sessions: Sessions) -> None:
    sessions.renew(ONE, "gateway", 0, 1)
    assert sessions.wait_news(ONE, 0, 1, 0.01) == (0, 1)


def test_an_epoch_announced_late_takes_nothing_back(sessions: Sessions) -> None:
    sessions.announce(5)
    sessions.announce(4)
    assert sessions.epoch() == 5


class SessionsMachine(RuleBasedStateMachine):
    """Renewals, ends and time in any order: who lives and is behind is waited for, nobody else."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.table = FakeTable()
        self.sessions = opened(self.table, self.clock)
        self.model: dict[str, tuple[int, float]] = {}
        self.sequence = 0

    @rule(session=st.sampled_from([ONE, TWO, "ses_three"]), applied=st.integers(0, 5))
    def renew(self, session: str, applied: int) -> None:
        self.sequence += 1
        self.sessions.renew(session, "gateway", applied, self.sequence)
        self.model[session] = (applied, self.clock.monotonic())

    @rule(session=st.sampled_from([ONE, TWO]))
    def end(self, session: str) -> None:
        self.sessions.end(session)
        self.model.pop(session, None)

    @rule(seconds=st.sampled_from([0.5, 1.0, 2.5, 5.0, 5.5]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(epoch=st.integers(1, 5))
    def announce(self, epoch: int) -> None:
        self.sessions.announce(epoch)

    @invariant()
    def who_lives_and_is_behind_is_waited_for(self) -> None:
        now = self.clock.monotonic()
        living = [applied for applied, renewed in self.model.values() if now - renewed <= LIFE_SECONDS]
        for epoch in range(1, 6):
            assert self.sessions.wait_applied(epoch, 0) == all(applied >= epoch for applied in living)


TestSessionsMachine = SessionsMachine.TestCase
TestSessionsMachine.settings = settings(max_examples=50, stateful_step_count=25)
