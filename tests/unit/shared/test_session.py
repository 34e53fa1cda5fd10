"""A session with consent: when it lives, what it tells, and that it acknowledges only what has been applied."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.shared.events.keys import Session
from services.shared.sharing.session import Change, SessionState
from tests.support.clock import FakeClock


def change(epoch: int, *subjects: str, keys: tuple[bytes, ...] = (), everything: bool = False) -> Change:
    return Change(epoch, subjects, keys, everything)


def answered(state: SessionState, epoch: int = 0, *changes: Change) -> bool:
    """Renew and take in consent's answer at once."""
    sequence, _ = state.renewal()
    return state.received(epoch, changes, sequence)


def test_a_session_is_dead_until_consent_has_answered() -> None:
    state = SessionState(FakeClock())
    assert not state.alive()
    state.renewal()
    assert not state.alive()
    answered(state)
    assert state.alive()


def test_a_session_lives_less_than_five_seconds_without_renewal() -> None:
    clock = FakeClock()
    state = SessionState(clock)
    answered(state)
    clock.advance(4.999)
    assert state.alive()
    clock.advance(0.001)
    assert not state.alive()


def test_life_counts_from_the_sending_of_a_renewal_not_from_its_answer() -> None:
    clock = FakeClock()
    state = SessionState(clock)
    sequence, _ = state.renewal()
    clock.advance(4)
    state.received(0, [], sequence)
    clock.advance(0.9)
    assert state.alive()
    clock.advance(0.1)
    assert not state.alive()


def test_an_answer_found_after_a_long_stop_revives_nothing() -> None:
    clock = FakeClock()
    state = SessionState(clock)
    sequence, _ = state.renewal()
    clock.advance(10)
    state.received(0, [], sequence)
    assert not state.alive()
    late, _ = state.renewal()
    state.received(0, [], sequence)
    assert not state.alive()
    state.received(0, [], late)
    assert state.alive()


def test_an_answer_to_a_renewal_never_sent_revives_nothing() -> None:
    state = SessionState(FakeClock())
    state.received(0, [], 7)
    assert not state.alive()


def test_news_that_no_renewal_asked_for_do_not_renew() -> None:
    clock = FakeClock()
    state = SessionState(clock)
    sequence, _ = state.renewal()
    state.received(0, [], sequence)
    clock.advance(4)
    state.received(1, [change(1, "sub_a")], sequence)
    clock.advance(1)
    assert not state.alive()


def test_a_change_is_acknowledged_only_after_its_callbacks() -> None:
    state = SessionState(FakeClock())
    seen: list[tuple[int, int, int]] = []
    state.on_change(lambda told: seen.append((told.epoch, state.epoch(), state.renewal()[1])))
    assert answered(state, 2, change(1, "sub_a"), change(2, "sub_b"))
    assert seen == [(1, 0, 0), (2, 0, 0)]
    assert state.epoch() == 2
    assert state.renewal()[1] == 2
    assert not answered(state, 2)


def test_a_change_is_visible_before_any_callback_runs() -> None:
    state = SessionState(FakeClock())
    seen: list[bool] = []
    state.on_change(lambda _: seen.append(state.changed_subjects(0, ["sub_a"])))
    answered(state, 1, change(1, "sub_a"))
    assert seen == [True]


def test_a_change_is_told_once_though_it_comes_twice() -> None:
    state = SessionState(FakeClock())
    seen: list[int] = []
    state.on_change(lambda told: seen.append(told.epoch))
    answered(state, 1, change(1, "sub_a"))
    answered(state, 2, change(1, "sub_a"), change(2, "sub_a"))
    assert seen == [1, 2]


def test_a_callback_that_fails_ends_the_session_and_acknowledges_nothing() -> None:
    state = SessionState(FakeClock())
    answered(state)
    works = [False, True]

    def callback(_: Change) -> None:
        if not works.pop(0):
            raise RuntimeError

    state.on_change(callback)
    with pytest.raises(RuntimeError):
        answered(state, 1, change(1, "sub_a"))
    assert (state.alive(), state.epoch()) == (False, 0)
    assert answered(state, 1, change(1, "sub_a"))
    assert (state.alive(), state.epoch()) == (True, 1)


def test_changes_are_asked_by_subject_key_and_epoch() -> None:
    state = SessionState(FakeClock())
    answered(state, 2, change(1, "sub_a", keys=(b"1",)), change(2, "sub_b", keys=(b"2", b"3")))
    assert state.changed_subjects(0, ["sub_x", "sub_a"])
    assert not state.changed_subjects(1, ["sub_a"])
    assert state.changed_subjects(1, ["sub_b"])
    assert not state.changed_subjects(2, ["sub_a", "sub_b"])
    assert not state.changed_subjects(9, ["sub_a"])
    assert set(state.changed_keys(0)) == {b"1", b"2", b"3"}
    assert set(state.changed_keys(1)) == {b"2", b"3"}
    assert set(state.changed_keys(2)) == set()


def test_everything_changes_everybody() -> None:
    state = SessionState(FakeClock())
    answered(state, 3, change(1, "sub_a"), change(3, everything=True))
    assert state.changed_subjects(2, ["sub_never_seen"])
    assert not state.remembers(2)
    assert state.remembers(3)
    assert not state.changed_subjects(3, ["sub_a"])


def test_an_answer_that_leaves_changes_out_counts_as_everything() -> None:
    state = SessionState(FakeClock())
    told: list[Change] = []
    state.on_change(told.append)
    answered(state, 9, change(1, "sub_a"))
    assert told == [change(1, "sub_a"), change(9, everything=True)]
    assert state.epoch() == 9


def test_beyond_what_is_remembered_everything_counts_as_changed() -> None:
    state = SessionState(FakeClock(), remembered=3)
    answered(state, 5, *(change(epoch, f"sub_{epoch}") for epoch in range(1, 6)))
    assert not state.changed_subjects(2, ["sub_1"])
    assert state.changed_subjects(1, ["sub_unknown"])
    assert not state.remembers(1)
    assert len(state._changes._subjects) == 3


def test_a_consent_that_was_restored_changes_everything() -> None:
    state = SessionState(FakeClock())
    told: list[Change] = []
    answered(state, 9, change(9, "sub_a"))
    state.on_change(told.append)
    answered(state, 4)
    assert told == [change(4, everything=True)]
    assert state.epoch() == 4
    assert state.changed_subjects(9, ["sub_b"])
    assert state.changed_subjects(7, ["sub_b"])
    assert not state.changed_subjects(4, ["sub_b"])


def test_a_wall_clock_that_jumps_back_drops_all_until_the_next_renewal() -> None:
    clock = FakeClock()
    state = SessionState(clock)
    told: list[Change] = []
    state.on_change(told.append)
    answered(state, 1, change(1, "sub_a"))
    before, _ = state.renewal()
    clock.set_wall(clock.now() - timedelta(seconds=5.5))
    assert not state.alive()
    state.received(1, [], before)
    assert not state.alive()
    assert told[1:] == [change(1, everything=True)]
    answered(state, 1)
    assert state.alive()
    assert len(told) == 2


def test_a_wall_clock_that_is_set_a_little_drops_nothing() -> None:
    clock = FakeClock()
    state = SessionState(clock)
    answered(state)
    clock.set_wall(clock.now() - timedelta(seconds=4.5))
    assert state.alive()
    clock.set_wall(clock.now() + timedelta(hours=1))
    assert state.alive()


def test_small_steps_back_count_together() -> None:
    clock = FakeClock()
    state = SessionState(clock)
    answered(state)
    for _ in range(2):
        clock.set_wall(clock.now() - timedelta(seconds=3))
    assert not state.alive()


def test_a_closed_session_never_lives_again() -> None:
    state = SessionState(FakeClock())
    answered(state)
    state.close()
    assert not state.alive()
    answered(state)
    assert not state.alive()


def test_the_state_is_the_session_that_consumers_ask() -> None:
    session: Session = SessionState(FakeClock())
    assert session.epoch() == 0


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=30), st.integers(1, 4))
def test_what_changed_is_never_denied(story: list[tuple[str, bool]], remembered: int) -> None:
    state = SessionState(FakeClock(), remembered=remembered)
    last: dict[str, int] = dict.fromkeys("abcd", 0)
    for epoch, (subject, everything) in enumerate(story, start=1):
        answered(state, epoch, change(epoch, subject, everything=everything))
        last |= dict.fromkeys("abcd", epoch) if everything else {subject: epoch}
    for since in range(len(story) + 1):
        for subject in "abcd":
            assert state.changed_subjects(since, [subject]) or last[subject] <= since


class TwoSides(RuleBasedStateMachine):
    """Consent and an enforcement point with a slow, lossy line between them: who is alive here is alive there."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.state = SessionState(self.clock)
        self.up: list[int] = []
        self.down: list[int] = []
        self.heard: float | None = None

    @rule()
    def send(self) -> None:
        self.up.append(self.state.renewal()[0])

    @rule()
    def hear(self) -> None:
        if self.up:
            self.heard = self.clock.monotonic()
            self.down.append(self.up.pop(0))

    @rule()
    def take_in(self) -> None:
        if self.down:
            self.state.received(0, [], self.down.pop(0))

    @rule()
    def cut(self) -> None:
        self.up.clear()

    @rule(seconds=st.floats(0, 6))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def never_alive_here_and_dead_there(self) -> None:
        if self.state.alive():
            assert self.heard is not None
            assert self.clock.monotonic() - self.heard < 5.0


TestTwoSides = TwoSides.TestCase
