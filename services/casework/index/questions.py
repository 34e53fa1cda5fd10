"""Which questions stand about a person's records, and to which site they are put. No IO."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from services.casework.index import people
from services.casework.index.offices import Office, Offices
from services.casework.index.people import COUNTING, Match, Record
from services.casework.index.picture import Picture, same


@dataclass(slots=True)
class Questions:
    """What has to be written down: new ones, those that are none any more, and those that are put to an office."""

    added: list[Match] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    put: list[tuple[Match, Office]] = field(default_factory=list)


def questions(picture: Picture, offices: Offices, new_id: Callable[[], str]) -> Questions:
    """Return how the questions that stand differ from those that should."""
    found = Questions()
    standing = {(*each.pair, each.rule): each for each in picture.matches if each.is_open}
    for wanted, office in _wanted(picture, offices):
        match = standing.pop((*wanted.pair, wanted.rule), None)
        if match is None:
            match = replace(wanted, id=new_id())
            found.added.append(match)
        if not match.site_id:
            found.put.append((match, office))
    found.dropped += [each.id for each in standing.values()]
    return found


def _wanted(picture: Picture, offices: Offices) -> Iterator[tuple[Match, Office]]:
    sure = picture.surely()
    for one, other in _pairs(picture):
        rule = people.question(one, other)
        if rule is None:
            continue
        match = people.asked(one, other, rule, "")
        office = offices.shared(match.found_agency_id, match.known_agency_id)
        if office is None or people.is_settled(match, picture.matches) or _is_moot(picture, sure, match):
            continue
        yield match, office


def _pairs(picture: Picture) -> Iterator[tuple[Record, Record]]:
    own = list(picture.person.values())
    for place, one in enumerate(own):
        for other in (*own[place + 1 :], *picture.beside.values()):
            yield one, other


def _is_moot(picture: Picture, sure: list[list[Record]], match: Match) -> bool:
    """Tell whether the answer is known: what is linked already, or what a person has said by other answers."""
    if match.use == COUNTING:
        return same(picture.person.values(), *match.pair)
    return any(same(group, *match.pair) for group in sure)
