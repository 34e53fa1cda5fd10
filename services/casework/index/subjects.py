"""Which subjects follow from which: those that a person's answer links to a participant, and those that a rule does.

A rule's link withholds (a safety flag covers the subject) and never opens: it names no account. No IO.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lead.consent.v1.consent_internal_service_pb2 import LinkSubjectsRequest

from services.casework.index.people import Match, Record
from services.casework.index.picture import Holding, Picture


@dataclass(frozen=True, slots=True)
class Joined:
    """A subject that an answer links to a participant."""

    holding: Holding
    account_id: str

    def statement(self) -> LinkSubjectsRequest:
        """Return what consent is told."""
        return LinkSubjectsRequest(
            participant_id=self.holding.participant_id,
            subject_ids=[self.holding.subject_id],
            confirmed_by=self.account_id,
        )


def joined(picture: Picture) -> list[Joined]:
    """Return the subjects that confirmed matches link: those of nobody yet, to every participant of their group."""
    return [each for group in picture.surely() for each in _joined(picture, group)]


def by_rule(picture: Picture, done: Collection[str]) -> list[tuple[str, str]]:
    """Return the subjects that a rule links, each with its participant; `done` are linked already."""
    held = {each.subject_id: each for each in reversed(picture.holdings)}
    found = []
    for group in picture.by_rule():
        participants = sorted(held[each.subject_id].participant_id for each in group if each.subject_id in held)
        if participants:
            free = [each.subject_id for each in group if each.subject_id not in held]
            found += [(subject, participants[0]) for subject in free if subject not in done]
    return found


def rule_statement(subject_id: str, participant_id: str) -> LinkSubjectsRequest:
    """Return what consent is told of a link that nobody has confirmed."""
    return LinkSubjectsRequest(participant_id=participant_id, subject_ids=[subject_id])


def _joined(picture: Picture, group: list[Record]) -> Iterator[Joined]:
    subjects = {each.subject_id for each in group}
    held = [each for each in picture.holdings if each.subject_id in subjects]
    people = {each.agency_id: each.participant_id for each in reversed(held)}
    taken = {one.subject_id for one in held}
    for record in (each for each in group if people and each.subject_id not in taken):
        match = _answer(picture, record)
        for agency_id, participant_id in sorted(people.items()):
            holding = Holding(
                subject_id=record.subject_id, agency_id=agency_id, participant_id=participant_id, match_id=match.id
            )
            yield Joined(holding, match.decided_by)


def _answer(picture: Picture, record: Record) -> Match:
    # Beside others whom somebody holds, a record that nobody holds is there by an answer.
    return min((match for match, other in picture.confirmed(record) if other.is_referral), key=lambda each: each.id)
