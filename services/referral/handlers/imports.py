"""RMS files become incident candidates, seen by their agency alone: no event, no scope fact, gone after 30 days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from services.referral import incident as incidents
from services.referral import store_incidents
from services.referral.handlers.desk import Desk, busy
from services.referral.holding import Holding, report_of
from services.referral.incident import Incident, Report, Result
from services.referral.models import IDEMPOTENCY
from services.referral.paging import Place, token_of
from services.referral.rms.candidate import Action, Candidate, Item, content_digest
from services.referral.rms.nibrs import read
from services.referral.scope import require_police
from services.referral.screening import screen
from services.referral.store import ChangedMeanwhileError
from services.shared.db.idempotency import Key
from services.shared.errors import Violation, failed_precondition, invalid
from services.shared.sharing.assertion import Caller
from services.shared.sites import Site

# Import and batch: 16 MiB, which the reader holds, and 5,000 items (contract, Lists).
_MOST = 5_000
# A repeated import is answered from what it finds, so its key stands for no single record.
_KEY_FOR = "import"
# Another import of the same reports was quicker; what it left is judged anew.
_ATTEMPTS = 5


def import_incidents(desk: Desk, caller: Caller, data: bytes, key: Key | None) -> list[Result]:
    """Take in a NIBRS submission; returns what became of each person of each report, in the file's order.

    Sent again it changes nothing. Raises INVALID_ARGUMENT for a file that cannot be read or holds too many people.
    """
    require_police(caller)
    site = _site(desk, caller)
    now = desk.clock.now()
    items = read(data, caller_ori=desk.directory.oris(caller.agency_id), today=now.date()).items
    if sum(max(1, len(item.candidates)) for item in items) > _MOST:
        raise invalid([Violation("file", f"at most {_MOST} people in one submission")])
    # Screened before the transaction, which holds off every other writer.
    reports = {id(item): [_report(each, site, caller.role, now) for each in item.candidates] for item in items}

    def work(connection: Connection) -> list[Result]:
        if key is not None and key.find(connection, IDEMPOTENCY, now) is None:
            key.remember(connection, IDEMPOTENCY, _KEY_FOR, now)
        holding = _holding(desk, connection, caller.agency_id, items, now)
        results = [one for item in items for one in _done(holding, caller.agency_id, site, item, reports[id(item)])]
        store_incidents.save(connection, holding, desk.clock.now())
        return results

    for _ in range(_ATTEMPTS):
        try:
            return desk.db.in_transaction(work)
        except ChangedMeanwhileError:
            continue
    raise busy()


def listed(desk: Desk, caller: Caller, place: Place | None, size: int) -> tuple[list[Incident], str]:
    """Return a page of the own agency's candidates by time of change, and the token of the next page."""
    require_police(caller)
    with desk.db.read() as connection:
        found = store_incidents.page(connection, caller.agency_id, place, size + 1)
    last = found[size - 1] if len(found) > size else None
    return found[:size], "" if last is None or last.updated_at is None else token_of((last.updated_at, last.id))


def _site(desk: Desk, caller: Caller) -> Site:
    """Return the site that candidates are screened by until an officer names one: the agency's first."""
    for site_id in desk.directory.site_ids(caller.agency_id):
        if site_id in desk.sites:
            return desk.sites[site_id]
    raise failed_precondition("NO_SITE", "Your agency takes part in no site whose rules are known here.")


def _report(candidate: Candidate, site: Site, role: str, now: datetime) -> Report:
    charges = incidents.charges_of(candidate)
    at = incidents.time_of(candidate, site.zone)
    screening = screen(site, incidents.facts_of(candidate, charges, at, role), now)
    return Report(candidate, charges, screening, content_digest(candidate), at)


def _holding(desk: Desk, connection: Connection, agency_id: str, items: tuple[Item, ...], now: datetime) -> Holding:
    wanted = sorted({report_of(item.key) for item in items if item.key is not None})
    held = store_incidents.of_reports(connection, agency_id, wanted)
    seen = store_incidents.digests(connection, [each.id for each in held])
    return Holding(held, seen, desk.ids.new, now)


def _done(holding: Holding, agency_id: str, site: Site, item: Item, reports: list[Report]) -> Iterator[Result]:
    if item.rejected or item.key is None:
        # There is no key to name it by: its place in the file does.
        yield Result(item.path, "REJECTED", violations=item.violations)
        return
    if item.action is Action.DELETE:
        yield from holding.take(item.key)
        return
    if item.action is Action.REPLACE:
        yield from holding.keep_only(item.key, {each.candidate.key for each in reports})
    if not reports:
        # A Zero Report, or one in which nobody is known who could be referred.
        yield Result(incidents.key_text(item.key), "NOTHING_REPORTED")
    for report in reports:
        yield holding.put(agency_id, site.id, report)
