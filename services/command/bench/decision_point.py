"""The gateway's memory of decisions, by itself: in a session with a consent that answers from the compiled policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.options.v1 import options_pb2, words_pb2

from gateway.decisions import Decisions
from gateway.redact import shown
from services.command.bench.decision_mix import Case, visible
from services.consent.policy.compile import Policy
from services.shared.clock import Clock
from services.shared.sharing.session_state import SessionState

_EPOCH = 1
_LIFE = timedelta(minutes=1)


class EnforcementPoint:
    """Answers about some cases. Belongs to one event loop."""

    def __init__(self, policy: Policy, mix: Sequence[Case], clock: Clock) -> None:
        """Hold nothing yet."""
        self._policy, self._clock = policy, clock
        self._session = SessionState(clock)
        self._decisions = Decisions(self._ask, self._session, clock)
        self._mix = mix
        self._about = {(case.caller.agency_id, case.key): case.question for case in mix}

    async def fill(self) -> None:
        """Renew the session and ask about every case, so that for a while all of them are found in memory."""
        sequence, _ = self._session.renewal()
        self._session.received(_EPOCH, [], sequence)
        self._decisions.forget_all()
        for case in self._mix:
            await self.answer(case)

    async def answer(self, case: Case) -> bool:
        """Tell whether the caller may see the category, as the gateway finds out for a field."""
        view = (await self._decisions.of(case.caller, (case.key,), ""))[case.key].view
        return bool(shown(view.visible, case.row, view.source_kind, view.part2) >> case.category & 1)

    async def _ask(self, request: consent.DecideRequest) -> consent.DecideResponse:
        decisions = [self._decision(request.asker.agency_id, each) for each in request.records]
        return consent.DecideResponse(epoch=_EPOCH, policy_version=self._policy.version, decisions=decisions)

    def _decision(self, agency: str, record: options_pb2.Reference) -> consent.Decision:
        question = self._about[agency, (record.subject_id, record.source_agency_id, record.record_id)]
        decision = consent.Decision(
            visible=visible(self._policy, question),
            source_kind=words_pb2.AgencyKind.Value("AGENCY_KIND_" + question.source_kind.upper()),
            source_part2=words_pb2.PART2_PROGRAM_NO,
        )
        decision.until_time.FromDatetime(self._clock.now() + _LIFE)
        return decision
