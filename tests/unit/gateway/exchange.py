"""Everything around the door in memory: an area, consent, the ledger, a session, and callers with tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from lead.audit.v1.audit_internal_service_pb2 import EntryDraft
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.options.v1 import options_pb2, words_pb2
from lead.referral.v1 import referral_pb2
from lead.referral.v1 import referral_service_pb2 as pb

from gateway.authenticate import Authenticator
from gateway.decisions import Decisions
from gateway.door import Asked, Door
from gateway.forward import Forwarder
from gateway.pages import Cursors
from gateway.roll import Roll
from services.shared import labels
from services.shared.errors import LeadError, not_found, unavailable
from services.shared.sharing.need import BITS, mask
from services.shared.sharing.session_state import Change, SessionState
from tests.support.clock import FakeClock
from tests.unit.gateway.tokens import a_token, an_issuer, bearer

T = TypeVar("T")
ALWAYS = mask(["SYSTEM", "DIRECTORY", "STAFF"])
REFERRED = mask(["REFERRAL", "IDENTITY", "CHARGE"])
GET = pb.GetReferralRequest(id="ref_1")
SUBJECT, OTHER_SUBJECT = "sub_1", "sub_2"
Rule = Callable[[consent.Asker, options_pb2.Reference], int]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run in a loop of its own."""
    return asyncio.run(work)


def rpc_of(name: str) -> MethodDescriptor:
    [found] = [one for one in labels.public_methods() if one.name == name]
    return found


def a_reference(subject: str = SUBJECT, source: str = "police", record: str = "ref_1") -> options_pb2.Reference:
    return options_pb2.Reference(subject_id=subject, source_agency_id=source, record_id=record)


def a_referral(number: int = 1, **reference: str) -> referral_pb2.Referral:
    record = f"ref_{number}"
    return referral_pb2.Referral(
        reference=a_reference(**{"subject": f"sub_{number}", "record": record, **reference}),
        id=record,
        narrative="canary",
        person=referral_pb2.Person(given_name="Testa"),
    )


class FakeArea:
    """Answers by method name; obeys what the door asks of a Forwarder."""

    def __init__(self) -> None:
        self.answers: dict[str, Message | LeadError] = {}
        self.referrals: list[referral_pb2.Referral] = []
        self.asked: list[Any] = []
        self.callers: list[Any] = []
        # Called when the area has answered, before the door goes on.
        self.meanwhile: Callable[[], Awaitable[None]] = _nothing

    async def call(self, rpc: MethodDescriptor, request: bytes, caller: Any, _: str) -> bytes:
        self.callers.append(caller)
        if rpc.name == "ListReferrals" and rpc.name not in self.answers:
            return self._page(pb.ListReferralsRequest.FromString(request))
        answer = self.answers.get(rpc.name, not_found())
        await self.meanwhile()
        if isinstance(answer, LeadError):
            raise answer
        return answer.SerializeToString()

    async def stream(
        self, rpc: MethodDescriptor, requests: AsyncIterator[bytes], _: Any, __: str
    ) -> AsyncIterator[bytes]:
        async for one in requests:
            self.asked.append(one)
            yield cast(Message, self.answers[rpc.name]).SerializeToString()

    def _page(self, request: pb.ListReferralsRequest) -> bytes:
        self.asked.append(request)
        start = int(request.page_token or 0)
        end = start + request.page_size
        answer = pb.ListReferralsResponse(referrals=self.referrals[start:end])
        if end < len(self.referrals):
            answer.next_page_token = str(end)
        return answer.SerializeToString()


async def _nothing() -> None:
    pass


class FakeConsent:
    """Decides by a rule and tells of changes as consent does."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.state = SessionState(clock)
        self.epoch = 0
        self.asked: list[consent.DecideRequest] = []
        self.is_away = False
        self.rule: Rule = lambda _, __: REFERRED
        self.ruling = consent.Ruling(row=4, rule="allow", law="state records law")
        self.part2: dict[str, int] = {}
        self.registry = a_registry()
        self.read = 0
        self.seconds = 60.0
        self.renew()

    def renew(self) -> None:
        """Answer a renewal at once: the session lives for five more seconds."""
        sequence, _ = self.state.renewal()
        self.state.received(self.epoch, [], sequence)

    def change(self, *subjects: str, everything: bool = False) -> None:
        """Make an epoch and tell it, as consent does before it answers who made it."""
        self.epoch += 1
        sequence, _ = self.state.renewal()
        self.state.received(self.epoch, [Change(self.epoch, subjects, everything=everything)], sequence)

    async def decide(self, request: consent.DecideRequest) -> consent.DecideResponse:
        self.asked.append(request)
        if self.is_away:
            raise unavailable("told to be away")
        answer = consent.DecideResponse(epoch=self.epoch, policy_version="p1")
        for one in request.records:
            answer.decisions.append(self._decision(request.asker, one))
        await asyncio.sleep(0)
        return answer

    def _decision(self, asker: consent.Asker, record: options_pb2.Reference) -> consent.Decision:
        about_person = self.rule(asker, record) if record.subject_id else 0
        decision = consent.Decision(
            visible=ALWAYS | about_person,
            source_kind=words_pb2.AGENCY_KIND_POLICE if record.source_agency_id else 0,  # type: ignore[arg-type]
            source_part2=cast(Any, self.part2.get(record.source_agency_id, words_pb2.PART2_PROGRAM_NO)),
        )
        if about_person:
            ruling = consent.Ruling()
            ruling.CopyFrom(self.ruling)
            ruling.categories = about_person
            decision.rulings.append(ruling)
        decision.rulings.add(categories=ALWAYS, row=39, rule="allow", law="no personal data")
        decision.until_time.FromNanoseconds(int((self.clock.now().timestamp() + self.seconds) * 1e9))
        return decision

    async def read_registry(self) -> consent.ReadRegistryResponse:
        self.read += 1
        answer = consent.ReadRegistryResponse()
        answer.CopyFrom(self.registry)
        await asyncio.sleep(0)
        return answer


class FakeLedger:
    """Durable in memory; the same entry twice is one entry, as audit has it."""

    def __init__(self) -> None:
        self.entries: dict[str, EntryDraft] = {}
        self.appends = 0
        self.is_away = False
        # Called when everything is durable, before the door hears of it.
        self.meanwhile: Callable[[], Awaitable[None]] = _nothing

    async def append(self, entries: Sequence[EntryDraft]) -> None:
        self.appends += 1
        if self.is_away:
            raise unavailable("The ledger does not answer.")
        for one in entries:
            assert one.entry_key
            self.entries.setdefault(one.entry_key, one)
        await self.meanwhile()

    def all(self) -> list[EntryDraft]:
        return list(self.entries.values())


def a_registry() -> consent.ReadRegistryResponse:
    registry = consent.ReadRegistryResponse()
    for kind, role in (
        ("police", "police_officer"),
        ("prosecutor", "prosecutor"),
        ("case_management", "case_manager"),
    ):
        number = words_pb2.AgencyKind.Value(f"AGENCY_KIND_{kind.upper()}")
        registry.agencies.add(agency_id=kind, kind=number, site_ids=["north"])
        registry.accounts.add(account_id=role, agency_id=kind, roles=[words_pb2.Role.Value(f"ROLE_{role.upper()}")])
    return registry


class Exchange:
    """A door with its surroundings; made inside the running loop."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.area, self.consent, self.ledger = FakeArea(), FakeConsent(self.clock), FakeLedger()
        self.spooled = FakeLedger()
        self.roll = Roll(self.consent.read_registry)
        self.decisions = Decisions(self.consent.decide, self.consent.state, self.clock)
        self.consent.state.on_change(self._changed)
        self.door = Door(
            authenticator=Authenticator((an_issuer(folder),), self.clock),
            roll=self.roll,
            forwarder=cast(Forwarder, self.area),
            decisions=self.decisions,
            session=self.consent.state,
            cursors=Cursors(bytes(32)),
            append=self.ledger.append,
            spool=self.spooled.append,
            clock=self.clock,
        )

    def _changed(self, change: Change) -> None:
        # As the gateway's own wiring does.
        if change.everything:
            self.decisions.forget_all()
            self.roll.forget()
        else:
            self.decisions.forget(change.subject_ids)

    async def ask(
        self,
        method: str,
        request: Message | None = None,
        role: str = "prosecutor",
        request_id: str = "req_1",
        **headers: str,
    ) -> Any:
        """Call a method in this role; further words are headers: `purpose`, `as_role`."""
        rpc = rpc_of(method)
        asked = asked_as(role, request_id, **headers)
        message = request if request is not None else _empty(rpc)
        return await self.door.call(rpc, message, asked)

    async def refused(self, method: str, request: Message | None = None, **words: Any) -> LeadError:
        try:
            await self.ask(method, request, **words)
        except LeadError as error:
            return error
        raise AssertionError("nothing was refused")


def an_exchange(folder: Path) -> Exchange:
    """An exchange whose area has one referral."""
    exchange = Exchange(folder)
    exchange.area.answers["GetReferral"] = pb.GetReferralResponse(referral=a_referral())
    return exchange


def disabled(exchange: Exchange, account: str) -> None:
    """Disable an account, effective everywhere on return."""
    [found] = [one for one in exchange.consent.registry.accounts if one.account_id == account]
    found.disabled = True
    exchange.consent.change(everything=True)


def asked_as(role: str = "prosecutor", request_id: str = "req_1", purpose: str = "", as_role: str = "") -> Asked:
    claims = {"sub": role}
    if role.startswith("par_"):
        claims = {"sub": "acc_person", "participant": role}
    return Asked(bearer(a_token(**claims)), as_role, purpose, request_id)


def _empty(rpc: MethodDescriptor) -> Any:
    return GetMessageClass(rpc.input_type)()


def seen_of(entry: EntryDraft) -> int:
    """The categories that an entry says were disclosed."""
    total = 0
    for basis in entry.bases:
        total |= basis.categories
    return total


def bits(*words: str) -> int:
    return sum(BITS[word] for word in words)
