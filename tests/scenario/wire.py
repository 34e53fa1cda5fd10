"""Calls over gRPC as a client that was made from no contract could make them, and what a refused one may tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from lead.referral.v1 import referral_service_pb2

from services.command.demo.client import bearer
from services.command.exchange import Exchange
from tests.scenario.attempts import CANARY

PUSH = "/lead.referral.v1.ReferralService/PushReferrals"
# Field 127, a whole number: no message has it.
UNKNOWN_FIELD = b"\xf8\x07\x01"
NO_TEXT = b"\x0a\x02\xff\xfe"
Beside = tuple[tuple[str, str], ...]


class Wire:
    """Calls methods with bytes."""

    def __init__(self, exchange: Exchange, channel: Any) -> None:
        self._exchange, self._channel = exchange, channel

    def beside(self, role: str, agency: str) -> Beside:
        """Return the metadata of a caller."""
        return bearer(self._exchange.token(role, agency=agency))

    def call(self, path: str, message: Message | bytes, beside: Beside) -> bytes:
        """Call a method, `/lead.area.v1.AreaService/Method`, once."""
        data = message if isinstance(message, bytes) else message.SerializeToString()
        answer: bytes = self._channel.unary_unary(path, None, None)(data, timeout=20, metadata=beside)
        return answer

    def push(self, records: Iterable[bytes], beside: Beside) -> Iterator[referral_service_pb2.PushReferralsResponse]:
        """Push referrals; yields the acknowledgements."""
        for answer in self._channel.stream_stream(PUSH, None, None)(iter(records), timeout=20, metadata=beside):
            yield referral_service_pb2.PushReferralsResponse.FromString(answer)

    def follow(self, data: bytes, beside: Beside) -> Iterator[bytes]:
        """Follow what happens, live."""
        path = "/lead.events.v1.EventService/Subscribe"
        yield from self._channel.unary_stream(path, None, None)(data, timeout=20, metadata=beside)


def refused(call: Callable[[], object], code: grpc.StatusCode, *paths: str) -> None:
    """Check the status of a refused call, the paths that its details name, and that it echoes nothing."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    error: Any = raised.value
    assert error.code() is code, error
    beside = dict(error.trailing_metadata() or ())
    said = [(error.details() or "").encode(), *(str(value).encode() for value in beside.values())]
    assert not any(CANARY.encode() in one.lower() or b"Traceback" in one for one in said)
    assert _paths(beside.get("grpc-status-details-bin", b"")) == sorted(set(paths)), error


def _paths(details: bytes) -> list[str]:
    bad = error_details_pb2.BadRequest()
    for one in status_pb2.Status.FromString(details).details:
        one.Unpack(bad)
    return sorted({each.field for each in bad.field_violations})
