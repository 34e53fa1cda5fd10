"""How far an agency's feed is complete, as it declares itself: one stretch with gaps, whose end never goes back. No IO.

Outcomes are counted only for windows that every contributing feed has declared (evaluation, Windows), so a declaration
is a promise: it can be carried on, and it can't be taken back by a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from services.shared.errors import Violation


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time from a beginning to an end."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as it was declared: complete over `span`, but for the gaps inside. `revision` counts its changes."""

    agency_id: str
    id: str
    subject_id: str
    span: Stretch
    # In order, without overlap.
    gaps: tuple[Stretch, ...] = ()
    revision: int = 1

    def covers(self, moment: datetime) -> bool:
        """Tell whether the feed was declared complete at that moment."""
        inside = self.span.begin <= moment <= self.span.end
        return inside and not any(gap.begin < moment < gap.end for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a sender declares; `begin` is where the last one ended when it says none."""

    begin: datetime | None
    end: datetime


def wrong(before: Feed | None, declared: Declaration) -> Iterator[Violation]:
    """Yield what keeps a declaration from following on what was declared before."""
    if before is None and declared.begin is None:
        yield Violation("completeFrom", "must be given with the first declaration of a feed")
    if declared.begin is not None and declared.begin >= declared.end:
        yield Violation("completeThrough", "later than completeFrom")
    if before is not None and declared.end < before.span.end:
        yield Violation("completeThrough", _goes_back(before))


def followed(agency_id: str, before: Feed | None, declared: Declaration, mint: Callable[[str], str]) -> Feed:
    """Return the feed after a declaration that nothing is wrong with; `before` itself when it says nothing new.

    What nothing was declared for is a gap; a stretch that reaches back over a gap closes it.
    """
    if before is None:
        span = Stretch(declared.begin or declared.end, declared.end)
        return Feed(agency_id=agency_id, id=mint("jfd"), subject_id=mint("sub"), span=span)
    held, begin = before.span, before.span.end if declared.begin is None else declared.begin
    new = Stretch(begin, declared.end)
    gaps = tuple(piece for gap in before.gaps for piece in _without(gap, new))
    if begin > held.end:
        gaps = (*gaps, Stretch(held.end, begin))
    after = replace(before, span=Stretch(min(held.begin, begin), declared.end), gaps=gaps)
    return before if after == before else replace(after, revision=before.revision + 1)


def _without(gap: Stretch, declared: Stretch) -> Iterator[Stretch]:
    """Yield what a declaration leaves of a gap; it ends after every gap."""
    if declared.begin >= gap.end:
        yield gap
    elif declared.begin > gap.begin:
        yield Stretch(gap.begin, declared.begin)


def _goes_back(before: Feed) -> str:
    end = before.span.end.isoformat().replace("+00:00", "Z")
    return f"not before {end}, through which the feed was declared; what is declared is not taken back"
