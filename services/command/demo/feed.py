"""A follower of the live feed, as an agency's programmer would write it: gRPC with a cursor, or server-sent events."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any

import grpc
import httpx
from google.protobuf import json_format
from lead.events.v1.events_service_pb2 import SubscribeRequest, SubscribeResponse
from lead.events.v1.events_service_pb2_grpc import EventServiceStub

from services.command.demo.client import bearer, grpc_channel
from services.command.demo.story import Story

_PATIENCE_SECONDS = 15.0


@dataclass(frozen=True)
class Told:
    """One event as it came: what it points at, and the cursor to go on from."""

    event_id: str
    type: str
    record_id: str
    href: str
    cursor: str
    raw: dict[str, Any]


@dataclass
class Stream:
    """An open subscription; events wait in a queue until they are taken."""

    cursor: str = ""
    arrived: Queue[Told] = field(default_factory=Queue)

    def take(self, number: int) -> list[Told]:
        """Return the next so many events, fewer when they do not come."""
        return list(self._next(number=number))

    def take_until(self, record_ids: set[str]) -> list[Told]:
        """Return events until each of these records was told of at least once, or no more comes."""
        missing, found = set(record_ids), []
        for told in self._next():
            found.append(told)
            missing.discard(told.record_id)
            if not missing:
                break
        return found

    def _next(self, number: int | None = None) -> Iterator[Told]:
        end, count = time.monotonic() + _PATIENCE_SECONDS, 0
        while count != number:
            try:
                told = self.arrived.get(timeout=max(0.01, end - time.monotonic()))
            except Empty:
                return
            self.cursor = told.cursor
            count += 1
            yield told


@dataclass(frozen=True)
class Feed:
    """One role of one agency, following."""

    story: Story
    role: str
    agency: str

    @contextmanager
    def live(self, cursor: str = "") -> Iterator[Stream]:
        """Follow from a cursor, or from now; leaving breaks the stream off."""
        exchange, stream, opened = self.story.exchange, Stream(cursor), threading.Event()
        with grpc_channel(exchange.grpc_target, exchange.ca_path) as channel:
            call = EventServiceStub(channel).Subscribe(SubscribeRequest(cursor=cursor), metadata=self._metadata())
            reading = threading.Thread(target=_read, args=(call, stream, opened), daemon=True)
            reading.start()
            # The first answer is a sign of life with the cursor of now.
            opened.wait(_PATIENCE_SECONDS)
            try:
                yield stream
            finally:
                call.cancel()
                reading.join(_PATIENCE_SECONDS)

    def sse(self, cursor: str, number: int) -> list[Told]:
        """Return so many server-sent events from a cursor on."""
        exchange, found = self.story.exchange, list[Told]()
        headers = {"authorization": f"Bearer {self._token()}", "last-event-id": cursor}
        trusted = ssl.create_default_context(cafile=str(exchange.ca_path))
        with (
            httpx.Client(
                base_url=exchange.http_url, verify=trusted, timeout=_PATIENCE_SECONDS, trust_env=False
            ) as http,
            http.stream("GET", "/v1/events", headers=headers) as answer,
        ):
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line and not line.startswith(":"):
                    fields[name] = value
                    continue
                if not line and "data" in fields:
                    found.append(_told(json.loads(fields["data"]), fields.get("id", "")))
                fields = {} if not line else fields
                if len(found) == number:
                    break
        return found

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return bearer(self._token())

    def _token(self) -> str:
        return self.story.exchange.token(self.role, agency=self.agency)


def _read(call: Any, stream: Stream, opened: threading.Event) -> None:
    try:
        for answer in call:
            if answer.HasField("event"):
                stream.arrived.put(_told(_json(answer), answer.cursor))
            elif not opened.is_set():
                stream.cursor = answer.cursor
            opened.set()
    except grpc.RpcError:
        # Broken off by whoever follows.
        opened.set()


def _json(answer: SubscribeResponse) -> dict[str, Any]:
    return json_format.MessageToDict(answer)


def _told(body: dict[str, Any], cursor: str) -> Told:
    event = body["event"]
    return Told(event["id"], event["type"], event["recordId"], event["href"], cursor, body)
