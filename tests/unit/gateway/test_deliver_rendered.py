"""Between the last look at an answer and its bytes nothing is left to do: it is written beforehand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf.message import Message
from lead.referral.v1 import referral_service_pb2 as pb

from services.shared.errors import Code, LeadError
from tests.unit.gateway.exchange import GET, SUBJECT, Exchange, a_referral, an_exchange, asked_as, rpc_of, run


def taken_back_at_first(exchange: Exchange) -> Callable[[Message], bytes]:
    """Write an answer; while the first one is written, what it rests on is taken back."""
    written: list[bytes] = []

    def write(message: Message) -> bytes:
        if not written:
            exchange.consent.rule = lambda _, __: 0
            exchange.consent.change(SUBJECT)
        written.append(message.SerializeToString())
        return written[-1]

    return write


def test_a_record_whose_release_is_taken_back_while_it_is_written_does_not_leave(tmp_path: Path) -> None:
    async def scenario() -> None:
        exchange = an_exchange(tmp_path)
        with pytest.raises(LeadError) as caught:
            await exchange.door.answer(rpc_of("GetReferral"), GET, asked_as(), taken_back_at_first(exchange))
        assert caught.value.code is Code.NOT_FOUND

    run(scenario())


def test_a_list_whose_release_is_taken_back_while_it_is_written_leaves_without_the_row(tmp_path: Path) -> None:
    async def scenario() -> None:
        exchange = an_exchange(tmp_path)
        exchange.area.referrals = [a_referral()]
        request = pb.ListReferralsRequest()
        answer = await exchange.door.answer(rpc_of("ListReferrals"), request, asked_as(), taken_back_at_first(exchange))
        assert not pb.ListReferralsResponse.FromString(answer).referrals

    run(scenario())
