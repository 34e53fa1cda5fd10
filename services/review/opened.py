"""What has been opened of a referral, part by part, and the reviews that follow from it. No IO.

Sections of one event may be opened at different times (architecture section 6, shelf): what belongs together is put
together here, and a review begins when enough of it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from services.review.domain import Charge, ChargeFacts, ReferralFacts, Review, Screening

_CHARGE_DOOR = "ARREST_DIVERSION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A referral as far as it could be opened for one office: the newest known of each section, and its version.

    `charges` are those routed to the office; `charges_version` is 0 while no charge at all could be opened.
    """

    referral_id: str
    office_id: str
    subject_id: str
    source_agency_id: str
    version: int
    facts: ReferralFacts | None = None
    facts_version: int = 0
    screening: Screening | None = None
    screening_version: int = 0
    charges: tuple[ChargeFacts, ...] = ()
    charges_version: int = 0
    is_withdrawn: bool = False

    @property
    def is_reviewed(self) -> bool:
        """Whether its charges are reviewed: the other doors bring nobody in on a charge (lead-program.md 1)."""
        facts = self.facts
        return facts is not None and (facts.due_time is not None or facts.door == _CHARGE_DOOR)


def merged(known: Opened | None, news: Opened) -> Opened:
    """Return what is known with the news, section by section: an older one never takes the place of a newer (EV-16).

    A withdrawal is news without any section.
    """
    if known is None:
        return news
    newer, older = (known, news) if known.version > news.version else (news, known)
    facts = max(older, newer, key=lambda each: each.facts_version)
    screening = max(older, newer, key=lambda each: each.screening_version)
    return replace(
        newer,
        facts=facts.facts,
        facts_version=facts.facts_version,
        screening=screening.screening,
        screening_version=screening.screening_version,
        charges=_charges(known, news),
        charges_version=max(known.charges_version, news.charges_version),
    )


def _charges(known: Opened, news: Opened) -> tuple[ChargeFacts, ...]:
    # Those of one version come one by one; those of a newer one take the place of all older ones.
    if known.charges_version != news.charges_version:
        return max(known, news, key=lambda each: each.charges_version).charges
    fresh = {charge.id: charge for charge in news.charges}
    return (*(fresh.pop(charge.id, charge) for charge in known.charges), *fresh.values())


def begun(opened: Opened, mint: Callable[[str], str]) -> Review | None:
    """Return the office's new review, with an id from `mint("rev")`; None while there is nothing to review."""
    if opened.facts is None or not opened.is_reviewed or opened.is_withdrawn or not opened.charges:
        return None
    return Review(
        id=mint("rev"),
        office_id=opened.office_id,
        referral_id=opened.referral_id,
        subject_id=opened.subject_id,
        source_agency_id=opened.source_agency_id,
        referral_version=opened.version,
        facts=opened.facts,
        screening=opened.screening,
        charges=tuple(Charge(facts=each) for each in opened.charges),
    )


def followed(review: Review, opened: Opened) -> Review:
    """Return a review after a change of its referral; the same one, version and all, when nothing in it changed.

    An undecided charge follows its source and goes with it. A decided one stays as it was decided.
    """
    sent = {charge.id: charge for charge in opened.charges}
    held = [_followed(charge, sent.pop(charge.id, None)) for charge in review.charges]
    after = replace(
        review,
        referral_version=opened.version,
        facts=opened.facts or review.facts,
        screening=opened.screening or review.screening,
        charges=(*_kept(held), *(Charge(facts=each) for each in sent.values())),
        is_withdrawn=opened.is_withdrawn,
    )
    return _next(review, after)


def left(review: Review, charge_ids: Collection[str]) -> Review:
    """Return the review of an office that a newer version, of which it may know nothing, left these charges of."""
    held = [replace(charge, is_referred=charge.id in charge_ids) for charge in review.charges]
    return _next(review, replace(review, charges=_kept(held)))


def _kept(charges: Iterable[Charge]) -> tuple[Charge, ...]:
    # One without any decision leaves no trace; one that was put off keeps its history and does not count.
    return tuple(charge for charge in charges if charge.is_referred or charge.decision is not None)


def _next(before: Review, after: Review) -> Review:
    return before if after == before else replace(after, version=before.version + 1)


def _followed(charge: Charge, sent: ChargeFacts | None) -> Charge:
    if sent is None:
        return replace(charge, is_referred=False)
    return replace(charge, is_referred=True, facts=charge.facts if charge.is_decided else sent)
