"""One stream under way: page by page through its lane, each event decided at the moment it is sent.

Only a decision passes an event over. Whatever else goes wrong is waited for, with signs of life, or ends the stream;
the client comes back with the cursor of what arrived last.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.descriptor import MethodDescriptor
from lead.events.v1.events_service_pb2 import SubscribeResponse

from gateway.door import Asked, Door
from gateway.feed import readings, telling
from gateway.feed.bell import Bell
from gateway.feed.cursor import FeedCursors, Lane
from gateway.feed.desk import FeedDesk
from gateway.feed.passed import Passed
from gateway.feed.readings import Reading
from gateway.feed.recent import Recent
from gateway.feed.store import Pointer
from gateway.feed.telling import Decided
from gateway.redact import NO_RECORD
from services.shared.errors import Code, LeadError, unavailable
from services.shared.events.away import is_away, pause
from services.shared.sharing.assertion import Caller

_log = logging.getLogger(__name__)
_PAGE = 50
# What keeps changing is come back to after a pause.
_MOST_ROUNDS = 4
_MOST_PAUSE_SECONDS = 5.0
_REMEMBERED = 5_000
# Another process of the gateway may write the feed: it rings here for nobody.
_LOOK_SECONDS = 5.0


class Sink(Protocol):
    """Where a stream goes, on one of the two faces."""

    def render(self, answer: SubscribeResponse) -> bytes:
        """Return an answer as it goes out; one without an event is a sign of life."""
        ...

    async def room(self) -> None:
        """Return when the client takes more."""
        ...

    async def put(self, data: bytes) -> None:
        """Send at once what was rendered."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """Whose stream it is, and where it goes on."""

    rpc: MethodDescriptor
    asked: Asked
    lane: Lane
    place: int


@dataclass(frozen=True, kw_only=True)
class Around:
    """What all streams share. `look_again` has what was withheld about some subjects fed again."""

    door: Door
    desk: FeedDesk
    bell: Bell
    cursors: FeedCursors
    look_again: Callable[[Iterable[str]], None]
    # A sign of life at least so often, in seconds.
    alive_every: float


class Subscription:
    """Sends one stream. Belongs to one event loop."""

    def __init__(self, around: Around, call: Call) -> None:
        """Begin behind the call's place."""
        self._its, self._call, self._place = around, call, call.place
        self._passed = Passed(around.desk, call.lane, around.door.session, around.look_again)
        # Up to here everything that was passed over is noted: a client may come back behind it.
        self._noted = call.place
        self._sent = Recent(_REMEMBERED)
        self._alive_at = 0.0
        self._failures = 0
        self._ending = False

    def end(self) -> None:
        """Send nothing more: the next time that it is rung for, `run` returns."""
        self._ending = True

    async def run(self, sink: Sink) -> None:
        """Send until the stream is ended. Raises LeadError when the caller may no longer follow."""
        await self._live(sink)
        while not self._ending:
            rung = self._its.bell.rung(self._call.lane.agency_id)
            is_behind = await self._turn(sink)
            if not is_behind and not self._ending:
                await self._its.bell.wait(self._call.lane.agency_id, rung, min(_LOOK_SECONDS, self._until_alive()))

    async def _turn(self, sink: Sink) -> bool:
        """Send a page, and a sign of life when one is due; returns whether there may be more to send at once."""
        try:
            is_behind = await self._sent_page(sink)
            self._failures = 0
        except LeadError as error:
            if not is_away(error):
                raise
            await self._wait_for(error)
            is_behind = True
        await self._live(sink)
        return is_behind

    async def _sent_page(self, sink: Sink) -> bool:
        await self._admitted()
        pointers = await self._its.desk.page(self._call.lane, self._place, _PAGE)
        await self._foresee(pointers)
        for pointer in pointers:
            if self._ending:
                break
            await self._tell(pointer, sink)
            await self._live(sink)
        await self._write_passed()
        return bool(pointers)

    async def _foresee(self, pointers: Iterable[Pointer]) -> None:
        """Ask the decisions about a page at once; each event is looked at again when it is its turn."""
        caller = await self._admitted()
        found = ((one, readings.reading(one.event.topic, one.event.name, caller)) for one in pointers)
        keys = [telling.key_of(one, reading) for one, reading in found if reading and telling.record_read(one, reading)]
        if keys:
            await self._its.door.decisions.of(caller, (NO_RECORD, *keys), self._call.asked.request_id)

    async def _tell(self, pointer: Pointer, sink: Sink) -> None:
        """Send an event, or pass it over because it is withheld or nobody of this role reads it."""
        for _ in range(_MOST_ROUNDS):
            caller = await self._admitted()
            reading = readings.reading(pointer.event.topic, pointer.event.name, caller)
            if reading is None or pointer.seq in self._sent or await self._told(pointer, reading, caller, sink):
                self._place = pointer.place
                return
        raise unavailable("What is to be told keeps changing.")

    async def _told(self, pointer: Pointer, reading: Reading, caller: Caller, sink: Sink) -> bool:
        """Send or pass over; False when something changed meanwhile."""
        if not telling.record_read(pointer, reading):
            self._passed.without_referral(pointer)
            return True
        door = self._its.door
        decided = await telling.decide(door, self._call.rpc, pointer, reading, caller, self._call.asked)
        if decided.is_withheld:
            self._passed.denied(pointer, decided.epoch)
            return True
        if pointer.is_noted:
            self._passed.again(pointer)
            return True
        return await self._send(pointer, decided, caller, sink)

    async def _send(self, pointer: Pointer, decided: Decided, caller: Caller, sink: Sink) -> bool:
        door = self._its.door
        await self._write_passed()
        if decided.entries:
            await door.append(decided.entries)
        decided.answer.cursor = self._its.cursors.seal(pointer.place, self._call.lane)
        data = sink.render(decided.answer)
        await sink.room()
        self._note_alive()
        again = await self._admitted()
        # From this last look on nothing else runs in this loop before the bytes go.
        if again != caller or not door.still_holds(decided.held):
            return False
        await sink.put(data)
        self._noted = pointer.place
        self._sent.add(pointer.seq)
        return True

    async def _write_passed(self) -> None:
        place = self._place
        await self._passed.write()
        self._noted = place

    async def _admitted(self) -> Caller:
        """Return the caller as he is now. Raises LeadError for one who may no longer follow, or not in this lane."""
        door, call = self._its.door, self._call
        identity = door.authenticator.identify(call.asked.authorization)
        caller = await door.admit(call.rpc, identity, call.asked)
        if await lane_of(door, caller) != call.lane:
            text = "What the caller may follow has changed: begin again, with `begin` or without a cursor."
            raise LeadError(Code.ABORTED, "CALLER_CHANGED", text)
        return caller

    async def _wait_for(self, error: LeadError) -> None:
        self._failures += 1
        _log.warning("stream waits", extra={"request_id": self._call.asked.request_id, "reason": error.reason})
        share = random.random()  # noqa: S311 - spreads retries, guards nothing
        seconds = min(pause(self._failures, share, _MOST_PAUSE_SECONDS), self._until_alive())
        await asyncio.sleep(seconds)

    async def _live(self, sink: Sink) -> None:
        """Give a sign of life when one is due, always alike: whether anything was passed over does not show."""
        if self._until_alive() > 0:
            return
        await sink.room()
        self._note_alive()
        await sink.put(sink.render(SubscribeResponse(cursor=self._its.cursors.seal(self._noted, self._call.lane))))

    def _until_alive(self) -> float:
        return max(0.0, self._alive_at - self._its.door.clock.monotonic())

    def _note_alive(self) -> None:
        self._alive_at = self._its.door.clock.monotonic() + self._its.alive_every


async def lane_of(door: Door, caller: Caller) -> Lane:
    """Return the lane of a caller: his agency's, in his role and purpose, limited if his token limits it."""
    agency = (await door.roll.registry()).agencies.get(caller.agency_id)
    is_limited = agency is not None and caller.site_ids != agency.site_ids
    return Lane(caller.agency_id, caller.role, caller.purpose, caller.site_ids if is_limited else ())
