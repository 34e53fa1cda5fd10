"""GET /v1/events: server-sent events as browsers read them, and refusals as of any other call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lead.options.v1 import words_pb2
from starlette.types import ASGIApp

from gateway.http import application
from services.shared.ids import Ids
from tests.integration.gateway.following import MOST_OF_AGENCY, World
from tests.integration.gateway.test_feed_streams import a_referral, shows
from tests.unit.gateway.exchange import asked_as, disabled, run
from tests.unit.gateway.messages import routes

Scenario = Callable[[World, ASGIApp], Awaitable[None]]


@pytest.fixture
def served(tmp_path: Path) -> Callable[[Scenario], None]:
    """Plays a scenario against the application."""

    def play(scenario: Scenario) -> None:
        async def whole() -> None:
            world = World(tmp_path)
            world.exchange.area.serves = lambda _: False  # type: ignore[attr-defined]
            app = application(world.exchange.door, routes(), lambda: True, Ids(), world.events)
            try:
                await asyncio.wait_for(scenario(world, app), 60)
            finally:
                await world.events.close()
                world.close()

        run(whole())

    return play


@dataclass
class Browser:
    """One request, and what came of it."""

    app: ASGIApp
    query: str = "cursor=begin"
    last_event_id: str = ""
    role: str = "prosecutor"
    method: str = "GET"
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""

    async def __aenter__(self) -> Browser:
        self._news, self._leaves = asyncio.Condition(), asyncio.Event()
        self._asked = False
        app: Any = self.app
        self._task: asyncio.Task[None] = asyncio.create_task(app(self._scope(), self._receive, self._send))
        await self.until(lambda: self.status > 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Close the connection; returns when the server has noticed."""
        self._leaves.set()
        await asyncio.wait_for(self._task, 20)

    async def done(self) -> None:
        """Wait until the server has ended the answer."""
        await asyncio.wait_for(self._task, 20)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(holds), 20)

    async def events(self, count: int) -> list[dict[str, str]]:
        """Return the first so many events."""
        await self.until(lambda: len(self._events()) >= count)
        return self._events()

    def ids(self) -> list[str]:
        """Return every id that the client has remembered, in order."""
        return [one["id"] for one in self._blocks() if "id" in one]

    def _events(self) -> list[dict[str, str]]:
        # A block without data raises no event (HTML, "Server-sent events").
        return [one for one in self._blocks() if "data" in one]

    def _blocks(self) -> list[dict[str, str]]:
        whole = self.text.split("\n\n")[:-1]
        return [dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":")) for block in whole]

    def _scope(self) -> dict[str, Any]:
        headers = [(b"authorization", asked_as(self.role).authorization.encode())]
        headers += [(b"last-event-id", self.last_event_id.encode())] if self.last_event_id else []
        return {
            "type": "http",
            "method": self.method,
            "path": "/v1/events",
            "raw_path": b"/v1/events",
            "query_string": self.query.encode(),
            "headers": headers,
        }

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.text += message["body"].decode()
        async with self._news:
            self._news.notify_all()


def test_events_come_as_a_browser_reads_them(served: Callable[[Scenario], None]) -> None:
    async def scenario(world: World, app: ASGIApp) -> None:
        world.happens(a_referral(1))
        async with Browser(app) as browser:
            [event] = await browser.events(1)
        assert browser.status == 200
        assert browser.headers["content-type"].startswith("text/event-stream")
        assert browser.headers["cache-control"] == "no-store"
        assert "content-length" not in browser.headers
        assert browser.text.startswith("retry: ")
        assert event["event"] == "ReferralRecorded"
        body = json.loads(event["data"])
        assert set(body) == {"event"}
        assert body["event"]["recordId"] == "ref_1"

    served(scenario)


def test_what_rests_on_a_release_is_accompanied(served: Callable[[Scenario], None]) -> None:
    async def scenario(world: World, app: ASGIApp) -> None:
        shows(world, "REFERRAL", consent_id="con_1")
        world.happens(a_referral(1))
        async with Browser(app) as browser:
            [event] = await browser.events(1)
        assert json.loads(event["data"])["accompaniment"]["consents"][0]["ref"] == "con_1"

    served(scenario)


def test_a_client_remembers_where_it_was_before_anything_came(served: Callable[[Scenario], None]) -> None:
    async def scenario(world: World, app: ASGIApp) -> None:
        async with Browser(app, query="") as browser:
            await browser.until(lambda: bool(browser.ids()))
        world.happens(a_referral(1))
        async with Browser(app, query="", last_event_id=browser.ids()[0]) as again:
            [event] = await again.events(1)
        assert event["event"] == "ReferralRecorded"

    served(scenario)


def test_the_header_of_a_client_that_comes_back_wins_over_the_address_it_first_came_with(
    served: Callable[[Scenario], None],
) -> None:
    async def scenario(world: World, app: ASGIApp) -> None:
        world.happens(a_referral(1))
        world.happens(a_referral(2))
        async with Browser(app) as first:
            events = await first.events(2)
        async with Browser(app, last_event_id=events[0]["id"]) as again:
            [event] = await again.events(1)
        assert json.loads(event["data"])["event"]["recordId"] == "ref_2"

    served(scenario)


def test_a_stream_without_an_end_in_sight_shows_that_it_lives(served: Callable[[Scenario], None]) -> None:
    async def scenario(world: World, app: ASGIApp) -> None:
        async with Browser(app) as browser:
            await browser.until(lambda: len(browser.ids()) == 1)
            world.passes(16)
            await browser.until(lambda: len(browser.ids()) == 2)
        assert browser.text.count("\n: alive\n") == 2
        assert not await browser.events(0)

    served(scenario)


def test_a_stream_that_its_caller_may_no_longer_follow_says_so_at_its_end(served: Callable[[Scenario], None]) -> None:
    async def scenario(world: World, app: ASGIApp) -> None:
        async with Browser(app) as browser:
            await browser.until(lambda: len(browser.ids()) == 1)
            disabled(world.exchange, "prosecutor")
            world.bell.ring_all()
            await browser.done()
            [end] = await browser.events(1)
        assert end["event"] == "end"
        assert json.loads(end["data"])["status"] == 401
        assert "id" not in end

    served(scenario)


def test_a_process_that_ends_sends_its_clients_away_whole(served: Callable[[Scenario], None]) -> None:
    async def scenario(world: World, app: ASGIApp) -> None:
        async with Browser(app) as browser:
            await browser.until(lambda: len(browser.ids()) == 1)
            await world.events.close()
            await browser.done()
            assert await browser.events(1) == [{"event": "end", "data": "{}"}]

    served(scenario)


def test_a_client_that_leaves_gives_its_place_back(served: Callable[[Scenario], None]) -> None:
    async def scenario(world: World, app: ASGIApp) -> None:
        for _ in range(2 * MOST_OF_AGENCY):
            async with Browser(app) as browser:
                assert browser.status == 200

    served(scenario)


def test_refusals_are_problems_with_a_status_of_their_own(served: Callable[[Scenario], None]) -> None:
    async def scenario(world: World, app: ASGIApp) -> None:
        for query, status in (("cursor=x", 400), ("cursor=begin&more=1", 400), ("cursor=begin&cursor=begin", 400)):
            async with Browser(app, query=query) as browser:
                assert browser.status == status
                assert browser.headers["content-type"] == "application/problem+json"
        async with Browser(app, role="nobody") as browser:
            assert browser.status == 401
        async with Browser(app, method="POST") as browser:
            assert (browser.status, browser.headers["allow"]) == (405, "GET")
        streams = [await world.open(request_id=f"req_{number}") for number in range(MOST_OF_AGENCY)]
        async with Browser(app) as browser:
            assert browser.status == 429
            assert browser.headers["retry-after"]
        for one in streams:
            one.close()

    served(scenario)


def test_without_a_log_there_is_no_such_path(served: Callable[[Scenario], None]) -> None:
    async def scenario(world: World, _: ASGIApp) -> None:
        app = application(world.exchange.door, routes(), lambda: True, Ids())
        async with Browser(app) as browser:
            assert browser.status == 404

    served(scenario)


def test_a_category_is_told_in_full(served: Callable[[Scenario], None]) -> None:
    async def scenario(world: World, app: ASGIApp) -> None:
        world.happens(a_referral(1))
        async with Browser(app) as browser:
            [event] = await browser.events(1)
        told = json.loads(event["data"])["event"]["category"]
        assert told == words_pb2.Category.Name(words_pb2.CATEGORY_REFERRAL)

    served(scenario)
