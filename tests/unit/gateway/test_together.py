from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft

from gateway.together import Together
from services.shared.errors import Code, LeadError, Violation, invalid, unavailable
from services.shared.rpc.caller import RequestInfo, acting, current_request_id


class Ledger:
    """Takes entries when `open` is set; refuses what it is told to."""

    def __init__(self, refused: str = "", failure: Exception | None = None) -> None:
        self.appends: list[list[str]] = []
        self.open = asyncio.Event()
        self.requests: list[str] = []
        self._refused, self._failure = refused, failure

    async def append(self, entries: Sequence[EntryDraft]) -> None:
        keys = [entry.entry_key for entry in entries]
        self.appends.append(keys)
        self.requests.append(current_request_id())
        await self.open.wait()
        if self._failure is not None:
            raise self._failure
        if self._refused in keys:
            raise invalid([Violation(f"entries[{keys.index(self._refused)}].time", "must be given")])


def an_entry(key: str) -> list[EntryDraft]:
    return [EntryDraft(entry_key=key)]


async def outcomes(together: Together, ledger: Ledger, keys: str) -> list[str]:
    """Append one by one, first alone; the ledger answers when all wait. Returns OK or the code, per key."""
    waiting = [asyncio.create_task(together.append(an_entry(key))) for key in keys]
    await asyncio.sleep(0)
    ledger.open.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    return [str(one.code) if isinstance(one, LeadError) else repr(one) for one in found]


def run(keys: str, **behaviour: object) -> tuple[list[str], list[list[str]]]:
    async def whole() -> tuple[list[str], list[list[str]]]:
        ledger = Ledger(**behaviour)  # type: ignore[arg-type]
        return await outcomes(Together(ledger.append), ledger, keys), ledger.appends

    return asyncio.run(whole())


def test_a_lone_call_is_appended_at_once() -> None:
    assert run("a") == (["None"], [["a"]])


def test_calls_that_come_together_share_an_append() -> None:
    found, appends = run("abcde")
    assert found == ["None"] * 5
    assert sorted(key for keys in appends for key in keys) == list("abcde")
    assert len(appends) < 5


def test_no_call_goes_on_before_its_own_entries_are_durable() -> None:
    async def whole() -> None:
        ledger = Ledger()
        together = Together(ledger.append)
        first = asyncio.create_task(together.append(an_entry("a")))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(together.append(an_entry("b")))
        await asyncio.sleep(0.01)
        assert ledger.appends == [["a"]]
        assert not first.done()
        assert not second.done()
        ledger.open.set()
        await asyncio.gather(first, second)
        assert ledger.appends == [["a"], ["b"]]

    asyncio.run(whole())


def test_a_call_right_after_the_last_append_does_not_wait_for_ever() -> None:
    async def whole() -> None:
        ledger = Ledger()
        ledger.open.set()
        together = Together(ledger.append)
        for number in range(50):
            await asyncio.wait_for(together.append(an_entry(str(number))), 5)
        assert len(ledger.appends) == 50

    asyncio.run(whole())


def test_one_refused_entry_fails_its_own_call_alone() -> None:
    found, appends = run("abc", refused="b")
    assert found == ["None", "INVALID_ARGUMENT", "None"]
    assert appends[-1] == ["c"]


def test_a_ledger_that_is_away_fails_all_without_trying_one_by_one() -> None:
    found, appends = run("abc", failure=unavailable("away"))
    assert found == ["UNAVAILABLE"] * 3
    assert sum(map(len, appends)) == 3


def test_what_nobody_foresaw_is_told_to_those_who_wait_without_its_text() -> None:
    async def whole() -> None:
        ledger = Ledger(failure=RuntimeError("Testa Sample"))
        ledger.open.set()
        with pytest.raises(LeadError) as caught:
            await Together(ledger.append).append(an_entry("a"))
        assert caught.value.code is Code.INTERNAL
        assert "Testa" not in str(caught.value)

    asyncio.run(whole())


def test_a_call_that_was_given_up_does_not_hold_up_the_others() -> None:
    async def whole() -> None:
        ledger = Ledger()
        together = Together(ledger.append)
        given_up, kept = (asyncio.create_task(together.append(an_entry(key))) for key in "ab")
        await asyncio.sleep(0.01)
        given_up.cancel()
        ledger.open.set()
        await kept
        assert given_up.cancelled() or given_up.cancelling()

    asyncio.run(whole())


def test_a_shared_append_belongs_to_no_single_request() -> None:
    async def whole() -> None:
        ledger = Ledger()
        ledger.open.set()
        with acting(None, RequestInfo("req_1", "")):
            await Together(ledger.append).append(an_entry("a"))
        assert ledger.requests == [""]

    asyncio.run(whole())


def test_a_page_larger_than_a_group_still_goes() -> None:
    async def whole() -> None:
        ledger = Ledger()
        ledger.open.set()
        together = Together(ledger.append)
        page = [EntryDraft(entry_key=str(number)) for number in range(1500)]
        await asyncio.gather(together.append(page), together.append(page), together.append(an_entry("a")))
        assert [len(keys) for keys in ledger.appends] == [1500, 1500, 1]

    asyncio.run(whole())
