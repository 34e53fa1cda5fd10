"""The rows behind pages of referrals, by SQLAlchemy Core alone: a condition says whose, the last id where to go on."""

from __future__ import annotations

import time

from sqlalchemy import ColumnElement, Select, select

from services.command.bench.bare_rows import Stored


class BarePages:
    """A reader of the area's file. `shown` has the ids of all pages so far, in order."""

    def __init__(self, stored: Stored, role: str, agency: str, size: int) -> None:
        """Read an agency's own referrals for police, those routed to it for a prosecutor; so many rows a page."""
        self._engine, self._size, self._last = stored.engine, size, ""
        self._rows, self._ids = _of_office(stored, agency) if role == "prosecutor" else _of_agency(stored, agency)
        self.shown: list[str] = []

    def milliseconds(self, pages: int) -> float:
        """Read the next pages and return how long one took."""
        spent = 0.0
        for _ in range(pages):
            begun = time.perf_counter()
            query = self._rows.where(self._ids > self._last).order_by(self._ids).limit(self._size)
            with self._engine.connect() as connection:
                found = connection.execute(query).mappings().all()
            spent += time.perf_counter() - begun
            self.shown += [row["id"] for row in found]
            self._last = self.shown[-1]
        return spent * 1000 / pages


def _of_agency(stored: Stored, agency: str) -> tuple[Select[*tuple[object, ...]], ColumnElement[str]]:
    table = stored.referrals
    return select(table).where(table.c.agency_id == agency), table.c.id


def _of_office(stored: Stored, office: str) -> tuple[Select[*tuple[object, ...]], ColumnElement[str]]:
    table, routed = stored.referrals, stored.offices.c
    joined = select(table).join(stored.offices, routed.referral_id == table.c.id)
    return joined.where(routed.office_id == office), routed.referral_id
