"""Whether somebody came, day by day; the same day again takes its place."""

from __future__ import annotations

from sqlalchemy import Connection

from services.provider import store_enrolments
from services.provider.domain import enrolment as domain
from services.provider.domain.enrolment import Attendance
from services.provider.domain.records import ChangedMeanwhileError
from services.provider.handlers import enrolments, recording
from services.provider.handlers.desk import Desk
from services.provider.handlers.enrolments import Shown
from services.shared.db.idempotency import Key
from services.shared.errors import aborted, not_found
from services.shared.sharing.assertion import Caller

# There is no etag: two days told at once do not contradict each other.
_ATTEMPTS = 5


def record(desk: Desk, caller: Caller, enrolment_id: str, told: Attendance, key: Key | None) -> Shown:
    """Record one day of an enrolment with the own agency; what is recorded already changes nothing.

    Raises NOT_FOUND, INVALID_ARGUMENT for a day outside of the enrolment.
    """
    earlier = desk.earlier(key)
    for _ in range(_ATTEMPTS):
        try:
            return _recorded(desk, caller, earlier or enrolment_id, None if earlier else told, key)
        except ChangedMeanwhileError:
            continue
    raise aborted("The record is being changed by others; try again.")


def _recorded(desk: Desk, caller: Caller, enrolment_id: str, told: Attendance | None, key: Key | None) -> Shown:
    day_key = "" if told is None else desk.secrets.digest("day", enrolment_id, told.day.isoformat())
    with desk.parts.db.read() as connection:
        before = store_enrolments.own(connection, enrolment_id, caller.agency_id)
        known = store_enrolments.day(connection, enrolment_id, day_key)
    if before is None:
        raise not_found()
    if told is None:
        return enrolments.shown(desk, before)
    after = domain.attended(before, told.day, desk.now())
    remember = desk.remember(key, before.id)
    if known == told:
        with desk.parts.db.write() as connection:
            remember(connection)
        return enrolments.shown(desk, before)

    def also(connection: Connection) -> None:
        store_enrolments.put_day(connection, before.id, day_key, told)
        remember(connection)

    return enrolments.shown(desk, recording.save(desk, before, after, also))
