"""Which agencies contribute, and until when everything is observed (evaluation.md, "Windows").

An agency that joins, leaves or has a gap inside the window is left out for everybody: of both arms, and of both sides
of t0 where both are looked at. Nobody is observed longer than the least complete of the feeds that contribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from services.outcomes.evaluation.report import Dropped, Observed
from services.outcomes.evaluation.windows import FeedRule

Span = tuple[datetime, datetime]
"""From the first start to the last end of the windows of a site."""


class Gap(TypedDict):
    """A stretch that an agency declares incomplete."""

    start: datetime
    end: datetime


class Feed(TypedDict):
    """A row of the feeds frame."""

    agency_id: str
    site_id: str
    complete_from: datetime | None
    complete_through: datetime | None
    gaps: list[Gap] | None


@dataclass(frozen=True, slots=True)
class Contributing:
    """What came of the feeds."""

    observed: tuple[Observed, ...]
    dropped: tuple[Dropped, ...]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Pairs of site and agency whose events count."""
        return [(each.site_id, agency) for each in self.observed for agency in each.agencies]


def contributing(
    feeds: Iterable[Feed], spans: Mapping[str, Span], reporting: Iterable[str], as_of: datetime, rule: FeedRule
) -> Contributing:
    """Return who contributes to which site; `reporting` are the agencies that any event names."""
    here = [feed for feed in feeds if feed["site_id"] in spans]
    newest = {site: _newest(here, site, as_of) for site in spans}
    reasons: dict[str, str] = {}
    for feed in here:
        why = _why(feed, spans[feed["site_id"]], newest[feed["site_id"]], rule)
        if why:
            reasons.setdefault(feed["agency_id"], why)
    declared = {feed["agency_id"] for feed in here}
    reasons.update((agency, "UNDECLARED") for agency in reporting if agency not in declared)
    observed = tuple(_observed(here, site, reasons, as_of) for site in sorted(spans))
    return Contributing(observed, tuple(Dropped(*each) for each in sorted(reasons.items())))


def _newest(feeds: Sequence[Feed], site: str, as_of: datetime) -> datetime | None:
    ends = [feed["complete_through"] for feed in feeds if feed["site_id"] == site]
    return min(max((each for each in ends if each), default=as_of), as_of)


def _why(feed: Feed, span: Span, newest: datetime | None, rule: FeedRule) -> str | None:
    start, through, (first, last) = feed["complete_from"], feed["complete_through"], span
    if start is None or through is None or newest is None:
        return "UNDECLARED"
    if start > first:
        return "JOINED"
    if through < last and through < newest - timedelta(days=rule.lag_days):
        return "LEFT"
    until = min(last, through)
    if any(gap["start"] < until and gap["end"] > first for gap in feed["gaps"] or ()):
        return "GAP"
    return None


def _observed(feeds: Sequence[Feed], site: str, reasons: Mapping[str, str], as_of: datetime) -> Observed:
    kept = [feed for feed in feeds if feed["site_id"] == site and feed["agency_id"] not in reasons]
    ends = [through for feed in kept if (through := feed["complete_through"])]
    # Knowledge later than the as-of date is not used; the as-of date itself never stands in for completeness.
    until = min(*ends, as_of) if ends else None
    return Observed(site, tuple(sorted({feed["agency_id"] for feed in kept})), until)
