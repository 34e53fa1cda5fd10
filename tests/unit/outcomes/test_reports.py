"""Reports are made one at a time, and a finished one is given again for a while."""

from __future__ import annotations

import threading

import pytest
from lead.outcomes.v1 import outcomes_pb2 as pb

from services.outcomes.reports import Reports
from services.shared.errors import Code, LeadError
from tests.support.clock import FakeClock


class Maker:
    """Counts how often a report was made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> pb.Report:
        self.made += 1
        return pb.Report(title=f"{self.made}")


def test_a_report_is_given_again_for_a_while() -> None:
    clock, make = FakeClock(), Maker()
    reports = Reports(clock, 1.0, 60.0)
    assert reports.get("asked", make).title == "1"
    clock.advance(59)
    assert reports.get("asked", make).title == "1"
    clock.advance(2)
    assert reports.get("asked", make).title == "2"


def test_another_question_is_another_report() -> None:
    make, reports = Maker(), Reports(FakeClock(), 1.0, 60.0)
    assert [reports.get(("revision", number), make).title for number in (1, 2, 1)] == ["1", "2", "1"]


def test_who_waits_too_long_is_told_to_come_again() -> None:
    reports = Reports(FakeClock(), 0.01, 60.0)
    with reports.turn(), pytest.raises(LeadError) as refused:
        reports.get("asked", Maker())
    assert refused.value.code is Code.RESOURCE_EXHAUSTED


def test_a_report_that_failed_is_not_kept_and_frees_the_turn() -> None:
    reports = Reports(FakeClock(), 0.01, 60.0)

    def fail() -> pb.Report:
        raise LookupError

    with pytest.raises(LookupError):
        reports.get("asked", fail)
    assert reports.get("asked", Maker()).title == "1"


def test_calls_that_ask_the_same_at_once_get_one_report() -> None:
    reports, begun, go = Reports(FakeClock(), 5.0, 60.0), threading.Event(), threading.Event()
    make, told = Maker(), []

    def slow() -> pb.Report:
        begun.set()
        go.wait(5)
        return make()

    first = threading.Thread(target=lambda: told.append(reports.get("asked", slow)))
    first.start()
    assert begun.wait(5)
    second = threading.Thread(target=lambda: told.append(reports.get("asked", make)))
    second.start()
    go.set()
    first.join(5)
    second.join(5)
    assert [each.title for each in told] == ["1", "1"]


def test_only_so_many_are_kept() -> None:
    make, reports = Maker(), Reports(FakeClock(), 1.0, 60.0)
    for number in range(200):
        reports.get(number, make)
    assert len(reports._made) <= 64


def test_what_is_made_beside_lets_waiting_calls_go_first() -> None:
    reports, order, begun = Reports(FakeClock(), 5.0, 60.0), [], threading.Event()

    def make() -> pb.Report:
        order.append("call")
        return pb.Report()

    def call() -> None:
        begun.set()
        reports.get("asked", make)

    with reports.turn():
        waiting = threading.Thread(target=call)
        waiting.start()
        assert begun.wait(5)
        while not reports._waits:
            pass
    with reports.turn():
        order.append("beside")
    waiting.join(5)
    assert order == ["call", "beside"]
