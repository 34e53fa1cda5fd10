"""Records of the person index, and pictures of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from services.casework.index import people, rules
from services.casework.index.offices import Offices
from services.casework.index.people import JUSTICE_EVENT, REFERRAL, Match, Record
from services.casework.index.picture import Picture
from services.casework.index.tokens import Named, Tokens
from tests.support.clock import NOON
from tests.unit.casework.builders import POLICE
from tests.unit.casework.registry import JAIL, a_registry

TOKENS = Tokens(b"k" * 32)
TESTA = Named("Testa", "Sample", "1990-05-01")
OFFICES = Offices(a_registry().agencies)


def a_record(record_id: str, named: Named = TESTA, numbers: Iterable[str] = (), **changes: Any) -> Record:
    """Return a referral for `ref_…`, else a justice event; `numbers` are the jail's."""
    is_referral = record_id.startswith("ref_")
    defaults: dict[str, Any] = {
        "kind": REFERRAL if is_referral else JUSTICE_EVENT,
        "subject_id": f"sub_of_{record_id}",
        "agency_id": POLICE if is_referral else JAIL,
        "version": 1,
        "heard_at": NOON,
        "marks": TOKENS.marks(named, [(JAIL, number) for number in numbers]),
    }
    return Record(id=record_id, **(defaults | changes))


def a_match(one: Record, other: Record, state: str = "OPEN", **changes: Any) -> Match:
    """Return the question about two records, or an answer."""
    rule = rules.best(one.marks, other.marks)
    assert rule is not None
    match = people.asked(one, other, rule, f"mat_{one.id}_{other.id}")
    if state != "OPEN":
        match = people.decided(match, "confirm" if state == "CONFIRMED" else "reject", "office-manager", NOON)
    return replace(match, **changes)


def a_picture(person: Iterable[Record], beside: Iterable[Record] = (), **changes: Any) -> Picture:
    """Return the picture of one person."""
    own = {each.id: each for each in person}
    first: dict[str, str] = {}
    for each in sorted((*own.values(), *beside), key=lambda each: each.id):
        first.setdefault(each.study_id, each.id)
    return Picture(person=own, beside={each.id: each for each in beside}, **({"first_with": first} | changes))
