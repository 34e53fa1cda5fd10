"""Everybody who sends anything in the loop, at once: police, a provider, a case manager, a programme office."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from services.command.demo.story import Story
from services.command.exchange import Exchange
from tests.faults.books import Books
from tests.faults.loop import Counted, check_counted, check_enrolled, check_said_once
from tests.faults.rms import Rms, records
from tests.faults.senders import asking, enrolling, filing, registering, reporting, served

_MOST = 1000
# How many each sends while one process is killed: so many that it is in the midst of it, and on any machine the same.
_REFERRALS, _ENROLMENTS, _FILES, _ASKED, _ARRESTS = 20, 8, 3, 3, 5
# About as long as a process is away.
_SECONDS = 1.5
# Calls last as long as a cut does.
_END_SECONDS = 120.0


class Load:
    """The senders, by what they send; `name` makes their records new."""

    def __init__(self, exchange: Exchange, story: Story, name: str) -> None:
        self.rms, self._records = Rms(exchange), records(name, _MOST)
        self.person = served(story, f"Person-{name}")
        self.enrolling = enrolling(story, self.person, f"{name}-single")
        self.filing = filing(story, self.person, f"{name}-file")
        self.asking = asking(story, self.person, f"{name}-asked")
        self.reporting = reporting(story, name, lambda number: self._records[number].record_key)
        self.registering = registering(story, name)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send some of everything, all at once. At the end everything is acknowledged."""
        numbers = {
            self.enrolling: _ENROLMENTS,
            self.filing: _FILES,
            self.asking: _ASKED,
            self.reporting: _ARRESTS,
            self.registering: _ARRESTS,
        }
        with ThreadPoolExecutor(len(numbers) + 1) as aside:
            sending = [aside.submit(self._push, _REFERRALS)]
            sending += [aside.submit(one.send, number, _SECONDS / number) for one, number in numbers.items()]
            yield
            for each in sending:
                each.result(_END_SECONDS)

    @property
    def referred(self) -> set[str]:
        """The referrals that were acknowledged."""
        return {answer.referral_id for answer in self.rms.acknowledged.values()}

    @property
    def provided(self) -> set[str]:
        """The enrolments and service referrals that were acknowledged."""
        return self.enrolling.ids | self.filing.ids | self.asking.ids

    def send_last(self) -> None:
        """Send one more referral and one more enrolment: on a feed nothing of the others may come behind them."""
        self._push(1)
        self.enrolling.send()

    def check(self, story: Story, books: Books) -> None:
        """Check that everything of the loop that was acknowledged is there once, wherever it belongs."""
        check_enrolled(story, self.person, self.enrolling.acknowledged | self.filing.acknowledged, self.asking.ids)
        counted = self.counted()
        check_counted(books, counted)
        check_said_once(books, counted.linked)

    def counted(self) -> Counted:
        """Return what outcomes must have of all this."""
        events, entries = self.reporting.acknowledged, self.registering.acknowledged
        known = {f"{key}-known": answer.referral_id for key, answer in self.rms.acknowledged.items()}
        return Counted(
            referrals=self.referred,
            events=self.reporting.ids,
            entries={events[key]: entry for key, entry in entries.items()},
            same={events[key]: referral for key, referral in known.items() if key in events},
        )

    def told(self) -> str:
        """Return the figures of a run."""
        senders = (self.enrolling, self.filing, self.asking, self.reporting, self.registering)
        cuts = self.rms.cuts + sum(one.cuts for one in senders)
        counts = [len(self.rms.acknowledged), *(len(one.acknowledged) for one in senders)]
        return f"{'+'.join(map(str, counts))} records acknowledged through {cuts} cuts"

    def _push(self, many: int) -> None:
        start = len(self.rms.acknowledged)
        self.rms.push_through(self._records[start : start + many], pace=_SECONDS / many)
