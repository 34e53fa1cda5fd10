"""Records as matching sees them, and the question put to a person about two of them. No IO."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.casework.domain import etag_of
from services.casework.index import rules
from services.casework.index.rules import Rule
from services.casework.index.tokens import Marks, Named
from services.shared.errors import failed_precondition

REFERRAL, JUSTICE_EVENT = "REFERRAL", "JUSTICE_EVENT"
SAME_PERSON, COUNTING = "SAME_PERSON", "COUNTING"

# Move -> states from which it is legal -> state afterwards. Names are gone with the decision: it is not taken back.
MATCH_MOVES: Mapping[str, Mapping[str, str]] = {"confirm": {"OPEN": "CONFIRMED"}, "reject": {"OPEN": "REJECTED"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A referral or a justice event. `study_id` is its person's, where it is one that is counted."""

    id: str
    kind: str
    subject_id: str
    agency_id: str
    version: int
    heard_at: datetime
    marks: Marks = field(default_factory=Marks)
    # Evaluation entries that were registered by this justice event.
    entries: tuple[str, ...] = ()
    study_id: str = ""
    # How often a link of it was published: the version of the last one.
    said: int = 0

    @property
    def is_referral(self) -> bool:
        """Tell a referral from a justice event."""
        return self.kind == REFERRAL

    @property
    def is_anchor(self) -> bool:
        """Tell whether its person is counted: referred, or registered as a comparison."""
        return self.is_referral or bool(self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Two records that may be of one person. Names are there only while it is open, and only those that were heard."""

    id: str
    known_id: str
    found_id: str
    known_subject_id: str
    found_subject_id: str
    known_agency_id: str
    found_agency_id: str
    use: str
    rule: str
    created_at: datetime
    # Empty until it is put to somebody.
    site_id: str = ""
    state: str = "OPEN"
    known: Named | None = None
    found: Named | None = None
    decided_at: datetime | None = None
    decided_by: str = ""
    version: int = 1

    @property
    def pair(self) -> tuple[str, str]:
        """The two records."""
        return self.known_id, self.found_id

    @property
    def score(self) -> float:
        """The score of its rule."""
        return rules.score_of(self.rule)

    @property
    def etag(self) -> str:
        """The token of this version."""
        return etag_of(self.id, self.version)

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still has to decide."""
        return self.state == "OPEN"


def pair_of(one: Record, other: Record) -> tuple[Record, Record]:
    """Return the known and the found one: a referral before a justice event, then the older one."""
    known, found = sorted((one, other), key=lambda each: (not each.is_referral, each.id))
    return known, found


def question(one: Record, other: Record) -> Rule | None:
    """Return the rule that makes two records a question for a person, None where there is nothing to ask.

    Strangers, and two justice events of nobody who is counted, are no question; nor is what a rule decides by itself,
    unless two referrals would be of one person.
    """
    if not (one.is_anchor or other.is_anchor):
        return None
    rule = rules.best(one.marks, other.marks)
    if rule is not None and rule.alone and not (one.is_referral and other.is_referral):
        return None
    return rule


def asked(one: Record, other: Record, rule: Rule, match_id: str) -> Match:
    """Return the question about two records."""
    known, found = pair_of(one, other)
    return Match(
        id=match_id,
        known_id=known.id,
        found_id=found.id,
        known_subject_id=known.subject_id,
        found_subject_id=found.subject_id,
        known_agency_id=known.agency_id,
        found_agency_id=found.agency_id,
        use=SAME_PERSON if found.is_referral else COUNTING,
        rule=rule.word,
        created_at=max(known.heard_at, found.heard_at),
    )


def decided(match: Match, move: str, account_id: str, now: datetime) -> Match:
    """Confirm or reject. Raises FAILED_PRECONDITION when it was decided before."""
    legal = MATCH_MOVES[move]
    if match.state not in legal:
        raise failed_precondition("ILLEGAL_MOVE", f"The match is {match.state}; what may follow is: nothing.")
    return replace(
        match,
        state=legal[match.state],
        known=None,
        found=None,
        decided_at=now,
        decided_by=account_id,
        version=match.version + 1,
    )


def is_settled(match: Match, known: Iterable[Match]) -> bool:
    """Tell whether a person has already answered: yes for good, no to this rule and any weaker one."""
    answers = [each for each in known if each.pair == match.pair]
    return any(
        each.state == "CONFIRMED" or (each.state == "REJECTED" and each.score >= match.score) for each in answers
    )
