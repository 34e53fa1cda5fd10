"""Which prosecutor's office reviews which charge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from services.shared.sites.pack import Route, Site
from services.shared.sites.words import level_covers, level_word, split_statute


class Routable(Protocol):
    """What routing reads of a charge."""

    @property
    def id(self) -> str:
        """The charge."""
        ...

    @property
    def statute(self) -> str | None:
        """Statute as cited, its book in front if known."""
        ...

    @property
    def level(self) -> str | None:
        """Level as written by the police."""
        ...


def offices(site: Site, charges: Iterable[Routable]) -> dict[str, str]:
    """Return the office's slug for each charge id.

    One incident can need two offices (lead-program.md section 3). A charge that no rule fits goes to the default.
    """
    return {charge.id: _office(site, charge) for charge in charges}


def _office(site: Site, charge: Routable) -> str:
    fitting = (route.office for route in site.routing.rules if _fits(route, charge))
    return next(fitting, site.routing.default_office)


def _fits(route: Route, charge: Routable) -> bool:
    level = level_word(charge.level or "")
    level_fits = not route.levels or (level is not None and any(level_covers(each, level) for each in route.levels))
    book, _ = split_statute(charge.statute or "")
    return level_fits and (not route.books or book in route.books)
