"""An area's way to consent: state facts, link subjects, lease and release keys, and the questions it may remember.

Remembered answers hold only inside a live session, until the next change, and at most 60 s (architecture section 5).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import grpc
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.consent.v1.consent_internal_service_pb2_grpc import ConsentInternalServiceStub
from lead.options.v1 import words_pb2

from services.shared.clock import Clock
from services.shared.sharing.assertion import Caller
from services.shared.sharing.session_state import SessionState

KEPT_SECONDS = 60.0
_MOST_KEPT = 1024
_T = TypeVar("_T")


def asker(caller: Caller) -> consent.Asker:
    """Return a caller as consent is asked about him. Raises ValueError for a word that the contract does not have."""
    return consent.Asker(
        account_id=caller.account_id,
        agency_id=caller.agency_id,
        role=words_pb2.Role.Value("ROLE_" + caller.role.upper()),
        purpose=words_pb2.Purpose.Value("PURPOSE_" + caller.purpose),
        site_ids=caller.site_ids,
        participant_id=caller.participant_id,
    )


@dataclass(frozen=True, slots=True)
class Resolved:
    """Whose record it will be: the subject it hangs on, and the agency that has him on its caseload ("" for none)."""

    subject_id: str
    caseload_agency_id: str


class ConsentClient:
    """Every method raises LeadError when consent refuses or does not answer: then nothing is read or sealed."""

    def __init__(
        self, channel: grpc.Channel, session: SessionState, clock: Clock, hosted_agency_ids: Iterable[str] = ()
    ) -> None:
        """Call over `rpc.client.channel`; `hosted_agency_ids` names the agencies an area is run for, none for all."""
        self._stub = ConsentInternalServiceStub(channel)
        self._hosted = tuple(hosted_agency_ids)
        self._granted: _Kept[frozenset[str]] = _Kept(session, clock)
        self._registry: _Kept[consent.ReadRegistryResponse] = _Kept(session, clock)
        self._resolved: _Kept[Resolved | None] = _Kept(session, clock)

    def state_scope(self, statements: Iterable[consent.ScopeStatement]) -> int:
        """State or close facts; returns the epoch from which decisions rest on them."""
        return self._stub.StateScope(consent.StateScopeRequest(statements=statements)).epoch

    def link(self, participant_id: str, subject_ids: Iterable[str], confirmed_by: str) -> int:
        """Link subjects to a participant as an account confirmed it; returns the epoch.

        Empty `confirmed_by`: a rule found the link. It withholds, and opens nothing until somebody confirms it.
        """
        request = consent.LinkSubjectsRequest(
            participant_id=participant_id, subject_ids=subject_ids, confirmed_by=confirmed_by
        )
        return self._stub.LinkSubjects(request).epoch

    def deliver(self, method: str, body: bytes) -> None:
        """Send a stored request by its method's name, for the outbox. Raises ValueError for another method."""
        if method == "StateScope":
            self._stub.StateScope(consent.StateScopeRequest.FromString(body))
        elif method == "LinkSubjects":
            self._stub.LinkSubjects(consent.LinkSubjectsRequest.FromString(body))
        else:
            raise ValueError("the outbox holds no such request")

    def lease(self, needs: Sequence[consent.SealingNeed]) -> Sequence[consent.SealingLease]:
        """Return keys to seal with, one lease per need, in order."""
        return self._stub.LeaseSealingKeys(consent.LeaseSealingKeysRequest(needs=needs)).leases

    def release(
        self, events: Sequence[consent.ReleaseKeysRequest.SealedKeys], hosted: Iterable[str] | None = None
    ) -> consent.ReleaseKeysResponse:
        """Return keys to open with, event by event, as far as they may be opened now; `hosted` as in `__init__`."""
        hosted = self._hosted if hosted is None else hosted
        return self._stub.ReleaseKeys(consent.ReleaseKeysRequest(events=events, hosted_agency_ids=hosted))

    def granted_subjects(self, caller: Caller) -> frozenset[str]:
        """Return the subjects that are linked to the caller or granted to his agency."""

        def ask() -> tuple[frozenset[str], int]:
            answer = self._stub.ListGrantedSubjects(consent.ListGrantedSubjectsRequest(asker=asker(caller)))
            return frozenset(answer.subject_ids), answer.epoch

        return self._granted.get(caller, ask)

    def resolve_participant(self, caller: Caller, participant_id: str) -> Resolved | None:
        """Return the subject that a record of the caller's agency about this participant hangs on.

        None where there is no such participant, and where the agency neither has him on its caseload nor was ever
        addressed about him: nobody can tell one from the other.
        """

        def ask() -> tuple[Resolved | None, int]:
            request = consent.ResolveParticipantRequest(asker=asker(caller), participant_id=participant_id)
            answer = self._stub.ResolveParticipant(request)
            found = Resolved(answer.subject_id, answer.caseload_agency_id) if answer.subject_id else None
            return found, answer.epoch

        return self._resolved.get((caller.agency_id, participant_id), ask)

    def registry(self) -> consent.ReadRegistryResponse:
        """Return agencies and accounts. It is shared with other callers: do not change it."""

        def ask() -> tuple[consent.ReadRegistryResponse, int]:
            answer = self._stub.ReadRegistry(consent.ReadRegistryRequest())
            return answer, answer.epoch

        return self._registry.get("", ask)


@dataclass(frozen=True, slots=True)
class _Answer(Generic[_T]):
    value: _T
    epoch: int
    until: float


class _Kept(Generic[_T]):
    """Answers by question, for as long as they may be used."""

    def __init__(self, session: SessionState, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, _Answer[_T]] = OrderedDict()
        session.on_change(lambda _: self._forget())

    def get(self, question: Hashable, ask: Callable[[], tuple[_T, int]]) -> _T:
        with self._lock:
            known = self._answers.get(question)
        if known is not None and self._holds(known):
            return known.value
        asked_at = self._clock.monotonic()
        value, epoch = ask()
        # That there is nothing is not kept: what begins to be is to be found at once.
        if value is not None:
            self._keep(question, _Answer(value, epoch, asked_at + KEPT_SECONDS))
        return value

    def _holds(self, answer: _Answer[_T]) -> bool:
        # An answer that is older than a change this process was told of is stale; a newer one is not.
        is_current = self._session.epoch() <= answer.epoch
        return is_current and self._session.alive() and self._clock.monotonic() < answer.until

    def _keep(self, question: Hashable, answer: _Answer[_T]) -> None:
        with self._lock:
            self._answers[question] = answer
            self._answers.move_to_end(question)
            if len(self._answers) > _MOST_KEPT:
                self._answers.popitem(last=False)

    def _forget(self) -> None:
        with self._lock:
            self._answers.clear()
