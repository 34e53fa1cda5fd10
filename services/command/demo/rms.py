"""A records system's end of `PushReferrals`: sends, keeps what was acknowledged, and goes on there after a cut."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import json_format
from lead.referral.v1.referral_service_pb2 import PushOutcome
from lead.referral.v1.referral_service_pb2 import PushReferralsRequest as Request
from lead.referral.v1.referral_service_pb2 import PushReferralsResponse as Response
from lead.referral.v1.referral_service_pb2_grpc import ReferralServiceStub

from services.command.demo.sample_data import Message

_SECONDS = 30.0


@dataclass(frozen=True)
class Acknowledged:
    """What the exchange answered to one message: an outcome such as `CREATED`, and the paths that were wrong."""

    key: str
    outcome: str
    referral_id: str
    paths: frozenset[str]
    raw: str


@dataclass
class Rms:
    """Streams messages under a token's metadata."""

    channel: grpc.Channel
    metadata: tuple[tuple[str, str], ...]
    _left: threading.Event = field(default_factory=threading.Event)
    _cut: threading.Event = field(default_factory=threading.Event)

    def send(self, messages: Sequence[Message]) -> list[Acknowledged]:
        """Send all of it, and return one acknowledgement for each message, in order. Raises grpc.RpcError."""
        return list(map(_acknowledged, self._call(iter([_to_wire(each) for each in messages]))))

    def send_and_break_off(self, messages: Sequence[Message], read: int) -> list[Acknowledged]:
        """Send all, but read only so many acknowledgements, and cut the connection: the others never arrive here."""
        call = self._call(self._endless(messages))
        found = [_acknowledged(next(call)) for _ in range(read)]
        self._left.wait(_SECONDS)
        call.cancel()
        self._cut.set()
        return found

    def _endless(self, messages: Sequence[Message]) -> Iterator[Request]:
        yield from map(_to_wire, messages)
        self._left.set()
        # The sender's side stays open, so that the stream does not end but breaks.
        self._cut.wait(_SECONDS)

    def _call(self, requests: Iterator[Request]) -> Any:
        stub = ReferralServiceStub(self.channel)
        return stub.PushReferrals(requests, timeout=_SECONDS, metadata=self.metadata)


def _to_wire(message: Message) -> Request:
    record = {"recordKey": message.key, "action": f"PUSH_ACTION_{message.action}", "referral": message.draft}
    return json_format.ParseDict(record, Request())


def _acknowledged(answer: Response) -> Acknowledged:
    return Acknowledged(
        key=answer.record_key,
        outcome=PushOutcome.Name(answer.outcome).removeprefix("PUSH_OUTCOME_"),
        referral_id=answer.referral_id,
        paths=frozenset(each.path for each in answer.violations),
        # Not the ids: digits of one may be those of a value.
        raw=" ".join(map(str, answer.violations)),
    )
