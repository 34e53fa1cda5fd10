"""Records systems that stream new referrals to an exchange. Bytes in, bytes out, so that their own work is small."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import grpc
from lead.referral.v1 import referral_service_pb2 as pb

from services.command.bench.referrals import a_draft
from services.command.exchange import Exchange

_METHOD = "/lead.referral.v1.ReferralService/PushReferrals"
_SECONDS = 120.0


class Systems:
    """Makes records that were never sent before, and streams them."""

    def __init__(self, exchange: Exchange) -> None:
        """Send as the exchange's sample police."""
        self._target = exchange.grpc_target
        self._credentials = grpc.ssl_channel_credentials(exchange.ca_path.read_bytes())
        self._beside = (("authorization", f"Bearer {exchange.token('police_rms')}"),)
        self._numbers = count(1)

    def records(self, system: str, many: int) -> list[bytes]:
        """Return so many requests, each about a record of its own of this source system."""
        return [_record(system, next(self._numbers)) for _ in range(many)]

    def push(self, records: Sequence[bytes], streams: int) -> int:
        """Send them over so many streams at once; returns how many were stored as new. Raises grpc.RpcError."""
        with ThreadPoolExecutor(streams) as pool:
            return sum(pool.map(self._stream, [records[first::streams] for first in range(streams)]))

    def _stream(self, records: Sequence[bytes]) -> int:
        with grpc.secure_channel(self._target, self._credentials) as channel:
            call: Any = channel.stream_stream(_METHOD, None, None)
            answers = [*call(iter(records), timeout=_SECONDS, metadata=self._beside)]
        outcomes = [pb.PushReferralsResponse.FromString(each).outcome for each in answers]
        return outcomes.count(pb.PUSH_OUTCOME_CREATED)


def _record(system: str, number: int) -> bytes:
    draft = a_draft(number)
    draft.source.system, draft.source.record_id, draft.source.version = system, f"record-{number:08}", 1
    request = pb.PushReferralsRequest(record_key=f"{number}", action=pb.PUSH_ACTION_UPSERT, referral=draft)
    return request.SerializeToString()
