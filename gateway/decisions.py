"""Decisions, asked once and kept only while they hold: in a live session, at most 60 s, until told otherwise."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.options.v1 import options_pb2, words_pb2

from gateway.redact import Key, View
from services.shared.clock import Clock
from services.shared.errors import unavailable
from services.shared.sharing.assertion import Caller
from services.shared.sharing.client import asker as asked_for
from services.shared.sharing.session_state import SessionState
from services.shared.telemetry import metrics

_KEPT = 200_000
_KINDS = {number: name.removeprefix("AGENCY_KIND_").lower() for name, number in words_pb2.AgencyKind.items() if number}
_PART2 = {number: name.removeprefix("PART2_PROGRAM_") for name, number in words_pb2.Part2Program.items()}

AskerKey = tuple[str, str, str, tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Held:
    """A decision that may be used until `until` of monotonic time."""

    decision: consent.Decision
    view: View
    policy_version: str
    epoch: int
    until: float


class Decisions:
    """The enforcement point's memory of decisions. Belongs to one event loop."""

    def __init__(
        self,
        ask: Callable[[consent.DecideRequest], Awaitable[consent.DecideResponse]],
        session: SessionState,
        clock: Clock,
    ) -> None:
        """`ask` calls consent, which `session` is held with."""
        self._ask, self._session, self._clock = ask, session, clock
        self._held: OrderedDict[tuple[AskerKey, Key], Held] = OrderedDict()
        self._by_subject: dict[str, set[tuple[AskerKey, Key]]] = {}

    async def of(self, caller: Caller, keys: Iterable[Key], request_id: str) -> Mapping[Key, Held]:
        """Return a decision for each key. Raises UNAVAILABLE without a live session: no decision, no release."""
        if not self._session.alive():
            raise unavailable("The decision cannot be asked for now; try again.")
        asker, now = _asker_key(caller), self._clock.monotonic()
        found: dict[Key, Held] = {}
        missing = []
        for key in dict.fromkeys(keys):
            held = self._held.get((asker, key))
            if held is not None and now < held.until:
                found[key] = held
            else:
                missing.append(key)
        if missing:
            found.update(await self._decide(caller, asker, missing, request_id))
        return found

    def forget(self, subject_ids: Iterable[str]) -> None:
        """Drop every decision about these subjects."""
        for subject in subject_ids:
            for place in self._by_subject.pop(subject, ()):
                self._held.pop(place, None)

    def forget_all(self) -> None:
        """Drop everything."""
        self._held.clear()
        self._by_subject.clear()

    async def _decide(self, caller: Caller, asker: AskerKey, keys: list[Key], request_id: str) -> dict[Key, Held]:
        asked_at, now = self._clock.monotonic(), self._clock.now()
        request = consent.DecideRequest(
            asker=asked_for(caller), records=[_reference(key) for key in keys], request_id=request_id
        )
        answer = await self._ask(request)
        if len(answer.decisions) != len(keys):
            raise unavailable("The decision cannot be asked for now; try again.")
        result = {}
        for key, decision in zip(keys, answer.decisions, strict=True):
            left = (decision.until_time.ToDatetime(tzinfo=now.tzinfo) - now).total_seconds()
            view = View(decision.visible, _KINDS.get(decision.source_kind, "none"), _PART2[decision.source_part2])
            held = Held(decision, view, answer.policy_version, answer.epoch, asked_at + min(60.0, left))
            result[key] = held
            metrics.DECISIONS.labels("allow" if decision.visible else "deny").inc()
            # An answer may have been overtaken by a change on its way: it is not kept, and does not leave.
            if not self._session.changed_subjects(answer.epoch, [key[0]]):
                self._keep((asker, key), held)
        return result

    def _keep(self, place: tuple[AskerKey, Key], held: Held) -> None:
        self._held[place] = held
        self._held.move_to_end(place)
        self._by_subject.setdefault(place[1][0], set()).add(place)
        while len(self._held) > _KEPT:
            oldest, _ = self._held.popitem(last=False)
            self._by_subject.get(oldest[1][0], set()).discard(oldest)


def _asker_key(caller: Caller) -> AskerKey:
    return (caller.agency_id, caller.role, caller.purpose, caller.site_ids, caller.participant_id)


def _reference(key: Key) -> options_pb2.Reference:
    return options_pb2.Reference(subject_id=key[0], source_agency_id=key[1], record_id=key[2])
