from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from lead.consent.v1.consent_internal_service_pb2 import LinkSubjectsRequest, ScopeStatement, StateScopeRequest
from lead.envelope.v1.envelope_pb2 import SealedEvent
from sqlalchemy import func, select

from services.shared import errors
from services.shared.events import cloudevents, outbox
from services.shared.events.log import LogUnavailableError
from services.shared.events.outbox import Statement, link_subjects, state_scope
from services.shared.events.relay import Relay, RelayState
from tests.support.log import FakeLog
from tests.unit.events.harness import OUTBOX, Killed, World, an_event
from tests.unit.events.sample import TOPIC, SampleWithdrawn, a_change


def a_statement(subject_id: str = "sub_1", word: str = "fact") -> Statement:
    return Statement(outbox.STATE_SCOPE, subject_id, word.encode())


def subjects_on(log: FakeLog) -> list[bytes]:
    return [record.key for record in log.records[TOPIC]]


def fail_after(work: Callable[[], None]) -> None:
    work()
    raise KeyError


def put_statement(world: World, statement: Statement) -> None:
    with world.producer.db.write() as connection:
        outbox.put_statement(connection, OUTBOX, statement, world.clock.now())


def refuse_about(world: World, word: bytes, error: Exception) -> None:
    world.producer.refuse = lambda body: error if body == word else None


def test_an_event_reaches_the_log_sealed_and_neutral(world: World) -> None:
    world.producer.publish(an_event(a_change(name="Testa", charges=[{"id": "chg_1"}])))
    (record,) = world.log.records[TOPIC]
    envelope = cloudevents.parse(TOPIC, record.key, record.headers)
    assert envelope.schema == "lead.sample.event.v1"
    assert len(SealedEvent.FromString(record.value).sections) == 2
    everything = record.value + b"".join(record.headers.values())
    for clear in (b"Testa", b"chg_1", b"SampleChanged", b"springfield", b"sub_1", b"rec_1"):
        assert clear not in everything


def test_what_was_rolled_back_is_never_said(world: World) -> None:
    prepared = world.producer.publisher.prepare([an_event(a_change(name="Testa"))])
    with pytest.raises(KeyError), world.producer.db.write() as connection:
        fail_after(lambda: prepared.put(connection))
    assert world.producer.relay.run_once() == 0
    assert world.log.records[TOPIC] == []


def test_nothing_is_put_without_keys(world: World) -> None:
    world.consent.is_away = True
    with pytest.raises(errors.LeadError):
        world.producer.put(an_event(a_change(name="Testa")))
    assert world.producer.unsent() == 0


def test_an_event_of_another_area_or_without_content_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="no event of sample"):
        world.producer.put(an_event(SealedEvent()))
    with pytest.raises(ValueError, match="says nothing"):
        world.producer.put(an_event(a_change()))


def test_events_are_published_in_order_and_once(world: World) -> None:
    for version in range(1, 451):
        world.producer.put(an_event(SampleWithdrawn(reason=str(version)), version=version))
    assert world.producer.relay.run_once() == 450
    ids = [record.headers["ce_id"] for record in world.log.records[TOPIC]]
    assert len(ids) == 450
    assert ids == sorted(ids)
    assert world.producer.relay.run_once() == 0


def test_a_statement_arrives_before_the_events_behind_it(world: World) -> None:
    world.producer.put(an_event(a_change(name="1")))
    world.producer.put(an_event(a_change(name="2"), statements=(a_statement(),)))
    seen: list[int] = []

    def look(_body: bytes) -> None:
        seen.append(len(world.log.records[TOPIC]))

    world.producer.refuse = look
    assert world.producer.relay.run_once() == 3
    assert seen == [1]
    assert len(world.log.records[TOPIC]) == 2


def test_both_kinds_of_statements_are_what_consent_understands() -> None:
    scope = state_scope("sub_1", StateScopeRequest(statements=[ScopeStatement(record_id="ref_1")]))
    link = link_subjects("sub_1", LinkSubjectsRequest(participant_id="par_1"))
    assert (scope.kind, link.kind) == ("StateScope", "LinkSubjects")
    assert StateScopeRequest.FromString(scope.body).statements[0].record_id == "ref_1"
    assert LinkSubjectsRequest.FromString(link.body).participant_id == "par_1"


def test_a_refused_statement_holds_back_what_follows_for_its_subject_and_nobody_else(world: World) -> None:
    refuse_about(world, b"bad", errors.invalid(()))
    world.producer.put(an_event(a_change(name="before"), subject_id="sub_1"))
    world.producer.put(an_event(a_change(name="held"), subject_id="sub_1", statements=(a_statement("sub_1", "bad"),)))
    world.producer.put(an_event(a_change(name="free"), subject_id="sub_2", statements=(a_statement("sub_2"),)))
    assert world.producer.relay.run_once() == 3
    assert len(set(subjects_on(world.log))) == 2
    world.producer.refuse = lambda _body: None
    world.clock.advance(5)
    assert world.producer.relay.run_once() == 2
    assert subjects_on(world.log)[-1] == subjects_on(world.log)[0]


def test_a_long_queue_behind_one_refused_statement_does_not_stop_the_others(world: World) -> None:
    refuse_about(world, b"bad", errors.invalid(()))
    put_statement(world, a_statement("sub_1", "bad"))
    for number in range(250):
        world.producer.put(an_event(SampleWithdrawn(reason="x"), subject_id="sub_1", version=number))
    world.producer.put(an_event(SampleWithdrawn(reason="x"), subject_id="sub_2"))
    assert world.producer.relay.run_once() == 1


def test_while_consent_is_away_only_one_statement_is_tried(world: World) -> None:
    tried: list[bytes] = []

    def away(body: bytes) -> Exception:
        tried.append(body)
        return errors.unavailable("away")

    world.producer.refuse = away
    for number in range(5):
        put_statement(world, a_statement(f"sub_{number}"))
    world.producer.put(an_event(a_change(name="free"), subject_id="sub_9"))
    assert world.producer.relay.run_once() == 1
    assert len(tried) == 1


def test_a_refused_statement_is_not_tried_again_at_once(world: World) -> None:
    tried: list[bytes] = []

    def refuse(body: bytes) -> Exception:
        tried.append(body)
        return errors.invalid(())

    world.producer.refuse = refuse
    put_statement(world, a_statement())
    world.producer.relay.run_once()
    world.producer.relay.run_once()
    assert len(tried) == 1
    world.clock.advance(3)
    world.producer.relay.run_once()
    assert len(tried) == 2


def test_while_the_log_is_away_everything_waits_and_statements_stay_delivered(world: World) -> None:
    world.producer.put(an_event(a_change(name="Testa"), statements=(a_statement(),)))
    world.log.fail(1)
    with pytest.raises(LogUnavailableError):
        world.producer.relay.run_once()
    assert world.producer.unsent() == 1
    assert world.producer.relay.run_once() == 1
    assert len(world.producer.delivered) == 1


def test_a_death_between_publishing_and_marking_publishes_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.producer.put(an_event(a_change(name="Testa")))

    def die(*_args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "mark_sent", die)
        with pytest.raises(Killed):
            world.producer.relay.run_once()
    assert world.producer.relay.run_once() == 1
    first, second = world.log.records[TOPIC]
    assert first.headers["ce_id"] == second.headers["ce_id"]
    assert first.headers["traceparent"] != second.headers["traceparent"]


def test_each_hop_has_a_trace_of_its_own(world: World) -> None:
    for number in range(3):
        world.producer.put(an_event(SampleWithdrawn(reason="x"), version=number))
    world.producer.relay.run_once()
    traces = {record.headers["traceparent"][3:35] for record in world.log.records[TOPIC]}
    assert len(traces) == 3


def test_the_oldest_unsent_row_is_a_metric(world: World) -> None:
    with world.producer.db.read() as connection:
        assert outbox.oldest_unsent(connection, OUTBOX) is None
    written_at = world.clock.now()
    world.producer.put(an_event(a_change(name="1")))
    world.clock.advance(10)
    world.producer.put(an_event(a_change(name="2")))
    with world.producer.db.read() as connection:
        assert outbox.oldest_unsent(connection, OUTBOX) == written_at


def test_sent_rows_are_deleted_after_seven_days_and_unsent_ones_never(world: World) -> None:
    world.producer.publish(an_event(a_change(name="sent")))
    put_statement(world, a_statement())
    later = world.clock.now() + timedelta(days=7, seconds=1)
    with world.producer.db.write() as connection:
        assert outbox.purge_sent(connection, OUTBOX, world.clock.now() + timedelta(days=7)) == 0
        assert outbox.purge_sent(connection, OUTBOX, later) == 1
        assert connection.scalar(select(func.count()).select_from(OUTBOX)) == 1


class Running:
    """A relay whose thread runs, with its last reported state."""

    def __init__(self, world: World) -> None:
        self.states: list[RelayState] = []
        self.reported = threading.Condition()
        self.relay = Relay(world.producer.db, OUTBOX, world.log, world.producer.deliver, world.clock, self._note)

    def _note(self, state: RelayState) -> None:
        with self.reported:
            self.states.append(state)
            self.reported.notify_all()

    def wait_for_state(self, wanted: RelayState) -> bool:
        with self.reported:
            return self.reported.wait_for(lambda: wanted in self.states, 10)

    def __enter__(self) -> Relay:
        self.relay.start()
        return self.relay

    def __exit__(self, *_: object) -> None:
        self.relay.stop()


def test_a_flush_returns_when_what_was_there_has_arrived(world: World) -> None:
    with Running(world) as relay:
        world.producer.put(an_event(a_change(name="Testa"), statements=(a_statement(),)))
        assert relay.flush(10)
        assert len(world.log.records[TOPIC]) == 1
        assert len(world.producer.delivered) == 1
        assert relay.flush(0)


def test_a_flush_for_one_subject_does_not_wait_for_another_ones_trouble(world: World) -> None:
    refuse_about(world, b"bad", errors.invalid(()))
    with Running(world) as relay:
        put_statement(world, a_statement("sub_1", "bad"))
        put_statement(world, a_statement("sub_2"))
        assert relay.flush(10, "sub_2")
        assert not relay.flush(0.05, "sub_1")
        assert not relay.flush(0.05)


def test_a_relay_survives_an_outage_and_reports_it(world: World) -> None:
    world.log.fail(2)
    running = Running(world)
    with running as relay:
        world.producer.put(an_event(a_change(name="Testa")))
        assert relay.flush(10)
        assert running.wait_for_state(RelayState(None, 0, is_failing=False))
    assert any(state.is_failing for state in running.states)


def test_many_writers_and_one_relay_lose_nothing(world: World) -> None:
    def write(subject: int) -> None:
        for version in range(10):
            world.producer.put(an_event(SampleWithdrawn(reason="x"), subject_id=f"sub_{subject}", version=version))
            relay.nudge()

    with Running(world) as relay:
        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert relay.flush(20)
    assert len({record.headers["ce_id"] for record in world.log.records[TOPIC]}) == 40
