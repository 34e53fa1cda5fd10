from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.referral.justice.feed import Declaration, Feed, Stretch, followed, wrong
from tests.unit.referral.builders import NOW, Mint

MINT = Mint()


def day(number: int) -> datetime:
    return NOW + timedelta(days=number)


def declared(*stretches: tuple[int | None, int]) -> Feed:
    feed: Feed | None = None
    for begin, end in stretches:
        declaration = Declaration(None if begin is None else day(begin), day(end))
        assert list(wrong(feed, declaration)) == []
        feed = followed("sample-police", feed, declaration, MINT)
    assert feed is not None
    return feed


def refused(feed: Feed | None, begin: int | None, end: int) -> list[str]:
    return [each.path for each in wrong(feed, Declaration(None if begin is None else day(begin), day(end)))]


def gaps(feed: Feed) -> list[tuple[int, int]]:
    return [((gap.begin - NOW).days, (gap.end - NOW).days) for gap in feed.gaps]


def test_a_first_declaration_says_where_it_begins() -> None:
    assert refused(None, None, 5) == ["completeFrom"]
    assert declared((0, 5)).span == Stretch(day(0), day(5))


def test_a_declaration_without_a_beginning_carries_the_last_one_on() -> None:
    feed = declared((0, 5), (None, 9))
    assert (feed.span, feed.gaps) == (Stretch(day(0), day(9)), ())


def test_a_declaration_that_goes_back_is_refused_with_an_explanation() -> None:
    feed = declared((0, 5))
    assert refused(feed, 0, 4) == refused(feed, None, 4) == ["completeThrough"]
    (violation,) = wrong(feed, Declaration(day(0), day(4)))
    assert "2026-03-07T12:00:00Z" in violation.wish


def test_an_end_comes_after_its_beginning() -> None:
    assert refused(None, 5, 5) == refused(declared((0, 5)), 9, 8) == ["completeThrough"]


def test_the_same_declaration_again_says_nothing_new() -> None:
    feed = declared((0, 5))
    assert followed("sample-police", feed, Declaration(day(0), day(5)), MINT) is feed
    assert followed("sample-police", feed, Declaration(day(3), day(5)), MINT) is feed


def test_a_start_after_the_last_end_is_a_gap() -> None:
    feed = declared((0, 5), (7, 9))
    assert gaps(feed) == [(5, 7)]
    assert (feed.covers(day(5)), feed.covers(day(6)), feed.covers(day(7))) == (True, False, True)
    assert not feed.covers(day(10))


def test_a_stretch_that_reaches_back_over_a_gap_closes_it() -> None:
    assert gaps(declared((0, 5), (7, 9), (5, 9))) == []
    assert gaps(declared((0, 5), (7, 9), (6, 10))) == [(5, 6)]
    assert declared((0, 5), (-3, 9)).span == Stretch(day(-3), day(9))


_STEPS = st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 30)), st.integers(1, 31)), max_size=8)


@given(_STEPS)
def test_the_feed_covers_what_was_declared_and_no_more(steps: list[tuple[int | None, int]]) -> None:
    feed: Feed | None = None
    covered: set[int] = set()
    revision = 0
    for begin, end in steps:
        declaration = Declaration(None if begin is None else day(begin), day(end))
        if list(wrong(feed, declaration)):
            continue
        first = begin if begin is not None else (feed.span.end - NOW).days if feed is not None else end
        covered |= set(range(first, end))
        before, feed = feed, followed("sample-police", feed, declaration, MINT)
        revision += feed is not before
        assert feed.revision == revision
    if feed is None:
        return
    inside = {number for number in range(32) if feed.covers(day(number) + timedelta(hours=1))}
    assert inside == covered
    edges = [edge for gap in feed.gaps for edge in (gap.begin, gap.end)]
    assert edges == sorted(set(edges))
