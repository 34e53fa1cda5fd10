"""Statements of several subjects travel in one request; a bad one holds its own subject; each keeps its order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lead.consent.v1.consent_internal_service_pb2 import LinkSubjectsRequest, ScopeStatement, StateScopeRequest
from sqlalchemy import Row

from services.shared import errors
from services.shared.events import outbox
from services.shared.events.log import Entry
from services.shared.events.outbox import Statement, link_subjects, state_scope
from services.shared.events.stages import Stage, stages
from tests.unit.events.harness import OUTBOX, Killed, World, an_event
from tests.unit.events.sample import TOPIC, SampleWithdrawn

BAD = "bad"


def a_statement(subject_id: str, *words: str) -> Statement:
    """Return what says these words of a subject, one fact each."""
    facts = [ScopeStatement(subject_id=subject_id, record_id=word) for word in words]
    return state_scope(subject_id, StateScopeRequest(statements=facts))


def put(world: World, *statements: Statement) -> None:
    with world.producer.db.write() as connection:
        outbox.put(connection, OUTBOX, statements, world.clock.now())


def put_events(world: World, *subject_ids: str) -> None:
    for subject in subject_ids:
        world.producer.put(an_event(SampleWithdrawn(reason="x"), record_id=f"rec_{subject}", subject_id=subject))


class Consent:
    """Takes what is delivered as a whole or not at all, as consent's transaction does."""

    def __init__(self, world: World) -> None:
        self.requests: list[list[tuple[str, str]]] = []
        self.error: Callable[[Sequence[tuple[str, str]]], Exception | None] = lambda _facts: None
        world.producer.refuse = self._deliver

    def _deliver(self, body: bytes) -> Exception | None:
        facts = [(one.subject_id, one.record_id) for one in StateScopeRequest.FromString(body).statements]
        self.requests.append(facts)
        return self.error(facts)

    def refuse(self, word: str) -> None:
        self.error = lambda facts: errors.invalid(()) if any(fact[1] == word for fact in facts) else None


@pytest.fixture
def consent(world: World) -> Consent:
    return Consent(world)


def subjects(count: int) -> list[str]:
    return [f"sub_{number:03}" for number in range(count)]


def test_statements_of_many_subjects_go_in_one_request(world: World, consent: Consent) -> None:
    put(world, *(a_statement(each, "site", "incident") for each in subjects(64)))
    put_events(world, *subjects(3))
    assert world.producer.relay.run_once() == 67
    assert consent.requests == [[(each, word) for each in subjects(64) for word in ("site", "incident")]]


def test_statements_between_the_events_of_others_still_go_in_one_request(world: World, consent: Consent) -> None:
    for each in subjects(5):
        put(world, a_statement(each, "site"))
        put_events(world, each)
    assert world.producer.relay.run_once() == 10
    assert len(consent.requests) == 1


def test_a_request_has_a_bounded_number_of_statements(world: World, consent: Consent) -> None:
    put(world, *(a_statement(each, "site") for each in subjects(300)))
    assert world.producer.relay.run_once() == 300
    assert [len(each) for each in consent.requests] == [128, 128, 44]


def test_a_bad_statement_in_a_group_holds_only_its_own_subject(world: World, consent: Consent) -> None:
    consent.refuse(BAD)
    put(world, *(a_statement(each, BAD if each == "sub_002" else "good") for each in subjects(5)))
    put_events(world, *subjects(5))
    assert world.producer.relay.run_once() == 8
    assert world.producer.unsent() == 2
    assert len(world.log.records[TOPIC]) == 4
    consent.error = lambda _facts: None
    world.clock.advance(5)
    assert world.producer.relay.run_once() == 2


def test_a_statement_that_was_refused_goes_alone_until_it_is_taken(world: World, consent: Consent) -> None:
    consent.refuse(BAD)
    put(world, a_statement("sub_1", BAD), a_statement("sub_2", "good"))
    world.producer.relay.run_once()
    world.clock.advance(5)
    put(world, a_statement("sub_3", "good"), a_statement("sub_4", "good"))
    consent.requests.clear()
    assert world.producer.relay.run_once() == 2
    assert consent.requests == [[("sub_1", BAD)], [("sub_3", "good"), ("sub_4", "good")]]


def test_what_is_no_request_spoils_nobodys(world: World) -> None:
    delivered: list[bytes] = []
    world.producer.refuse = delivered.append
    put(world, a_statement("sub_1", "good"), Statement(outbox.STATE_SCOPE, "sub_2", b"bad"), a_statement("sub_3", "x"))
    assert world.producer.relay.run_once() == 3
    assert delivered[1] == b"bad"
    assert len(delivered) == 3


def test_a_link_is_said_between_the_statements_around_it(world: World) -> None:
    put(
        world,
        a_statement("sub_1", "before"),
        link_subjects("sub_1", LinkSubjectsRequest(participant_id="par_1", subject_ids=["sub_1"])),
        a_statement("sub_1", "after"),
    )
    assert world.producer.relay.run_once() == 3
    assert [kind for kind, _ in world.producer.delivered] == ["StateScope", "LinkSubjects", "StateScope"]


def test_a_subject_that_was_refused_says_nothing_later_either(world: World, consent: Consent) -> None:
    consent.refuse(BAD)
    put(world, a_statement("sub_1", BAD), a_statement("sub_2", "good"), a_statement("sub_1", "later"))
    assert world.producer.relay.run_once() == 1
    taken = [facts for facts in consent.requests if consent.error(facts) is None]
    assert taken == [[("sub_2", "good")]]


def test_a_group_that_does_not_arrive_is_tried_as_smaller_ones(world: World, consent: Consent) -> None:
    consent.error = lambda facts: errors.unavailable("too much at once") if len(facts) > 40 else None
    put(world, *(a_statement(each, "site") for each in subjects(128)))
    for _ in range(2):
        assert world.producer.relay.run_once() == 0
        world.clock.advance(5)
    assert world.producer.relay.run_once() == 128
    assert [len(each) for each in consent.requests] == [128, 64, 32, 33, 34, 29]


def test_while_consent_is_away_one_request_is_tried_and_all_wait(world: World, consent: Consent) -> None:
    consent.error = lambda _facts: errors.unavailable("away")
    put(world, *(a_statement(each, "site") for each in subjects(300)))
    put_events(world, "sub_free", "sub_000")
    assert world.producer.relay.run_once() == 1
    assert len(consent.requests) == 1
    assert world.producer.unsent() == 301


def test_a_death_between_delivering_and_marking_delivers_the_same_again(
    world: World, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, *(a_statement(each, "site") for each in subjects(3)))
    put_events(world, *subjects(3))

    def die(*_args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "mark_sent", die)
        with pytest.raises(Killed):
            world.producer.relay.run_once()
    assert world.producer.relay.run_once() == 6
    assert consent.requests[0] == consent.requests[1]
    assert len({record.headers["ce_id"] for record in world.log.records[TOPIC]}) == 3


def test_who_waits_is_told_as_soon_as_his_page_is_marked(world: World) -> None:
    told: list[int] = []
    world.producer.relay._rounds._marked = lambda: told.append(world.producer.unsent())
    put(world, *(a_statement(each, "site") for each in subjects(900)))
    assert world.producer.relay.run_once() == 900
    assert told == [500, 100, 0]


Said = tuple[str, str]
"""A subject and what follows for it: a good statement, a bad one, a link, or an event."""


@dataclass
class Order:
    """What arrived, by subject: outbox rows by number."""

    arrived: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sub_1", "sub_2", "sub_3"]),
            st.sampled_from(["good", "good", BAD, "link", "event", "event"]),
        ),
        max_size=25,
    )
)
def test_whatever_is_interleaved_each_subject_keeps_its_order_up_to_its_first_bad_statement(said: list[Said]) -> None:
    with TemporaryDirectory() as folder:
        world, order = World(Path(folder)), Order()
        world.log.append = lambda entries: _note_events(order, entries)  # type: ignore[method-assign]
        world.producer.relay._rounds._deliver = lambda kind, body: _note_statements(order, kind, body)
        with world.producer.db.write() as connection:
            outbox.put(connection, OUTBOX, [_row(number, *each) for number, each in enumerate(said)], world.clock.now())
        world.producer.relay.run_once()
        world.producer.db.engine.dispose()
    assert dict(order.arrived) == {key: numbers for key, numbers in _expected(said) if numbers}


def _row(number: int, subject: str, word: str) -> Statement | outbox.SealedRow:
    if word == "event":
        return outbox.SealedRow(TOPIC, subject, b"key", f"{subject}:{number}".encode(), {}, "")
    if word == "link":
        return link_subjects(subject, LinkSubjectsRequest(participant_id=str(number), subject_ids=[subject]))
    fact = ScopeStatement(subject_id=subject, record_id=word, version=number)
    return state_scope(subject, StateScopeRequest(statements=[fact]))


def _note_events(order: Order, entries: Sequence[Entry]) -> None:
    for entry in entries:
        subject, _, number = entry.value.decode().partition(":")
        order.arrived[subject].append(int(number))


def _note_statements(order: Order, kind: str, body: bytes) -> None:
    if kind == outbox.LINK_SUBJECTS:
        link = LinkSubjectsRequest.FromString(body)
        order.arrived[link.subject_ids[0]].append(int(link.participant_id))
        return
    facts = StateScopeRequest.FromString(body).statements
    if any(one.record_id == BAD for one in facts):
        raise errors.invalid(())
    for one in facts:
        order.arrived[one.subject_id].append(one.version)


def _expected(said: Sequence[Said]) -> Iterator[tuple[str, list[int]]]:
    for subject in {each for each, _ in said}:
        own = [(number, word) for number, (each, word) in enumerate(said) if each == subject]
        bad = next((place for place, (_, word) in enumerate(own) if word == BAD), len(own))
        yield subject, [number for number, _ in own[:bad]]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
def test_stages_hold_every_row_once_and_in_each_subjects_order(said: list[tuple[str, bool]]) -> None:
    rows = [_unsent(number, subject, is_event=is_event) for number, (subject, is_event) in enumerate(said)]
    left = [row for stage in stages(rows) for row in (*stage.statements, *stage.events)]
    assert sorted(row.id for row in left) == list(range(len(said)))
    for subject in "abc":
        own = [row.id for row in left if row.subject_id == subject]
        assert own == sorted(own)


def test_subjects_that_say_the_same_kind_of_things_need_one_stage() -> None:
    rows = [_unsent(number, subject, is_event=number > 2) for number, subject in enumerate("abcabc")]
    [stage] = stages(rows)
    assert stage == Stage(rows[:3], rows[3:])


def _unsent(number: int, subject: str, *, is_event: bool) -> Row[tuple[int, str, str]]:
    return _Row(number, subject, outbox.EVENT if is_event else outbox.STATE_SCOPE)  # type: ignore[return-value]


@dataclass(frozen=True)
class _Row:
    id: int
    subject_id: str
    kind: str
