"""Whatever comes in between, an event that may be told arrives once."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.shared.db import Database
from tests.integration.gateway.lanes import AGENCY, Reader, a_feed, an_event, arrive, reconcile

LANES = ("prosecutor/DIVERSION_COORD/", "prosecutor/DIVERSION_ELIG/")
SUBJECTS = ("sub_1", "sub_2")
subjects = st.sampled_from(SUBJECTS)
lanes = st.sampled_from(LANES)


class Delivery(RuleBasedStateMachine):
    """Events, grants, revocations, new followers and cuts in any order; two clients in one lane, one in another.

    What was revoked is not granted again here: what arrived before would then come once more.
    """

    db: Database

    @initialize(allowed=st.sets(st.tuples(subjects, lanes)), followed=st.sets(subjects))
    def begin(self, allowed: set[tuple[str, str]], followed: set[str]) -> None:
        self.db = a_feed()
        self.allowed, self.followed = set(allowed), set(followed)
        # Whose every event may be told from its arrival on.
        self.always = {pair for pair in allowed if pair[0] in followed}
        self.revoked = set[tuple[str, str]]()
        self.arrived = dict[str, list[str]]()
        self.waiting = set[str]()
        self.numbers = 0
        self.readers = [Reader(self.db, lane, self.waiting.add) for lane in (LANES[0], LANES[0], LANES[1])]

    @rule(subject=subjects)
    def something_happens(self, subject: str) -> None:
        self.numbers += 1
        event = an_event(self.numbers, subject)
        arrive(self.db, event, self._followers(subject))
        self.arrived.setdefault(subject, []).append(event.event_id)

    @rule(subject=subjects)
    def a_fact_or_release_names_the_agency(self, subject: str) -> None:
        self.followed.add(subject)
        self.waiting.add(subject)

    @rule(subject=subjects, lane=lanes)
    def a_release_is_signed(self, subject: str, lane: str) -> None:
        if (subject, lane) not in self.revoked:
            self.allowed.add((subject, lane))
            self.waiting.add(subject)

    @rule(subject=subjects, lane=lanes)
    def a_release_is_revoked(self, subject: str, lane: str) -> None:
        if (subject, lane) in self.allowed:
            self.allowed.discard((subject, lane))
            self.always.discard((subject, lane))
            self.revoked.add((subject, lane))
            self.waiting.add(subject)

    @rule()
    def the_writer_follows_up(self) -> None:
        for subject in sorted(self.waiting):
            reconcile(self.db, subject, self._followers(subject))
        self.waiting.clear()

    @rule(number=st.integers(0, 2))
    def a_client_reads(self, number: int) -> None:
        self._read(self.readers[number], 1000, 0)

    @rule(number=st.integers(0, 2), most=st.integers(1, 4), lost=st.integers(1, 4))
    def a_client_reads_and_is_cut(self, number: int, most: int, lost: int) -> None:
        self._read(self.readers[number], most, min(most, lost))

    @rule(number=st.integers(0, 2))
    def a_stream_that_was_cut_still_writes_its_notes(self, number: int) -> None:
        for passed in self.readers[number].unwritten:
            self.readers[number].note(passed)
            # It cannot be sure that nobody has looked for them meanwhile.
            self.waiting.update(subject for _, subject in passed.values())
        self.readers[number].unwritten.clear()

    @invariant()
    def nothing_arrives_twice(self) -> None:
        for reader in getattr(self, "readers", ()):
            assert max(Counter(one.event_id for one in reader.received).values(), default=1) == 1

    def teardown(self) -> None:
        if not hasattr(self, "readers"):
            return
        for _ in range(3):
            self.the_writer_follows_up()
            for reader in self.readers:
                self._read(reader, 1000, 0)
        for reader in self.readers:
            self._check(reader)
        self.nothing_arrives_twice()
        self.db.engine.dispose()

    def _check(self, reader: Reader) -> None:
        for subject, happened in self.arrived.items():
            told = [one.event_id for one in reader.received if one.subject_id == subject]
            pair = (subject, reader.lane)
            if pair in self.allowed and subject in self.followed:
                assert sorted(told) == sorted(happened)
            if pair in self.always:
                assert told == happened

    def _read(self, reader: Reader, most: int, lost: int) -> int:
        return reader.read(lambda subject: (subject, reader.lane) in self.allowed, most, lost)

    def _followers(self, subject: str) -> tuple[str, ...]:
        return (AGENCY,) if subject in self.followed else ()


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
