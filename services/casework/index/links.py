"""Which study ids a person's records are linked to, why, and how surely. No IO."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from services.casework.index import people, rules
from services.casework.index.people import Record
from services.casework.index.picture import Picture


@dataclass(frozen=True, slots=True)
class Link:
    """Why a record is linked: the rule's word, "" for the record that the study begins with; its score; confirmed."""

    rule: str
    score: float
    confirmed: bool


Key = tuple[str, str]
"""Study id and evaluation entry, "" for none."""
Links = Mapping[Key, Link]
_ITSELF = Link("", 1.0, confirmed=False)

Near = Callable[[Record, Record], bool]
"""Whether a programme office may judge both records."""


def study_of(picture: Picture, fresh: Callable[[], str]) -> str:
    """Return the study id of a person who is counted, a fresh one where he has none; "" for others.

    Where two persons turn out to be one, the older record's stays; where one turns out to be two, it stays with the
    older record.
    """
    anchors = picture.anchors
    for record in anchors:
        if record.study_id and picture.first_with.get(record.study_id) in picture.person:
            return record.study_id
    return fresh() if anchors else ""


def links_of(picture: Picture, record: Record, study_id: str, near: Near) -> Links:
    """Return what one record of the person is linked to: him, and as a candidate whoever shares a name with it."""
    found: dict[Key, Link] = {}
    for study, link in _candidates(picture, record, near):
        if study != study_id and found.get((study, ""), link).score <= link.score:
            found[study, ""] = link
    if study_id:
        own = _why(picture, record)
        found |= dict.fromkeys([(study_id, entry) for entry in record.entries or ("",)], own)
    return found


def _candidates(picture: Picture, record: Record, near: Near) -> Iterator[tuple[str, Link]]:
    # Two referrals wait for a person's answer: the same one counted twice would be worse than apart.
    if record.is_referral:
        return
    for other in picture.beside.values():
        rule = rules.best(record.marks, other.marks)
        if rule is None or rule.alone or not other.is_anchor or not other.study_id or not near(record, other):
            continue
        if not people.is_settled(people.asked(record, other, rule, ""), picture.matches):
            yield other.study_id, Link(rule.word, rule.score, confirmed=False)


def _why(picture: Picture, record: Record) -> Link:
    if record.is_anchor:
        return _ITSELF
    confirmed = sorted((match for match, _ in picture.confirmed(record)), key=lambda each: (-each.score, each.id))
    if confirmed:
        return Link(confirmed[0].rule, confirmed[0].score, confirmed=True)
    local = rules.RULES[0]
    return Link(local.word, local.score, confirmed=False)


def changes(before: Links, after: Links) -> Iterator[tuple[Key, Link, bool]]:
    """Yield what has to be said so that `after` stands: each link and whether it is withdrawn.

    Withdrawn ones come first and the surest last, so that the last word about a record is the best one.
    """
    for key in sorted(before.keys() - after.keys()):
        yield key, before[key], True
    news = [key for key in after if before.get(key) != after[key]]
    for key in sorted(news, key=lambda each: (after[each].confirmed, after[each].score, each)):
        yield key, after[key], False
