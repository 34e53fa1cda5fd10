"""A file of enrolments, row by row: a bad one doesn't stop the others, and the same file again changes nothing.

Rows that follow each other are stored together: one lease of keys, one transaction. After a cut the whole file may be
sent again, since what is stored is UNCHANGED.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.provider.enrolling import Outcome
from services.provider.handlers import recording
from services.provider.handlers.desk import Desk
from services.provider.models import IDEMPOTENCY
from services.provider.upload.drafts import Row, row_of
from services.provider.upload.read import read
from services.shared.db.idempotency import Key
from services.shared.errors import Violation
from services.shared.sharing.assertion import Caller

_TOGETHER = 200
# A repeated file is answered from what it finds, so its key stands for no single record.
_KEY_FOR = "batch"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row."""

    line: int
    record_key: str
    outcome: str
    enrolment_id: str = ""
    violations: tuple[Violation, ...] = ()


def batch(desk: Desk, caller: Caller, content_type: str, data: bytes, key: Key | None) -> list[Result]:
    """Take in a file; returns what became of each row, in its order.

    Raises INVALID_ARGUMENT when it cannot be read at all, ALREADY_EXISTS for an idempotency key of another file; then
    nothing is stored. Raises UNAVAILABLE when consent does not answer: then some rows may be, each of them whole.
    """
    now, zone = desk.now(), desk.zone(caller)
    rows = [row_of(each, now, zone) for each in read(content_type, data)]
    _remember(desk, key)
    return [result for group in _groups(rows) for result in _done(desk, caller, group)]


def _remember(desk: Desk, key: Key | None) -> None:
    if key is None:
        return
    with desk.parts.db.write() as connection:
        now = desk.now()
        if key.find(connection, IDEMPOTENCY, now) is None:
            key.remember(connection, IDEMPOTENCY, _KEY_FOR, now)


def _groups(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), _TOGETHER):
        yield rows[start : start + _TOGETHER]


def _done(desk: Desk, caller: Caller, group: Sequence[Row]) -> list[Result]:
    records = [recording.sent(desk, caller, row.draft, row.wrong) for row in group]
    outcomes = recording.record(desk, caller, records)
    return [_result(row, outcome) for row, outcome in zip(group, outcomes, strict=True)]


def _result(row: Row, outcome: Outcome) -> Result:
    told = {each.path for each in row.wrong}
    more = tuple(each for each in row.named(outcome.violations) if each.path not in told)
    enrolment_id = "" if outcome.enrolment is None else outcome.enrolment.id
    return Result(row.line, row.key, outcome.word, enrolment_id, (*row.wrong, *more))
