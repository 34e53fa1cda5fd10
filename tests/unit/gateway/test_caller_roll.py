"""Who takes part, kept in memory: read once, and never kept from before a change that was told."""

from __future__ import annotations

import asyncio

import pytest
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.options.v1 import words_pb2

from gateway.caller import Account, Agency, Registry
from gateway.roll import Roll
from services.shared.errors import Code, LeadError, unavailable
from tests.support.clock import NOON
from tests.unit.gateway.exchange import a_registry, run


class Consent:
    """Answers when it is let go, with what stood when it was asked."""

    def __init__(self) -> None:
        self.registry, self.asked, self.is_away = a_registry(), 0, False
        self.lets_go: asyncio.Event | None = None

    async def read(self) -> consent.ReadRegistryResponse:
        self.asked += 1
        if self.is_away:
            raise unavailable("told to be away")
        answer = consent.ReadRegistryResponse()
        answer.CopyFrom(self.registry)
        if self.lets_go is not None:
            await self.lets_go.wait()
        return answer

    def disable(self, account: str) -> None:
        for one in self.registry.accounts:
            one.disabled |= one.account_id == account


def test_the_registry_is_read_once_for_many_calls_at_once() -> None:
    async def scenario() -> None:
        source = Consent()
        source.lets_go = asyncio.Event()
        roll = Roll(source.read)
        calls = [asyncio.create_task(roll.registry()) for _ in range(10)]
        await asyncio.sleep(0)
        source.lets_go.set()
        found = await asyncio.gather(*calls)
        assert source.asked == 1
        assert all(one is found[0] for one in found)
        assert await roll.registry() is found[0]

    run(scenario())


def test_after_a_change_it_is_read_again() -> None:
    async def scenario() -> None:
        source = Consent()
        roll = Roll(source.read)
        assert not (await roll.registry()).accounts["prosecutor"].disabled
        source.disable("prosecutor")
        roll.forget()
        assert (await roll.registry()).accounts["prosecutor"].disabled
        assert source.asked == 2

    run(scenario())


def test_what_was_asked_for_before_a_change_is_not_kept_after_it() -> None:
    """The change has been acknowledged by then: whoever is admitted later must be looked up in what stands."""

    async def scenario() -> None:
        source = Consent()
        source.lets_go = asyncio.Event()
        roll = Roll(source.read)
        early = asyncio.create_task(roll.registry())
        await asyncio.sleep(0)
        source.disable("prosecutor")
        roll.forget()
        source.lets_go.set()
        assert (await early).accounts["prosecutor"].disabled
        assert (await roll.registry()).accounts["prosecutor"].disabled

    run(scenario())


def test_without_consent_nobody_is_admitted_and_it_is_asked_again() -> None:
    async def scenario() -> None:
        source = Consent()
        source.is_away = True
        roll = Roll(source.read)
        with pytest.raises(LeadError) as refused:
            await roll.registry()
        assert refused.value.code is Code.UNAVAILABLE
        source.is_away = False
        assert (await roll.registry()).accounts

    run(scenario())


def test_the_registry_is_in_the_words_of_callers() -> None:
    async def scenario() -> Registry:
        source = Consent()
        account = source.registry.accounts.add(
            account_id="acc_1",
            agency_id="police",
            roles=[words_pb2.ROLE_POLICE_OFFICER, words_pb2.ROLE_POLICE_RMS],
            disabled=True,
        )
        account.expire_time.FromDatetime(NOON)
        return await Roll(source.read).registry()

    found = run(scenario())
    assert found.agencies["case_management"] == Agency("case_management", ("north",))
    assert found.accounts["acc_1"] == Account("police", frozenset({"police_officer", "police_rms"}), True, NOON)
    assert found.accounts["prosecutor"].expires_at is None
