"""Who takes part, as consent says: read once, kept until consent tells of a change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC

from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.options.v1 import words_pb2

from gateway.caller import Account, Agency, Registry

_ROLES = {number: name.removeprefix("ROLE_").lower() for name, number in words_pb2.Role.items()}
_KINDS = {number: name.removeprefix("AGENCY_KIND_").lower() for name, number in words_pb2.AgencyKind.items()}


class Roll:
    """The registry in memory. Belongs to one event loop."""

    def __init__(self, ask: Callable[[], Awaitable[consent.ReadRegistryResponse]]) -> None:
        """`ask` reads it from consent."""
        self._ask = ask
        self._registry: Registry | None = None
        self._reading = asyncio.Lock()
        self._forgotten = 0

    async def registry(self) -> Registry:
        """Return the registry. Raises LeadError when consent does not answer."""
        while (found := self._registry) is None:
            async with self._reading:
                if self._registry is None:
                    await self._read()
        return found

    def forget(self) -> None:
        """Read it again when it is needed next."""
        self._registry = None
        self._forgotten += 1

    async def _read(self) -> None:
        before = self._forgotten
        found = _registry(await self._ask())
        # An answer that a change has overtaken on its way is not kept.
        if before == self._forgotten:
            self._registry = found


def _registry(answer: consent.ReadRegistryResponse) -> Registry:
    return Registry(
        {one.agency_id: Agency(_KINDS[one.kind], tuple(one.site_ids)) for one in answer.agencies},
        {one.account_id: _account(one) for one in answer.accounts},
    )


def _account(one: consent.RegisteredAccount) -> Account:
    expires = one.expire_time.ToDatetime(tzinfo=UTC) if one.HasField("expire_time") else None
    return Account(one.agency_id, frozenset(_ROLES[role] for role in one.roles), one.disabled, expires)
