"""What is sent for a row of a file, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from lead.referral.v1 import referral_pb2
from lead.referral.v1 import referral_service_pb2 as pb

from gateway.transcode import json_walk
from services.referral.rms.files import Row
from services.shared.errors import Violation

_ACTIONS = {"UPSERT": pb.PUSH_ACTION_UPSERT, "DELETE": pb.PUSH_ACTION_DELETE}
_WRAPPED = ("recordKey", "action", "referral")
_LONGEST_KEY = 200
REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row on its way: its message, or what is wrong with it, found before anything was sent."""

    number: int
    key: str
    message: pb.PushReferralsRequest | None
    violations: tuple[Violation, ...] = ()

    def refused(self) -> Result:
        """Return the result of a row that is never sent."""
        return Result(self.number, self.key, REJECTED, "", self.violations)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row. `record_id` is a referral's or an incident's, empty where there is none."""

    number: int
    key: str
    outcome: str
    record_id: str = ""
    violations: tuple[Violation, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as one line of JSON output tells it."""
        wrong = [{"path": each.path, "wish": each.wish} for each in self.violations]
        told: dict[str, Any] = {"number": self.number, "recordKey": self.key, "outcome": self.outcome}
        return told | {"recordId": self.record_id, "violations": wrong}


def outgoing(row: Row) -> Outgoing:
    """Return what to send for a row: a draft as it is, or `{"recordKey", "action", "referral"}`."""
    key = str(row.number)
    if not isinstance(row.payload, dict):
        return Outgoing(row.number, key, None, (Violation("", row.error or "a record is a JSON object"),))
    draft, action, wrong = _unwrapped(row.payload)
    key = _key(row.payload) or key
    value, found = json_walk.check(referral_pb2.ReferralDraft.DESCRIPTOR, json.dumps(draft).encode())
    wrong += found
    if wrong:
        return Outgoing(row.number, key, None, tuple(wrong))
    message = pb.PushReferralsRequest(record_key=key, action=action)
    try:
        json_format.ParseDict(value, message.referral)
    except json_format.ParseError:
        return Outgoing(row.number, key, None, (Violation("", "a referral draft"),))
    return Outgoing(row.number, key, message)


def result(sent: Outgoing, answer: pb.PushReferralsResponse) -> Result:
    """Return what the exchange says became of a row."""
    outcome = pb.PushOutcome.Name(answer.outcome).removeprefix("PUSH_OUTCOME_")
    wrong = tuple(Violation(each.path, each.wish) for each in answer.violations)
    return Result(sent.number, sent.key, outcome, answer.referral_id, wrong)


def _unwrapped(payload: Mapping[str, Any]) -> tuple[Any, pb.PushAction.ValueType, list[Violation]]:
    if "referral" not in payload:
        return payload, pb.PUSH_ACTION_UPSERT, []
    wrong = [Violation("", f"only {', '.join(_WRAPPED)} stand beside a referral")] if set(payload) - {*_WRAPPED} else []
    given = str(payload.get("action", "UPSERT")).removeprefix("PUSH_ACTION_")
    if given not in _ACTIONS:
        wrong.append(Violation("action", "UPSERT or DELETE"))
    if "recordKey" in payload and not _key(payload):
        wrong.append(Violation("recordKey", f"a text of up to {_LONGEST_KEY} characters"))
    return payload["referral"], _ACTIONS.get(given, pb.PUSH_ACTION_UPSERT), wrong


def _key(payload: Mapping[str, Any]) -> str:
    given = payload.get("recordKey")
    return given if isinstance(given, str) and len(given) <= _LONGEST_KEY else ""
