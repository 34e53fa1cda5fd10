"""Queries on enrolments and attendance: a connection in, domain objects out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.provider import scope
from services.provider.domain.enrolment import Attendance, Enrolment
from services.provider.domain.records import ChangedMeanwhileError
from services.provider.models import ATTENDANCE, ENROLMENT_CONTENTS, ENROLMENTS
from services.provider.sealed import from_text, time_of, to_text
from services.shared.sharing.assertion import Caller

_PLAIN = ("id", "subject_id", "agency_id", "participant_id", "version", "changed_at")
_SEALED = (
    *("agency_kind", "service_id", "service_referral_id", "system", "record_id", "source_version", "digest"),
    *("status", "started_at", "ended_at"),
)


def find(connection: Connection, enrolment_id: str, caller: Caller, granted: Collection[str]) -> Enrolment | None:
    """Return an enrolment that the caller may be shown."""
    found = _found(connection, and_(ENROLMENTS.c.id == enrolment_id, scope.enrolments(connection, caller, granted)))
    return found[0] if found else None


def own(connection: Connection, enrolment_id: str, agency_id: str) -> Enrolment | None:
    """Return an enrolment with this agency."""
    found = _found(connection, and_(ENROLMENTS.c.id == enrolment_id, ENROLMENTS.c.agency_id == agency_id))
    return found[0] if found else None


def page(
    connection: Connection,
    caller: Caller,
    granted: Collection[str],
    *,
    changed_after: datetime | None,
    participant_id: str,
    after: str,
    limit: int,
) -> list[Enrolment]:
    """Return at most `limit` enrolments behind an id; only those that have changed after a time, if one is given."""
    which = [scope.enrolments(connection, caller, granted), ENROLMENTS.c.id > after]
    if participant_id:
        which.append(ENROLMENTS.c.participant_id == participant_id)
    if changed_after is not None:
        which.append(ENROLMENTS.c.changed_at > changed_after)
    return _found(connection, and_(*which), limit)


def by_natural_keys(connection: Connection, keys: Collection[str]) -> Mapping[str, Enrolment]:
    """Return the enrolments of these keyed digests, by them."""
    query = select(ENROLMENTS).where(scope.among(connection, ENROLMENTS.c.natural_key, keys))
    return {row["natural_key"]: _enrolment(row) for row in connection.execute(query).mappings()}


def contents(connection: Connection, enrolment_ids: Collection[str]) -> Mapping[str, set[str]]:
    """Return the digests of all that was ever sent of each enrolment."""
    found = defaultdict[str, set[str]](set)
    which = scope.among(connection, ENROLMENT_CONTENTS.c.enrolment_id, enrolment_ids)
    for row in connection.execute(select(ENROLMENT_CONTENTS).where(which)):
        found[row.enrolment_id].add(row.digest)
    return found


def add(connection: Connection, new: Sequence[tuple[str, Enrolment]]) -> None:
    """Store new enrolments with their natural keys. Raises ChangedMeanwhileError when one was sent by another call."""
    if not new:
        return
    try:
        connection.execute(insert(ENROLMENTS), [{**_row(each), "natural_key": key} for key, each in new])
    except IntegrityError:
        # The driver's text holds the key, so nothing of it goes on.
        raise ChangedMeanwhileError from None


def save(connection: Connection, before: Enrolment, after: Enrolment) -> None:
    """Store a changed enrolment. Raises ChangedMeanwhileError when it is not what it was before."""
    same = and_(ENROLMENTS.c.id == before.id, ENROLMENTS.c.version == before.version)
    if not connection.execute(update(ENROLMENTS).where(same).values(_row(after))).rowcount:
        raise ChangedMeanwhileError


def add_contents(connection: Connection, sent: Collection[tuple[str, str]]) -> None:
    """Note digests of what was sent, as (enrolment, digest), none of which is noted yet."""
    if sent:
        rows = [{"enrolment_id": enrolment_id, "digest": digest} for enrolment_id, digest in sorted(sent)]
        connection.execute(insert(ENROLMENT_CONTENTS), rows)


def attendance(connection: Connection, enrolment_ids: Collection[str]) -> Mapping[str, list[Attendance]]:
    """Return the days of each enrolment, oldest first."""
    found = defaultdict[str, list[Attendance]](list)
    which = scope.among(connection, ATTENDANCE.c.enrolment_id, enrolment_ids)
    for row in connection.execute(select(ATTENDANCE).where(which)):
        found[row.enrolment_id].append(_day(row.content))
    return {each: sorted(days, key=lambda one: one.day) for each, days in found.items()}


def day(connection: Connection, enrolment_id: str, day_key: str) -> Attendance | None:
    """Return what was recorded of one day."""
    content = connection.execute(select(ATTENDANCE.c.content).where(_same_day(enrolment_id, day_key))).scalar()
    return None if content is None else _day(content)


def put_day(connection: Connection, enrolment_id: str, day_key: str, told: Attendance) -> None:
    """Store one day in place of what was recorded of it before."""
    content = to_text({"day": told.day.isoformat(), "status": told.status, "minutes": told.minutes})
    here = _same_day(enrolment_id, day_key)
    if not connection.execute(update(ATTENDANCE).where(here).values(content=content)).rowcount:
        row = {"enrolment_id": enrolment_id, "day_key": day_key, "content": content}
        connection.execute(insert(ATTENDANCE).values(row))


def _same_day(enrolment_id: str, day_key: str) -> ColumnElement[bool]:
    return and_(ATTENDANCE.c.enrolment_id == enrolment_id, ATTENDANCE.c.day_key == day_key)


def _day(content: str) -> Attendance:
    told = from_text(content)
    return Attendance(day=date.fromisoformat(told["day"]), status=told["status"], minutes=told["minutes"])


def _found(connection: Connection, which: ColumnElement[bool], limit: int | None = None) -> list[Enrolment]:
    query = select(ENROLMENTS).where(which).order_by(ENROLMENTS.c.id).limit(limit)
    return [_enrolment(row) for row in connection.execute(query).mappings()]


def _row(enrolment: Enrolment) -> dict[str, Any]:
    content = to_text({name: getattr(enrolment, name) for name in _SEALED})
    return {**{name: getattr(enrolment, name) for name in _PLAIN}, "content": content}


def _enrolment(row: Mapping[Any, Any]) -> Enrolment:
    content = from_text(row["content"])
    content["started_at"] = datetime.fromisoformat(content["started_at"])
    content["ended_at"] = time_of(content["ended_at"])
    return Enrolment(**{name: row[name] for name in _PLAIN}, **content)
