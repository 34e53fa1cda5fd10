"""Cursors: a place in one lane of one feed, for as long as what lies behind it is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.feed.cursor import FeedCursors, Lane
from services.shared.errors import Code, LeadError
from tests.support.clock import FakeClock

KEPT = timedelta(days=30)
LANE = Lane("office", "prosecutor", "DIVERSION_COORD")
OTHERS = (
    Lane("other", "prosecutor", "DIVERSION_COORD"),
    Lane("office", "police_officer", "DIVERSION_COORD"),
    Lane("office", "prosecutor", "DIVERSION_ELIG"),
    Lane("office", "prosecutor", "DIVERSION_COORD", ("north",)),
)
places = st.integers(0, 2**63 - 1)


def cursors(clock: FakeClock | None = None, feed: str = "fed_1", key: bytes = bytes(32)) -> FeedCursors:
    return FeedCursors(key, feed, KEPT, clock or FakeClock())


def refusal(of: FeedCursors, cursor: str, lane: Lane = LANE) -> LeadError:
    with pytest.raises(LeadError) as caught:
        of.open(cursor, lane)
    return caught.value


@given(place=places)
def test_a_cursor_gives_its_place_back_and_all_are_of_one_length(place: int) -> None:
    cursor = cursors().seal(place, LANE)
    assert cursors().open(cursor, LANE) == place
    assert len(cursor) == len(cursors().seal(0, LANE))


@pytest.mark.parametrize("lane", OTHERS, ids=lambda lane: lane.word)
def test_a_cursor_is_good_in_its_own_lane_alone(lane: Lane) -> None:
    assert refusal(cursors(), cursors().seal(7, LANE), lane).code is Code.INVALID_ARGUMENT


def test_a_cursor_is_good_in_its_own_feed_alone() -> None:
    assert refusal(cursors(feed="fed_2"), cursors().seal(7, LANE)).code is Code.INVALID_ARGUMENT
    assert refusal(cursors(key=b"\1" * 32), cursors().seal(7, LANE)).code is Code.INVALID_ARGUMENT


def test_limits_of_a_token_make_a_lane_of_its_own_whatever_their_number() -> None:
    assert (
        len({lane.word for lane in (LANE, Lane("office", "prosecutor", "DIVERSION_COORD", ("a", "b")), OTHERS[3])}) == 3
    )
    many = Lane("office", "case_supervisor", "DIVERSION_COORD", tuple(f"site-{number}" for number in range(200)))
    assert len(many.word) < 120


@given(text=st.text(max_size=100))
def test_what_nobody_gave_out_is_refused(text: str) -> None:
    assert refusal(cursors(), text).code is Code.INVALID_ARGUMENT


def test_a_cursor_is_good_as_long_as_what_is_behind_it_is_kept() -> None:
    """Then there may be a gap that nobody would notice."""
    clock = FakeClock()
    cursor = cursors(clock).seal(7, LANE)
    clock.advance(KEPT.total_seconds())
    assert cursors(clock).open(cursor, LANE) == 7
    clock.advance(1)
    error = refusal(cursors(clock), cursor)
    assert (error.code, error.reason) == (Code.OUT_OF_RANGE, "CURSOR_EXPIRED")
