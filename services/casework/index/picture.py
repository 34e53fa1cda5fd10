"""One person as far as known, and whoever may be him: what is derived from it, and what it is derived from. No IO.

Everything published is a function of this picture, never of the order in which things were heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.casework.index import rules
from services.casework.index.people import Match, Record
from services.casework.index.tokens import LOCAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A subject that is linked to a participant; `match_id` where the answer to a match did it."""

    subject_id: str
    agency_id: str
    participant_id: str
    match_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All records of one person, by id, and beside them those that share a mark with any of them."""

    person: Mapping[str, Record]
    beside: Mapping[str, Record] = field(default_factory=dict)
    # All that any record of the person is a side of.
    matches: Sequence[Match] = ()
    holdings: Sequence[Holding] = ()
    # First record of all that has a study id, by study id.
    first_with: Mapping[str, str] = field(default_factory=dict)

    @property
    def referrals(self) -> list[Record]:
        """The person's referrals, oldest first."""
        return [each for _, each in sorted(self.person.items()) if each.is_referral]

    @property
    def anchors(self) -> list[Record]:
        """The records that make him one who is counted, oldest first."""
        return [each for _, each in sorted(self.person.items()) if each.is_anchor]

    def confirmed(self, record: Record) -> Iterator[tuple[Match, Record]]:
        """Yield the confirmed matches of a record that still hold, each with the record on its other side.

        A correction that leaves nothing in common takes the confirmation's ground away.
        """
        for match in self.matches:
            if match.state != "CONFIRMED" or record.id not in match.pair:
                continue
            other = self.person.get(match.known_id if match.found_id == record.id else match.found_id)
            if other is not None and rules.best(record.marks, other.marks) is not None:
                yield match, other

    def share_participant(self, one: Record, other: Record) -> bool:
        """Tell whether a case manager has linked the subjects of both to one participant."""
        return bool(self._participants(one) & self._participants(other))

    def surely(self) -> list[list[Record]]:
        """Return the referrals in groups that people have said to be of one person, each oldest first."""
        return self._groups(by_rule=False)

    def by_rule(self) -> list[list[Record]]:
        """Return the referrals in groups that a rule or people make one person, each oldest first."""
        return self._groups(by_rule=True)

    def _groups(self, *, by_rule: bool) -> list[list[Record]]:
        left, groups = list(self.referrals), []
        while left:
            group = [left.pop(0)]
            for one in group:
                joined = [each for each in left if self._is_joined(one, each, by_rule=by_rule)]
                group += joined
                left = [each for each in left if each not in joined]
            groups.append(sorted(group, key=lambda each: each.id))
        return groups

    def _is_joined(self, one: Record, other: Record, *, by_rule: bool) -> bool:
        if any(each.id == other.id for _, each in self.confirmed(one)):
            return True
        if self.share_participant(one, other):
            return True
        return by_rule and one.marks.shares(other.marks, LOCAL)

    def _participants(self, record: Record) -> set[str]:
        return {
            each.participant_id for each in self.holdings if each.subject_id == record.subject_id and not each.match_id
        }


def same(records: Iterable[Record], one: str, other: str) -> bool:
    """Tell whether both ids are among these records."""
    ids = {each.id for each in records}
    return one in ids and other in ids
