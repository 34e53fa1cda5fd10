"""kill -9: what was acknowledged is there, once, whenever a process dies."""

from __future__ import annotations

import inspect
import random
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path

import grpc
import pytest

from services.command.demo.story import Story
from services.command.exchange import Exchange
from services.command.layout import PROCESSES
from tests.faults.books import Books
from tests.faults.followers import Follower
from tests.faults.load import Load
from tests.faults.rms import POLICE, SYSTEM, Rms, records
from tests.faults.struck import struck
from tests.faults.waiting import listed, until
from tests.support.killed import POINTS

pytestmark = pytest.mark.slow
OFFICE = "sample-city-attorney"
SEED = 20_260_419


def check_each_once(story: Story, books: Books, rms: Rms, folder: Path) -> None:
    """Check that each acknowledged record is there exactly once, at referral and in the prosecutor's queue."""
    books.settle()
    ids = {key: answer.referral_id for key, answer in rms.acknowledged.items()}
    held = at_police(story, ids)
    assert held == Counter(ids.items())
    queued = in_queue(story)
    assert {one: queued[one] for one in ids.values()} == dict.fromkeys(ids.values(), 1)
    assert books.amiss() == []
    assert books.verified(folder) > 0


def at_police(story: Story, keys: Collection[str]) -> Counter[tuple[str, str]]:
    """Count what the police agency is shown of these records, by its own id and the exchange's."""
    rows = listed(story.caller("police_officer", POLICE), "/v1/referrals", "referrals")
    shown = ((row["source"]["system"], row["source"]["recordId"], row["id"]) for row in rows)
    return Counter((key, one) for system, key, one in shown if system == SYSTEM and key in keys)


def in_queue(story: Story) -> Counter[str]:
    """Count the reviews that the office is shown, by referral."""
    rows = listed(story.caller("prosecutor", OFFICE), "/v1/reviews", "reviews")
    return Counter(row["referralId"] for row in rows)


@pytest.mark.parametrize("point", POINTS)
def test_every_point_is_in_the_code(point: str) -> None:
    where = POINTS[point]
    struck_there = getattr(where.place(), where.name)
    assert callable(struck_there)
    assert not (where.after and inspect.iscoroutinefunction(struck_there))


@pytest.mark.parametrize("point", ["before-answer", "before-append", "before-mark"])
def test_referral_killed_on_the_way_to_the_log_loses_and_doubles_nothing(
    exchange: Exchange, story: Story, books: Books, tmp_path: Path, point: str
) -> None:
    rms, sent = Rms(exchange), records(f"way-{point}", 30)
    with struck(exchange, "referral", point) as doomed:
        rms.push(sent[:5])
        until(lambda: not books.waiting("referral"), "the outbox is empty")
        before = books.logged("referral")
        doomed.arm()
        with pytest.raises(grpc.RpcError):
            rms.push(sent)
        until(doomed.is_struck, "referral is dead")
        # What the point promises: all is in the outbox; in the log only where that is just about to be noted.
        assert books.waiting("referral") > 0
        assert (books.logged("referral") > before) == (point == "before-mark")
    rms.push_through(sent)
    check_each_once(story, books, rms, tmp_path)
    doubled = [event for event, times in books.logged("referral").items() if times > 1]
    assert (len(doubled) > 0) == (point == "before-mark")


@pytest.mark.parametrize("point", ["before-commit", "after-commit"])
def test_review_killed_around_its_commit_applies_each_event_once(
    exchange: Exchange, story: Story, books: Books, tmp_path: Path, point: str
) -> None:
    rms, sent = Rms(exchange), records(f"effect-{point}", 30)
    with struck(exchange, "review", point) as doomed:
        rms.push(sent[:5])
        books.settle()
        before = books.applied("review")
        doomed.arm()
        rms.push(sent)
        until(doomed.is_struck, "review is dead")
        assert (books.applied("review") > before) == (point == "after-commit")
    check_each_once(story, books, rms, tmp_path)


@pytest.mark.timeout(300)
def test_any_process_killed_under_load_loses_and_doubles_nothing(
    exchange: Exchange, story: Story, books: Books, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    books.settle()
    load, chance = Load(exchange, story, "load"), random.Random(SEED)
    with (
        Follower(exchange, "prosecutor", OFFICE, "grpc") as office,
        Follower(exchange, "case_manager", load.person.case_agency, "sse") as agency,
    ):
        for process in chance.sample(PROCESSES, len(PROCESSES)):
            with load.running():
                time.sleep(chance.uniform(0.1, 1.0))
                exchange.kill(process)
                exchange.wait((process,))
        assert load.rms.outcomes() <= {"CREATED", "UNCHANGED"}
        check_each_once(story, books, load.rms, tmp_path)
        load.check(story, books)
        load.send_last()
        office.until_told(load.referred)
        agency.until_told(load.provided)
    office.check_once(load.referred)
    agency.check_once(load.provided)
    cut = f"{load.told()}; {office.cuts + agency.cuts} cuts of streams"
    tell(f"killed each of {len(PROCESSES)} processes under load: {cut}")
