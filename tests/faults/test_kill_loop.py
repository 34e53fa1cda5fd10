"""kill -9 where a provider sends, outcomes follow and casework links: each row once, each link said once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.command.demo.story import Story
from services.command.exchange import Exchange
from tests.faults.books import Books
from tests.faults.loop import Counted, check_counted, check_enrolled, check_said_once
from tests.faults.rms import Rms, records
from tests.faults.senders import asking, filing, registering, reporting, served
from tests.faults.struck import struck
from tests.faults.test_kill import check_each_once
from tests.faults.waiting import until

pytestmark = pytest.mark.slow


def test_provider_killed_in_the_middle_of_a_file_takes_each_row_once(
    exchange: Exchange, story: Story, books: Books
) -> None:
    # More than it stores at once.
    person = served(story, "Half-A-File")
    file, asked = filing(story, person, "half", rows=250), asking(story, person, "half-asked")
    before = books.count("provider", "enrolments")
    with ThreadPoolExecutor(1) as aside:
        with struck(exchange, "provider", "before-answer") as doomed:
            asked.send()
            doomed.arm()
            sending = aside.submit(file.send)
            until(doomed.is_struck, "provider is dead")
            assert 0 < books.count("provider", "enrolments") - before < 250
        sending.result(60)
    books.settle()
    assert books.count("provider", "enrolments") - before == 250
    check_enrolled(story, person, file.acknowledged, asked.ids)
    assert books.amiss() == []


class Arrests:
    """Referrals, arrests of the same people and of strangers, and the strangers as comparisons."""

    def __init__(self, exchange: Exchange, story: Story, name: str) -> None:
        self.rms, self._records = Rms(exchange), records(name, 20)
        self._reporting = reporting(story, name, lambda number: self._records[number].record_key)
        self._registering = registering(story, name)

    def refer(self, many: int) -> None:
        """Send some referrals."""
        start = len(self.rms.acknowledged)
        self.rms.push_through(self._records[start : start + many])

    def report(self, many: int) -> None:
        """Send as many arrests of each kind, and register the strangers."""
        self._reporting.send(many)
        self._registering.send(many)

    def check(self, books: Books) -> None:
        """Check that outcomes and casework have it all, once."""
        events = self._reporting.acknowledged
        referrals = {key: answer.referral_id for key, answer in self.rms.acknowledged.items()}
        counted = Counted(
            referrals=referrals.values(),
            events=events.values(),
            entries={events[key]: entry for key, entry in self._registering.acknowledged.items()},
            same={events[f"{key}-known"]: referral for key, referral in referrals.items()},
        )
        check_counted(books, counted)
        check_said_once(books, counted.linked)


@pytest.mark.parametrize("point", ["before-commit", "after-commit"])
def test_outcomes_killed_around_its_commit_counts_each_event_once(
    exchange: Exchange, story: Story, books: Books, tmp_path: Path, point: str
) -> None:
    arrests = Arrests(exchange, story, f"counted-{point}")
    with struck(exchange, "outcomes", point) as doomed:
        arrests.refer(2)
        arrests.report(2)
        books.settle()
        before = books.applied("outcomes")
        doomed.arm()
        arrests.refer(10)
        until(doomed.is_struck, "outcomes is dead")
        assert (books.applied("outcomes") > before) == (point == "after-commit")
    arrests.report(10)
    check_each_once(story, books, arrests.rms, tmp_path)
    arrests.check(books)


@pytest.mark.parametrize("point", ["before-linking", "before-linked", "before-answer"])
def test_casework_killed_between_a_mark_and_its_link_says_each_link_once(
    exchange: Exchange, story: Story, books: Books, tmp_path: Path, point: str
) -> None:
    arrests = Arrests(exchange, story, f"linked-{point}")
    with struck(exchange, "casework", point) as doomed:
        arrests.refer(2)
        arrests.report(2)
        books.settle()
        doomed.arm()
        arrests.refer(10)
        arrests.report(10)
        until(doomed.is_struck, "casework is dead")
        # What the point promises: the mark is there until what follows from it is; then that waits for the log.
        assert books.count("casework", "index_pending") > 0 or point == "before-answer"
        assert (books.waiting("casework") > 0) == (point == "before-answer")
    check_each_once(story, books, arrests.rms, tmp_path)
    arrests.check(books)
