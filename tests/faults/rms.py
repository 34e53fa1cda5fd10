"""A records system that pushes its referrals and goes on, after a cut, with what was not acknowledged."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
from google.protobuf import json_format
from lead.referral.v1.referral_service_pb2 import PushOutcome, PushReferralsRequest, PushReferralsResponse
from lead.referral.v1.referral_service_pb2_grpc import ReferralServiceStub

from services.command.demo import drafts
from services.command.demo.client import bearer, grpc_channel
from services.command.demo.story import Person
from services.command.exchange import Exchange

POLICE, SYSTEM = "sample-sheriff", "faulty-rms"
_STREAM_SECONDS = 60.0
_AGAIN_SECONDS = 0.1


def records(name: str, count: int) -> list[PushReferralsRequest]:
    """Return so many new arrests, each with one charge that goes to the city attorney. `name` makes their ids new."""
    return [_record(f"{name}-{number:04d}") for number in range(count)]


class Rms:
    """Sends records in order. Acknowledgements by record key; each key's are all kept."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._metadata = bearer(exchange.token("police_rms", agency=POLICE))
        self.acknowledged: dict[str, PushReferralsResponse] = {}
        self.cuts = 0

    def push(self, sent: Sequence[PushReferralsRequest], pace: float = 0.0) -> None:
        """Stream all that is not acknowledged yet, one record every `pace` seconds. Raises grpc.RpcError on a cut."""
        left = [each for each in sent if each.record_key not in self.acknowledged]
        gone = threading.Event()
        # A channel each time, as after a restart of the sender: the old one may still wait before it reconnects.
        with grpc_channel(self._exchange.grpc_target, self._exchange.ca_path) as channel:
            call = ReferralServiceStub(channel).PushReferrals(
                _paced(left, pace, gone), timeout=_STREAM_SECONDS, metadata=self._metadata
            )
            try:
                for answer in call:
                    self.acknowledged[answer.record_key] = answer
            finally:
                gone.set()

    def push_through(self, sent: Sequence[PushReferralsRequest], pace: float = 0.0, seconds: float = 90.0) -> None:
        """Stream, and after every cut again, until all is acknowledged. Raises the last cut after so many seconds."""
        end = time.monotonic() + seconds
        while any(each.record_key not in self.acknowledged for each in sent):
            try:
                self.push(sent, pace)
            except grpc.RpcError:
                self.cuts += 1
                if time.monotonic() > end:
                    raise
                time.sleep(_AGAIN_SECONDS)

    def outcomes(self) -> set[str]:
        """The outcomes of all that was acknowledged."""
        return {PushOutcome.Name(each.outcome).removeprefix("PUSH_OUTCOME_") for each in self.acknowledged.values()}


def _paced(sent: Sequence[PushReferralsRequest], pace: float, gone: threading.Event) -> Iterator[PushReferralsRequest]:
    for each in sent:
        if pace and gone.wait(pace):
            return
        yield each


def _record(key: str) -> PushReferralsRequest:
    person = Person("Testa", f"Sample-{key}", "1990-01-02", "sample-outreach")
    draft: dict[str, Any] = drafts.referral(person, "ARREST_DIVERSION", [drafts.theft()], None)
    draft["source"] = {"system": SYSTEM, "recordId": key, "version": "1"}
    # By which the agency's justice events of the same person are found.
    draft["person"]["localIds"] = [{"agencyId": POLICE, "id": key}]
    return json_format.ParseDict(
        {"recordKey": key, "action": "PUSH_ACTION_UPSERT", "referral": draft}, PushReferralsRequest()
    )
