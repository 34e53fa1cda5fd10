from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lead.referral.v1 import referral_service_pb2 as pb

from services.command.push.records import Outgoing, Result
from services.command.push.sender import PushRefused, Sender, Unreachable
from services.shared.errors import Violation


class Broken(grpc.RpcError):
    """How a stream ends that was cut."""

    def __init__(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        super().__init__()
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "said the exchange"


class FakeExchange:
    """Stores by key, as the natural key does; each try ends after so many answers, and some answers get lost."""

    def __init__(self, tries: list[tuple[int, int]], code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        """Each of `tries` gives how many are answered and how many more stored; then all is."""
        self._tries, self._code = iter(tries), code
        self.stored: list[str] = []
        self.most_ahead = 0

    def __call__(self, messages: Iterator[pb.PushReferralsRequest]) -> Iterable[pb.PushReferralsResponse]:
        planned = next(self._tries, None)
        if planned is None:
            yield from map(self._store, messages)
            return
        answered, lost = planned
        yield from map(self._store, islice(messages, answered))
        for message in islice(messages, lost):
            self._store(message)
        raise Broken(self._code)

    def _store(self, message: pb.PushReferralsRequest) -> pb.PushReferralsResponse:
        is_new = message.record_key not in self.stored
        if is_new:
            self.stored.append(message.record_key)
        outcome = pb.PUSH_OUTCOME_CREATED if is_new else pb.PUSH_OUTCOME_UNCHANGED
        return pb.PushReferralsResponse(record_key=message.record_key, outcome=outcome)


def rows(wanted: str) -> list[Outgoing]:
    """`s` is a row that can be sent, anything else one that can't."""
    made = []
    for number, letter in enumerate(wanted, 1):
        message = pb.PushReferralsRequest(record_key=str(number)) if letter == "s" else None
        made.append(Outgoing(number, str(number), message, () if message else (Violation("", "JSON"),)))
    return made


def sent(wanted: str, exchange: FakeExchange, in_flight: int = 8) -> list[Result]:
    return list(Sender(iter(rows(wanted)), exchange, lambda _: None, in_flight).results())


@given(
    st.text("sx", max_size=60),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 6)), max_size=6),
    st.integers(7, 12),
)
def test_every_row_is_told_once_and_in_order_however_often_the_stream_breaks(
    wanted: str, tries: list[tuple[int, int]], in_flight: int
) -> None:
    exchange = FakeExchange(tries)
    told = sent(wanted, exchange, in_flight)
    assert [each.number for each in told] == list(range(1, len(wanted) + 1))
    assert ["x" if each.outcome == "REJECTED" else "s" for each in told] == list(wanted)
    assert exchange.stored == [str(number) for number, letter in enumerate(wanted, 1) if letter == "s"]


def test_a_record_whose_answer_was_lost_is_unchanged_the_second_time() -> None:
    told = sent("sss", FakeExchange([(1, 1)]))
    assert [each.outcome for each in told] == ["CREATED", "UNCHANGED", "CREATED"]


def test_no_more_than_the_bound_is_under_way() -> None:
    asked: list[str] = []

    def hoarding(messages: Iterator[pb.PushReferralsRequest]) -> Iterable[pb.PushReferralsResponse]:
        asked.extend(message.record_key for message in islice(messages, 4))
        # A fifth is not given before one is answered.
        raise Broken

    sender = Sender(iter(rows("s" * 10)), hoarding, _give_up, in_flight=4)
    with pytest.raises(Unreachable):
        list(sender.results())
    assert asked == ["1", "2", "3", "4"]


def test_a_stream_that_ends_early_is_no_end() -> None:
    def short(messages: Iterator[pb.PushReferralsRequest]) -> Iterable[pb.PushReferralsResponse]:
        for message in islice(messages, 2):
            yield pb.PushReferralsResponse(record_key=message.record_key, outcome=pb.PUSH_OUTCOME_CREATED)

    assert len(list(Sender(iter(rows("sssss")), short, lambda _: None).results())) == 5


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED])
def test_a_refusal_is_not_tried_again(code: grpc.StatusCode) -> None:
    with pytest.raises(PushRefused, match="said the exchange"):
        sent("ss", FakeExchange([(0, 0)], code))


def test_waits_grow_and_start_anew_with_an_answer() -> None:
    waits: list[float] = []
    exchange = FakeExchange([(0, 0), (0, 0), (1, 0), (0, 0)])
    list(Sender(iter(rows("sss")), exchange, waits.append).results())
    assert waits == [0.2, 0.4, 0.2, 0.4]


def test_a_file_that_cannot_be_read_on_is_told_and_not_taken_for_its_end() -> None:
    def failing() -> Iterator[Outgoing]:
        yield from rows("s")
        raise OSError(5, "input/output error")

    with pytest.raises(OSError, match="input/output error"):
        list(Sender(failing(), FakeExchange([]), lambda _: None).results())


def _give_up(_: float) -> None:
    raise Unreachable
