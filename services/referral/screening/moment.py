"""Where and when a screening takes place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.referral.screening.facts import ScreeningFacts
from services.shared.sites.pack import Site


@dataclass(frozen=True, slots=True)
class Moment:
    """The site, and the time of the screening (aware)."""

    site: Site
    now: datetime

    def of_incident(self, facts: ScreeningFacts) -> datetime:
        """Return the local time to which ages and hours refer: the incident's, or now where that is not known."""
        return (facts.incident_time or self.now).astimezone(self.site.zone)
