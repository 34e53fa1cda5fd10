"""A system streams its records: each is acknowledged after it is durable, in order; a bad one does not stop the stream.

Records that arrive together are stored together: one lease of keys, one transaction, one sync to disk. After a cut the
sender begins again where it likes, since a repeat is UNCHANGED.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.referral.ahead import Ahead
from services.referral.handlers.desk import Desk
from services.referral.handlers.record import Sent, record
from services.referral.records import Plan
from services.shared.errors import Violation
from services.shared.sharing.assertion import Caller

_TOGETHER = 64
_REFUSED = {
    "VERSION_REUSED": Violation("source.version", "VERSION_REUSED: a higher one, since the body has changed"),
    "UNKNOWN": Violation("source.recordId", "UNKNOWN_RECORD: a record that was sent before"),
}


@dataclass(frozen=True, slots=True)
class Pushed:
    """One record of the stream: what its sender means, or what is wrong with it."""

    record_key: str
    sent: Sent | None
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What became of it; outcomes are those of the contract."""

    record_key: str
    outcome: str
    referral_id: str = ""
    violations: tuple[Violation, ...] = ()


def push(desk: Desk, caller: Caller, records: Iterable[Pushed]) -> Iterator[Acknowledgement]:
    """Yield one acknowledgement per record, in order. Raises LeadError when nothing can be stored for now."""
    for group in Ahead(records, _TOGETHER).groups():
        for batch in distinct(group):
            yield from _acknowledged(desk, caller, batch)


def distinct(group: Iterable[Pushed]) -> Iterator[list[Pushed]]:
    """Cut a group where a natural key comes again: the second one is judged by what the first one left."""
    batch: list[Pushed] = []
    keys: set[tuple[str, str]] = set()
    for each in group:
        key = None if each.sent is None else each.sent.key
        if key in keys:
            yield batch
            batch, keys = [], set()
        batch.append(each)
        if key is not None:
            keys.add(key)
    if batch:
        yield batch


def _acknowledged(desk: Desk, caller: Caller, batch: list[Pushed]) -> Iterator[Acknowledgement]:
    sent = [each.sent for each in batch if each.sent is not None]
    plans = iter(record(desk, caller.agency_id, sent) if sent else ())
    for each in batch:
        if each.sent is None:
            yield Acknowledgement(each.record_key, "REJECTED", violations=each.violations)
        else:
            yield _acknowledgement(each.record_key, next(plans))


def _acknowledgement(record_key: str, plan: Plan) -> Acknowledgement:
    referral_id = "" if plan.after is None else plan.after.id
    refused = _REFUSED.get(plan.outcome)
    if refused is not None:
        return Acknowledgement(record_key, "REJECTED", referral_id, (refused,))
    return Acknowledgement(record_key, plan.outcome, referral_id)
