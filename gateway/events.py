"""The gateway's own service: `lead.events.v1.EventService.Subscribe`, for both faces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from lead.events.v1 import events_service_pb2 as pb

from gateway import record
from gateway.door import AWAY, Asked
from gateway.feed.cursor import BEGIN, Lane
from gateway.feed.places import Places
from gateway.feed.subscription import Around, Call, Sink, Subscription, lane_of
from gateway.forward import path_of
from services.shared.errors import LeadError, unavailable
from services.shared.sharing.assertion import Caller

SUBSCRIBE = "lead.events.v1.EventService.Subscribe"
# How long streams get to end by themselves when the process ends.
_GRACE_SECONDS = 2.0


class EventService:
    """Opens streams and ends them. Belongs to one event loop."""

    def __init__(self, around: Around, places: Places, most_seconds: float, is_well: Callable[[], bool]) -> None:
        """Let a stream live `most_seconds`; none is opened while the feed is not kept up (`is_well`)."""
        self._around, self._places, self._most_seconds, self._is_well = around, places, most_seconds, is_well
        self._streams: dict[asyncio.Task[None], Subscription] = {}
        self._is_closing = False

    def serves(self, rpc: MethodDescriptor) -> bool:
        """Tell whether the method is this one."""
        return rpc.full_name == SUBSCRIBE

    async def open(self, rpc: MethodDescriptor, request: Message, asked: Asked) -> Stream:
        """Return a stream that is ready to be sent: run it, or close it.

        Raises LeadError as any other call does, INVALID_ARGUMENT for a foreign cursor, OUT_OF_RANGE for one that is too
        old, and RESOURCE_EXHAUSTED when there are too many streams; every refusal is recorded.
        """
        door = self._around.door
        identity = door.authenticator.identify(asked.authorization)
        caller = await door.admit(rpc, identity, asked)
        try:
            return await self._opened(rpc, cast(pb.SubscribeRequest, request), caller, asked)
        except LeadError as error:
            await door.refused(rpc, caller, asked, error.code.value, waits=error.code not in AWAY)
            raise

    async def close(self) -> None:
        """End every stream, and open no more."""
        self._is_closing = True
        running = dict(self._streams)
        for one in running.values():
            one.end()
        self._around.bell.ring_all()
        if running:
            await asyncio.wait(running, timeout=_GRACE_SECONDS)
        for task in running:
            task.cancel()

    async def _opened(
        self, rpc: MethodDescriptor, request: pb.SubscribeRequest, caller: Caller, asked: Asked
    ) -> Stream:
        if self._is_closing or not self._is_well():
            raise unavailable("Events are not delivered for now; try again.")
        door, lane = self._around.door, await lane_of(self._around.door, caller)
        place = await self._place(request.cursor, lane)
        self._places.take(caller.agency_id)
        try:
            # Its own records need no entry each; what is another's gets one when it is told.
            await door.append([record.access(caller, path_of(rpc), asked.request_id, "OK", door.clock.now())])
        except BaseException:
            self._places.leave(caller.agency_id)
            raise
        return Stream(self, Subscription(self._around, Call(rpc, asked, lane, place)), lane)

    async def _place(self, cursor: str, lane: Lane) -> int:
        if cursor == BEGIN:
            return 0
        newest = await self._around.desk.newest_place()
        return min(self._around.cursors.open(cursor, lane), newest) if cursor else newest

    async def run(self, subscription: Subscription, sink: Sink) -> None:
        """Run a stream until its end, at most as long as streams may live."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._streams[task] = subscription
        if self._is_closing:
            subscription.end()
        try:
            # Old ones end, so that a client that hangs does not stay for ever.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._most_seconds):
                    await subscription.run(sink)
        finally:
            del self._streams[task]

    def left(self, lane: Lane) -> None:
        """Give a stream's place back."""
        self._places.leave(lane.agency_id)


class Stream:
    """An open stream of one caller. Either `run` it or `close` it."""

    def __init__(self, service: EventService, subscription: Subscription, lane: Lane) -> None:
        """It holds a place until it is closed."""
        self._service, self._subscription, self._lane = service, subscription, lane
        self._is_open = True

    async def run(self, sink: Sink) -> None:
        """Send until the stream ends, then close it. Raises LeadError when the caller may no longer follow."""
        try:
            await self._service.run(self._subscription, sink)
        finally:
            self.close()

    def close(self) -> None:
        """Give its place back. Safe to call twice."""
        if self._is_open:
            self._is_open = False
            self._service.left(self._lane)
