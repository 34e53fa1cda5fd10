"""Somebody who follows the live feed and, after a cut, goes on from the last cursor that he was given."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
from google.protobuf import json_format
from lead.events.v1.events_service_pb2 import SubscribeRequest
from lead.events.v1.events_service_pb2_grpc import EventServiceStub

from services.command.demo.client import bearer, grpc_channel
from services.command.exchange import Exchange
from tests.faults.waiting import until

_AGAIN_SECONDS = 0.1
# Longer than a stream stays without a sign of life.
_SILENT_SECONDS = 30.0
_CUT = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN}
_AWAY = 503


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it came, and when, by the monotonic clock."""

    event_id: str
    type: str
    record_id: str
    at: float


class RefusedError(AssertionError):
    """The stream ended for a reason that coming back does not mend."""


# What a stream gives: a cursor, and an event or a sign of life.
_Answer = tuple[str, dict[str, Any] | None]


class Follower:
    """One role of one agency on one face, `grpc`, or `sse` which may be at another `url`; what came, in order."""

    def __init__(self, exchange: Exchange, role: str, agency: str, face: str, cursor: str = "", url: str = "") -> None:
        self._exchange, self._role, self._agency, self._url = exchange, role, agency, url or exchange.http_url
        self._answers = {"grpc": self._by_grpc, "sse": self._by_sse}[face]
        self._ending = threading.Event()
        self._break_off: Callable[[], object] = lambda: None
        self._refused: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"follower {role}", daemon=True)
        self.told: list[Told] = []
        self.cursor = cursor
        self.cuts = 0

    def __enter__(self) -> Follower:
        self._thread.start()
        self.until(lambda: bool(self.cursor), "the stream begins")
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._break_off()
        self._thread.join(_SILENT_SECONDS)
        assert not self._thread.is_alive()

    @property
    def records(self) -> set[str]:
        """The records that anything was told of."""
        return {one.record_id for one in tuple(self.told)}

    def until(self, look: Callable[[], bool], what: str) -> None:
        """Wait until something is true. Fails when the stream is refused meanwhile."""
        until(lambda: self._refused is not None or look(), f"{self._role}: {what}")
        if self._refused is not None:
            raise RefusedError(f"{self._role}: {self._refused}")

    def until_told(self, record_ids: Collection[str]) -> None:
        """Wait until something was told of each of these records, as long as anything more comes."""
        missing = set(record_ids) - self.records
        while missing:
            self.until(lambda: bool(self.records & missing), f"{len(missing)} more records come")  # noqa: B023
            missing -= self.records

    def check_once(self, record_ids: Collection[str]) -> None:
        """Check that no event came twice, and that of each of these records, with one event each, it came."""
        doubled = {event: times for event, times in Counter(one.event_id for one in self.told).items() if times > 1}
        assert doubled == {}
        times = Counter(one.record_id for one in self.told)
        assert {one: times[one] for one in record_ids} == dict.fromkeys(record_ids, 1)

    def _run(self) -> None:
        while not self._ending.is_set() and self._refused is None:
            try:
                for cursor, event in self._answers():
                    # Both or neither: what is not taken comes again.
                    if event is not None:
                        self.told.append(Told(event["id"], event["type"], event["recordId"], time.monotonic()))
                    self.cursor = cursor or self.cursor
            except (RefusedError, grpc.RpcError, httpx.TransportError) as error:
                self._cut(error)
            self._ending.wait(_AGAIN_SECONDS)

    def _cut(self, error: Exception) -> None:
        if isinstance(error, RefusedError) or (isinstance(error, grpc.Call) and error.code() not in _CUT):
            self._refused = error
        elif not self._ending.is_set():
            self.cuts += 1

    def _by_grpc(self) -> Iterator[_Answer]:
        # A channel each time: the old one may still wait before it reconnects.
        with grpc_channel(self._exchange.grpc_target, self._exchange.ca_path) as channel:
            request = SubscribeRequest(cursor=self.cursor)
            call = EventServiceStub(channel).Subscribe(request, metadata=bearer(self._token()))
            self._break_off = call.cancel
            if self._ending.is_set():
                return
            for answer in call:
                event = json_format.MessageToDict(answer.event) if answer.HasField("event") else None
                yield answer.cursor, event

    def _by_sse(self) -> Iterator[_Answer]:
        trusted = ssl.create_default_context(cafile=str(self._exchange.ca_path))
        resumed = {"last-event-id": self.cursor} if self.cursor else {}
        headers = {"authorization": f"Bearer {self._token()}", **resumed}
        with (
            httpx.Client(verify=trusted, timeout=_SILENT_SECONDS, trust_env=False) as http,
            http.stream("GET", f"{self._url}/v1/events", headers=headers) as answer,
        ):
            raw: socket.socket = answer.extensions["network_stream"].get_extra_info("socket")
            self._break_off = lambda: _shut(raw)
            if self._ending.is_set():
                return
            if answer.status_code not in (200, _AWAY):
                raise RefusedError(f"status {answer.status_code}")
            if answer.status_code == 200:
                yield from _events(answer.iter_lines())

    def _token(self) -> str:
        return self._exchange.token(self._role, agency=self._agency)


def _events(lines: Iterator[str]) -> Iterator[_Answer]:
    """Yield what the lines of a stream say (HTML, "Server-sent events"). Raises RefusedError at an end for good."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line and not line.startswith(":"):
            fields[name] = value
        elif not line:
            if fields.get("event") == "end":
                _ended(json.loads(fields["data"]))
            elif "id" in fields:
                yield fields["id"], json.loads(fields["data"])["event"] if "data" in fields else None
            fields = {}


def _ended(problem: dict[str, Any]) -> None:
    if problem and problem.get("status") != _AWAY:
        raise RefusedError(str(problem))


def _shut(raw: socket.socket) -> None:
    with contextlib.suppress(OSError):
        raw.shutdown(socket.SHUT_RDWR)
