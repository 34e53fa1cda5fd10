"""The exchange's two public faces as `leadx push` calls them."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from lead.referral.v1 import referral_service_pb2 as pb

from services.command.push.records import REJECTED, Result
from services.command.push.sender import PushRefused, Unreachable
from services.shared.errors import Violation

# A stream lives as long as its connection may: an hour.
_STREAM_SECONDS = 3600.0
_CALL_SECONDS = 60.0
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0
_TRY_AGAIN = frozenset({429, 502, 503, 504})
_REFUSED = frozenset({401, 403, 404, 405})
_OPTIONS = (("grpc.keepalive_time_ms", 20_000), ("grpc.max_metadata_size", 256 * 1024))


@dataclass
class Patience:
    """Waits between tries, as long as something was answered within `seconds`."""

    seconds: float
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    _since: float | None = field(default=None, init=False)

    def progress(self) -> None:
        """Note that something was answered."""
        self._since = None

    def pause(self, wait: float) -> None:
        """Wait. Raises Unreachable when nothing was answered for too long."""
        now = self.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since >= self.seconds:
            raise Unreachable
        self.sleep(wait)


@dataclass(frozen=True)
class Faces:
    """Where the exchange is, whom to trust, and the token, which is asked for anew with each try."""

    url: str
    grpc_target: str
    ca: Path | None
    token: Callable[[], str]

    def push(self, messages: Iterator[pb.PushReferralsRequest]) -> Iterable[pb.PushReferralsResponse]:
        """Open a stream of referrals, on a connection of its own. Answers raise grpc.RpcError when it breaks."""
        from lead.referral.v1.referral_service_pb2_grpc import ReferralServiceStub

        credentials = grpc.ssl_channel_credentials(self.ca.read_bytes() if self.ca else None)
        beside = (("authorization", f"Bearer {self.token()}"),)
        with grpc.secure_channel(self.grpc_target, credentials, _OPTIONS) as channel:
            call = ReferralServiceStub(channel).PushReferrals(messages, timeout=_STREAM_SECONDS, metadata=beside)
            try:
                yield from call
            finally:
                call.cancel()

    def import_incidents(self, data: bytes, patience: Patience) -> list[Result]:
        """Send a NIBRS submission; returns what became of each person in it. Raises PushRefused, Unreachable."""
        return _imported(self._post("/v1/incidents:import", data, "application/xml", patience))

    def post_json(self, path: str, data: bytes, patience: Patience) -> Any:
        """Send a JSON body; returns the JSON of the answer. Raises PushRefused, Unreachable."""
        answer = self._post(path, data, "application/json", patience)
        body = _body(answer)
        if answer.is_error:
            wrong = "; ".join(f"{each.path}: {each.wish}" for each in violations_of(body))
            raise PushRefused(wrong or str(body.get("detail", answer.status_code)))
        return body

    def _post(self, path: str, data: bytes, content_type: str, patience: Patience) -> Any:
        """Return the answer, after as many tries as patience allows."""
        import httpx

        context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        wait = _FIRST_WAIT
        with httpx.Client(verify=context, timeout=_CALL_SECONDS, trust_env=False) as client:
            while True:
                headers = {"authorization": f"Bearer {self.token()}", "content-type": content_type}
                try:
                    answer = client.post(f"{self.url}{path}", content=data, headers=headers)
                    if answer.status_code not in _TRY_AGAIN:
                        return answer
                except httpx.TransportError:
                    pass
                patience.pause(wait)
                wait = min(_LONGEST_WAIT, wait * 2)


def target_beside(url: str) -> str:
    """Return host:port of the gRPC face beside an HTTP face: the next port. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("the URL is https://HOST[:PORT]")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{(parts.port or 443) + 1}"


def _body(answer: Any) -> Any:
    """Return the JSON of an answer. Raises PushRefused when the call as such is refused."""
    try:
        body = answer.json()
    except ValueError:
        raise PushRefused(f"HTTP {answer.status_code}, and no JSON: is this an exchange?") from None
    if answer.status_code in _REFUSED:
        raise PushRefused(str(body.get("detail") or body.get("title") or answer.status_code))
    return body


def _imported(answer: Any) -> list[Result]:
    body = _body(answer)
    if answer.is_error:
        # The whole file is not accepted.
        wrong = tuple(violations_of(body)) or (Violation("", str(body.get("detail", "another file"))),)
        return [Result(1, "1", REJECTED, "", wrong)]
    return [_result(number, each) for number, each in enumerate(body.get("results", []), 1)]


def _result(number: int, told: dict[str, Any]) -> Result:
    outcome = str(told.get("outcome", "")).removeprefix("IMPORT_OUTCOME_")
    key = str(told.get("recordKey", number))
    return Result(number, key, outcome, str(told.get("incidentId", "")), tuple(violations_of(told)))


def violations_of(body: dict[str, Any]) -> Iterator[Violation]:
    """Yield what an answer, or one result in it, says is wrong."""
    for each in body.get("violations", ()):
        yield Violation(str(each.get("path", "")), str(each.get("wish", "")))
