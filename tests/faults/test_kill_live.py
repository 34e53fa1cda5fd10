"""kill -9 of the gateway while it delivers: who comes back with his cursor misses nothing and is told nothing twice."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from gateway.feed import readings
from services.command.demo import journey
from services.command.demo.chapters.providers import providers_release
from services.command.demo.story import Story
from services.command.exchange import Exchange
from services.command.layout import GATEWAY
from tests.faults.books import Books
from tests.faults.followers import Follower
from tests.faults.rms import Rms, records
from tests.faults.senders import asking, enrolling, served, take_back
from tests.faults.struck import struck
from tests.faults.test_kill import OFFICE, check_each_once
from tests.faults.waiting import until

pytestmark = pytest.mark.slow


def referred(rms: Rms) -> set[str]:
    """The referrals that were acknowledged."""
    return {answer.referral_id for answer in rms.acknowledged.values()}


@pytest.mark.parametrize(("point", "face"), [("before-told", "grpc"), ("after-told", "sse")])
def test_a_gateway_killed_in_the_middle_of_delivery_tells_each_event_once(
    exchange: Exchange, story: Story, books: Books, tmp_path: Path, point: str, face: str
) -> None:
    rms, sent = Rms(exchange), records(f"live-{point}", 30)
    with struck(exchange, GATEWAY, point) as doomed, Follower(exchange, "prosecutor", OFFICE, face) as follower:
        rms.push(sent[:5])
        follower.until_told(referred(rms))
        doomed.arm()
        # Whoever pushes is cut off as well.
        with suppress(grpc.RpcError):
            rms.push(sent)
        until(doomed.is_struck, "the gateway is dead")
        assert len(follower.told) < len(sent)
    with Follower(exchange, "prosecutor", OFFICE, face, follower.cursor) as resumed:
        rms.push_through(sent)
        check_each_once(story, books, rms, tmp_path)
        rms.push(last := records(f"live-{point}-last", 1))
        resumed.until_told({rms.acknowledged[last[0].record_key].referral_id})
    follower.told += resumed.told
    follower.check_once(referred(rms))


@pytest.mark.parametrize("point", ["before-fed", "after-fed"])
def test_a_feed_killed_around_its_commit_takes_each_event_once(
    exchange: Exchange, story: Story, books: Books, tmp_path: Path, point: str
) -> None:
    rms, sent = Rms(exchange), records(f"feed-{point}", 30)
    with struck(exchange, GATEWAY, point) as doomed:
        with Follower(exchange, "prosecutor", OFFICE, "grpc") as follower:
            rms.push(sent[:5])
            follower.until_told(referred(rms))
        books.settle()
        before = positions(books)
        doomed.arm()
        with suppress(grpc.RpcError):
            rms.push(sent)
        until(doomed.is_struck, "the gateway is dead")
        assert (positions(books) != before) == (point == "after-fed")
    rms.push_through(sent)
    check_each_once(story, books, rms, tmp_path)
    with Follower(exchange, "prosecutor", OFFICE, "grpc", follower.cursor) as resumed:
        resumed.until_told(referred(rms) - follower.records)
    follower.told += resumed.told
    follower.check_once(referred(rms))


def positions(books: Books) -> list[int]:
    """How far the feed is."""
    return [books.position(GATEWAY, topic) for topic in readings.topics()]


def test_what_was_passed_over_before_a_kill_comes_once_with_a_later_release(
    exchange: Exchange, story: Story, books: Books
) -> None:
    with struck(exchange, GATEWAY, "before-noted") as doomed:
        person = served(story, "Passed-Over")
        enrolled, asked = enrolling(story, person, "passed"), asking(story, person, "passed-own")
        with Follower(exchange, "case_manager", person.case_agency, "grpc") as first:
            assert take_back(story, person).status == 200
            doomed.arm()
            enrolled.send()
            until(doomed.is_struck, "the gateway is dead")
    with Follower(exchange, "case_manager", person.case_agency, "sse", first.cursor) as second:
        # Told is what its own agency does; what the provider did before that is passed over.
        enrolled.send(2)
        asked.send()
        second.until_told(asked.ids)
        assert not second.records & enrolled.ids
        exchange.kill(GATEWAY)
        exchange.wait((GATEWAY,))
        journey.release(story, person, "again", **providers_release(person))
        second.until_told(enrolled.ids)
        asked.send()
        second.until_told(asked.ids)
    assert not first.records & enrolled.ids
    second.check_once(enrolled.ids | asked.ids)
