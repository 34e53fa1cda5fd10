"""One call, from its token to its answer: authenticate, resolve, forward, decide, redact, record, answer.

Both faces, gRPC and HTTP, call this and nothing else. Nothing leaves on a decision that has changed: after the
ledger has acknowledged, everything is looked at once more, right before the bytes go (architecture section 5).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft
from lead.options.v1 import options_pb2

from gateway import pages, record
from gateway.accompany import accompany
from gateway.authenticate import Authenticator, Identity
from gateway.caller import caller as resolve
from gateway.decisions import Decisions, Held
from gateway.forward import Forwarder, path_of
from gateway.redact import NO_RECORD, Key, Seen, lost_record, present_records, redact, references
from gateway.roll import Roll
from services.shared import labels
from services.shared.clock import Clock
from services.shared.errors import Code, LeadError, not_found, unavailable
from services.shared.sharing.assertion import Caller
from services.shared.sharing.session_state import SessionState

T = TypeVar("T")

# A revocation during a call sends it round again; more than a few in one call is an attack or a storm.
_MOST_ROUNDS = 4
# Refusals for want of somebody who must answer: they say nothing about anybody, and do not wait for the ledger as well.
AWAY = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED})


@dataclass(frozen=True, slots=True)
class Asked:
    """What came beside a request: the token, the words of the headers, and the id given to the request."""

    authorization: str
    role: str
    purpose: str
    request_id: str


@dataclass(frozen=True, kw_only=True)
class Door:
    """Everything a call needs. Belongs to one event loop."""

    authenticator: Authenticator
    roll: Roll
    forwarder: Forwarder
    decisions: Decisions
    session: SessionState
    cursors: pages.Cursors
    append: Callable[[Sequence[EntryDraft]], Awaitable[None]]
    spool: Callable[[Sequence[EntryDraft]], Awaitable[None]]
    clock: Clock

    async def call(self, rpc: MethodDescriptor, request: Message, asked: Asked) -> Message:
        """Return the redacted, accompanied and recorded answer. Raises LeadError; every refusal is recorded too."""
        return await self.answer(rpc, request, asked, lambda message: message)

    async def answer(self, rpc: MethodDescriptor, request: Message, asked: Asked, render: Callable[[Message], T]) -> T:
        """Do as `call` does, and return what `render` made of the answer, before everything is looked at once more."""
        identity, access = self.authenticator.identify(asked.authorization), _access(rpc)
        caller = await self.admit(rpc, identity, asked)
        try:
            if pages.rows_field(rpc.output_type) is not None and "page_size" in request.DESCRIPTOR.fields_by_name:
                return await self._list(rpc, request, identity, caller, asked, render)
            raw = await self._forwarded(rpc, request, caller, asked)
            return await self._one(rpc, raw, identity, caller, asked, render)
        except LeadError as error:
            waits = not access.writes and error.code not in AWAY
            await self.refused(rpc, caller, asked, error.code.value, waits=waits)
            raise

    async def stream(
        self, rpc: MethodDescriptor, requests: AsyncIterator[Message], asked: Asked
    ) -> AsyncIterator[Message]:
        """Yield redacted answers of a stream of writes; the caller is resolved again with every message."""
        identity = self.authenticator.identify(asked.authorization)
        caller = await self.admit(rpc, identity, asked)
        await self.spool([record.access(caller, path_of(rpc), asked.request_id, "OK", self.clock.now())])

        async def checked() -> AsyncIterator[bytes]:
            async for request in requests:
                await self.admit(rpc, identity, asked)
                yield request.SerializeToString()

        async for raw in self.forwarder.stream(rpc, checked(), caller, asked.request_id):
            message = GetMessageClass(rpc.output_type).FromString(raw)
            if any(True for _ in references(message)):
                # Records in a stream would have to be on the ledger one by one; no method streams any yet.
                raise LeadError(Code.INTERNAL, "RECORD_IN_STREAM", "The answer cannot be given.")
            held = await self._decide(caller, message, asked)
            redact(message, lambda key, held=held: held[key].view)  # type: ignore[misc]
            yield message

    async def admit(self, rpc: MethodDescriptor, identity: Identity, asked: Asked) -> Caller:
        """Return who calls. Raises LeadError; a refusal of role or purpose is recorded (matrix, Purposes)."""
        registry = await self.roll.registry()
        try:
            return resolve(identity, registry, _access(rpc), asked.role, asked.purpose, self.clock.now())
        except LeadError as error:
            if error.code is Code.PERMISSION_DENIED:
                account = registry.accounts.get(identity.account_id)
                agency = account.agency_id if account else ""
                nobody = Caller(identity.account_id, agency, "", "unspecified", "")
                await self.refused(rpc, nobody, asked, error.reason, waits=True)
            raise

    async def _forwarded(self, rpc: MethodDescriptor, request: Message, caller: Caller, asked: Asked) -> bytes:
        sent = request.SerializeToString()
        try:
            return await self.forwarder.call(rpc, sent, caller, asked.request_id)
        except LeadError as error:
            if error.code is Code.NOT_FOUND:
                # What is absent is asked about like what is withheld: it takes as long, and while nobody decides it is
                # refused alike (P2-02).
                nothing = ("", "", hashlib.sha256(sent).hexdigest())
                await self.decisions.of(caller, (NO_RECORD, nothing), asked.request_id)
            raise

    async def _one(
        self,
        rpc: MethodDescriptor,
        raw: bytes,
        identity: Identity,
        caller: Caller,
        asked: Asked,
        render: Callable[[Message], T],
    ) -> T:
        for _ in range(_MOST_ROUNDS):
            message = GetMessageClass(rpc.output_type).FromString(raw)
            before = present_records(message)
            held = await self._decide(caller, message, asked)
            seen = redact(message, lambda key, held=held: held[key].view)  # type: ignore[misc]
            if lost_record(rpc.output_type, before, message):
                raise not_found()
            await self._record(rpc, message, seen, held, caller, asked)
            rendered = render(message)
            again = await self.admit(rpc, identity, asked)
            # From this last look on nothing else runs in this loop before the bytes go.
            if again == caller and self.still_holds(held):
                return rendered
            caller = again
        raise unavailable("What is asked for keeps changing; try again.")

    async def _list(
        self,
        rpc: MethodDescriptor,
        request: Message,
        identity: Identity,
        caller: Caller,
        asked: Asked,
        render: Callable[[Message], T],
    ) -> T:
        for _ in range(_MOST_ROUNDS):
            message, seen, held = await self._page(rpc, request, caller, asked)
            await self._record(rpc, message, seen, held, caller, asked)
            rendered = render(message)
            again = await self.admit(rpc, identity, asked)
            # From this last look on nothing else runs in this loop before the bytes go.
            if again == caller and self.still_holds(held):
                return rendered
            caller = again
        raise unavailable("What is asked for keeps changing; try again.")

    async def _page(
        self, rpc: MethodDescriptor, request: Message, caller: Caller, asked: Asked
    ) -> tuple[Message, Seen, dict[Key, Held]]:
        """Fill one page with rows that the caller may see, in a bounded number of rounds."""
        rows = pages.rows_field(rpc.output_type)
        assert rows is not None  # noqa: S101 - the caller has looked
        size, method, since = pages.wanted(request), path_of(rpc), pages.since(request)
        token = self.cursors.open(request, caller, method)
        page, seen, held = GetMessageClass(rpc.output_type)(), Seen(), {}
        found, stride = getattr(page, rows.name), pages.Stride(size)
        for _ in range(pages.MOST_ROUNDS):
            part = await self._part(rpc, request, stride.rows, token, caller, asked)
            after = part.next_page_token  # type: ignore[attr-defined]
            known = await self._decide(caller, part, asked)
            remained = redact(part, lambda key, known=known: known[key].view, since).records  # type: ignore[misc]
            if not stride.takes(len(getattr(part, rows.name))):
                continue
            token = after
            held.update(known)
            for key, categories in remained.items():
                seen.add(key, categories)
            found.extend(getattr(part, rows.name))
            if not token or len(found) >= size:
                break
        if token and await self._goes_on(rpc, request, token, caller, asked, held):
            page.next_page_token = self.cursors.seal(token, request, caller, method)  # type: ignore[attr-defined]
        return page, seen, held

    async def _goes_on(
        self, rpc: MethodDescriptor, request: Message, token: str, caller: Caller, asked: Asked, held: dict[Key, Held]
    ) -> bool:
        """Tell whether there is another row for the caller: a cursor to nothing would tell of hidden ones (P2-02)."""
        rows = pages.rows_field(rpc.output_type)
        assert rows is not None  # noqa: S101 - the caller has looked
        for size in (1, *(pages.DEFAULT_SIZE,) * pages.MOST_ROUNDS):
            part = await self._part(rpc, request, size, token, caller, asked)
            token = part.next_page_token  # type: ignore[attr-defined]
            known = await self._decide(caller, part, asked)
            held.update(known)
            redact(part, lambda key, known=known: known[key].view, pages.since(request))  # type: ignore[misc]
            if getattr(part, rows.name) or not token:
                return bool(getattr(part, rows.name))
        return True

    async def _part(
        self, rpc: MethodDescriptor, request: Message, size: int, token: str, caller: Caller, asked: Asked
    ) -> Message:
        inner = type(request)()
        inner.CopyFrom(request)
        inner.page_size, inner.page_token = size, token  # type: ignore[attr-defined]
        raw = await self._forwarded(rpc, inner, caller, asked)
        return GetMessageClass(rpc.output_type).FromString(raw)

    async def _decide(self, caller: Caller, message: Message, asked: Asked) -> dict[Key, Held]:
        return dict(await self.decisions.of(caller, (NO_RECORD, *references(message)), asked.request_id))

    async def _record(
        self,
        rpc: MethodDescriptor,
        message: Message,
        seen: Seen,
        held: Mapping[Key, Held],
        caller: Caller,
        asked: Asked,
    ) -> None:
        """Accompany an answer, and return when the ledger has it."""
        found = record.disclosures(caller, seen, held)
        accompany(message, caller.agency_id, (one for each in found.values() for one in each.rulings()))
        entries = record.entries(caller, path_of(rpc), asked.request_id, found, held, self.clock.now())
        await (self.spool if _access(rpc).writes and not found else self.append)(entries)

    def still_holds(self, held: Mapping[Key, Held]) -> bool:
        """Tell whether these decisions may still be acted on: the last look, right before the bytes go."""
        if not self.session.alive():
            return False
        now = self.clock.monotonic()
        return not any(
            now >= one.until or self.session.changed_subjects(one.epoch, [key[0]]) for key, one in held.items()
        )

    async def refused(self, rpc: MethodDescriptor, caller: Caller, asked: Asked, outcome: str, *, waits: bool) -> None:
        """Record a refusal, on the ledger itself if the caller `waits` for it, otherwise on the way there."""
        entry = record.access(caller, path_of(rpc), asked.request_id, outcome, self.clock.now())
        await (self.append if waits else self.spool)([entry])


def _access(rpc: MethodDescriptor) -> options_pb2.Access:
    access = labels.access(rpc)
    if access is None or access.exposure != options_pb2.EXPOSURE_PUBLIC:
        raise not_found()
    return access
