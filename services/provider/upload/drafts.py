"""From cells to a draft of the contract: enum words, numbers and times are read, the rest is taken as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo

from lead.provider.v1 import provider_pb2 as pb

from services.provider import validate, words
from services.provider.checks import beside, day_of, one_of
from services.provider.upload.rows import Cells
from services.shared.errors import Violation

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_WHOLE = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_ID_MOST = 64
_PREFIX = "ENROLLMENT_STATUS_"
_IN_BATCH = ("source.system", "source.recordId")
# Draft path -> column.
_COLUMN = {"source.system": "system", "source.recordId": "recordId", "source.version": "version"}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file as far as it could be read; with something wrong it is not taken.

    `key` is source system and record id as sent, empty where they are not in order.
    """

    line: int
    key: str
    draft: pb.EnrollmentDraft
    cells: Cells
    wrong: tuple[Violation, ...] = ()

    def named(self, found: Iterable[Violation]) -> tuple[Violation, ...]:
        """Return violations of the draft under the names that this file has for its fields."""
        return tuple(Violation(self.cells.path(_COLUMN.get(each.path, each.path)), each.wish) for each in found)


def row_of(cells: Cells, now: datetime, zone: tzinfo) -> Row:
    """Return the row with everything that is wrong with it by itself; days begin in `zone`."""
    draft, unread = _read(cells, zone)
    row = Row(cells.line, "", draft, cells)
    wrong = list(cells.wrong)
    if not cells.broken:
        told = [*wrong, *row.named(unread)]
        wrong = beside(told, lambda: row.named([*_keys(draft), *validate.draft(draft, now)]))
    wrong = list(dict.fromkeys(wrong))
    return Row(cells.line, _key(row, wrong), draft, cells, tuple(wrong))


def _read(cells: Cells, zone: tzinfo) -> tuple[pb.EnrollmentDraft, list[Violation]]:
    said, wrong = cells.values, list[Violation]()
    draft = pb.EnrollmentDraft()
    for column, field in (
        ("serviceId", "service_id"),
        ("serviceReferralId", "service_referral_id"),
        ("participantId", "participant_id"),
    ):
        if said.get(column):
            # No id is longer, and one that is cut is found no more than one that is too long.
            setattr(draft, field, said[column][: _ID_MOST + 1])
    for column, field in (("system", "system"), ("recordId", "record_id")):
        if said.get(column):
            setattr(draft.source, field, said[column])
    wrong += _version(draft, said.get("version", ""))
    wrong += _status(draft, said.get("status", ""))
    for column, field in (("startTime", "start_time"), ("endTime", "end_time")):
        wrong += _moment(draft, field, column, said.get(column, ""), zone)
    return draft, wrong


def _version(draft: pb.EnrollmentDraft, said: str) -> list[Violation]:
    if not said:
        return []
    if not _WHOLE.fullmatch(said):
        return [Violation("source.version", "a whole number from 1 on")]
    draft.source.version = int(said)
    return []


def _status(draft: pb.EnrollmentDraft, said: str) -> list[Violation]:
    word = said.removeprefix(_PREFIX)
    if not said:
        return []
    if not words.STATUSES.has(word):
        return [Violation("status", one_of(pb.EnrollmentStatus.keys()))]
    draft.status = words.STATUSES.number(word)
    return []


def _moment(draft: pb.EnrollmentDraft, field: str, column: str, said: str, zone: tzinfo) -> list[Violation]:
    if not said:
        return []
    found = _time(said, zone)
    if found is None:
        return [Violation(column, "a time as RFC 3339 has it, or a day, YYYY-MM-DD")]
    getattr(draft, field).FromDatetime(found)
    return []


def _time(said: str, zone: tzinfo) -> datetime | None:
    day = day_of(said)
    try:
        if day is not None:
            return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
        return datetime.fromisoformat(said.upper()).astimezone(UTC) if _TIME.fullmatch(said) else None
    except (ValueError, OverflowError):
        return None


def _keys(draft: pb.EnrollmentDraft) -> list[Violation]:
    """Yield what a row of a file must say that a single enrolment need not: what it is known by when it comes again."""
    said = {"source.system": draft.source.system, "source.recordId": draft.source.record_id}
    return [Violation(path, "must be given") for path in _IN_BATCH if not said[path]]


def _key(row: Row, wrong: Iterable[Violation]) -> str:
    source = row.draft.source
    told = {each.path for each in wrong}
    if told & {row.cells.path("system"), row.cells.path("recordId")} or not source.record_id:
        return ""
    return f"{source.system}/{source.record_id}"
