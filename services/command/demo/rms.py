"""A records system's end of `PushReferrals`: sends, keeps what was acknowledged, and goes on there after a cut."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

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
    # How many messages left before the cut.
    sent: int = 0
    _cut: queue.Queue[None] = field(default_factory=queue.Queue)

    def send(self, messages: Sequence[Message]) -> list[Acknowledged]:
        """Send all of it, and return one acknowledgement for each message, in order. Raises grpc.RpcError."""
        return list(map(_acknowledged, self._call(iter([_to_wire(each) for each in messages]))))

    def send_and_break_off(self, messages: Sequence[Message], read: int) -> list[Acknowledged]:
        """Send all, but read only so many acknowledgements, and cut the connection: the others never arrive here."""
        call = self._call(self._endless(messages))
        found = [_acknowledged(next(call)) for _ in range(read)]
        call.cancel()
        self._cut.put(None)
        return found

    def _endless(self, messages: Sequence[Message]) -> Iterator[Request]:
        for each in messages:
            self.sent += 1
            yield _to_wire(each)
        # The sender's side stays open, so that the stream does not end but breaks.
        self._cut.get(timeout=_SECONDS)

    def _call(self, requests: Iterator[Request]) -> grpc.CallIterator[Response]:
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
        raw=str(answer),
    )
