"""Records, questions and answers."""

from __future__ import annotations

import pytest

from services.casework.index import people
from services.casework.index.tokens import Named
from services.shared.errors import LeadError
from tests.support.clock import NOON
from tests.unit.casework.people import TESTA, a_match, a_record

BESTA = Named("Besta", "Sample", "1971-01-01")


def test_a_referral_is_known_before_an_event_and_the_older_before_the_newer() -> None:
    first, second, event = a_record("ref_1"), a_record("ref_2"), a_record("jev_0")
    assert people.pair_of(second, first) == people.pair_of(first, second) == (first, second)
    assert people.pair_of(event, second) == (second, event)
    entry, older = a_record("jev_2", entries=("eve_1",)), a_record("jev_1")
    assert people.pair_of(entry, older) == (older, entry)


def test_two_events_of_nobody_who_counts_are_no_question() -> None:
    assert people.question(a_record("jev_1"), a_record("jev_2")) is None
    assert people.question(a_record("jev_1", entries=("eve_1",)), a_record("jev_2")) is not None


def test_a_number_is_a_question_only_between_referrals() -> None:
    numbered = a_record("ref_1", numbers=["1"])
    assert people.question(numbered, a_record("jev_1", numbers=["1"])) is None
    rule = people.question(numbered, a_record("ref_2", BESTA, numbers=["1"]))
    assert rule is not None
    assert rule.alone


def test_a_question_is_as_old_as_the_later_of_both() -> None:
    later = a_record("jev_1", heard_at=NOON.replace(hour=15))
    assert a_match(a_record("ref_1"), later).created_at == later.heard_at


@pytest.mark.parametrize(("state", "settled"), [("OPEN", False), ("CONFIRMED", True), ("REJECTED", True)])
def test_an_answer_settles_its_question(state: str, settled: bool) -> None:
    one, other = a_record("ref_1"), a_record("jev_1")
    assert people.is_settled(a_match(one, other), [a_match(one, other, state)]) is settled


def test_a_no_settles_weaker_rules_and_no_stronger_one() -> None:
    one, other = a_record("ref_1"), a_record("ref_2")
    weak = a_match(one, other, rule="NAME_AND_BIRTH_YEAR")
    strong = a_match(one, other, rule="LOCAL_ID")
    rejected = a_match(one, other, "REJECTED")
    assert people.is_settled(weak, [rejected])
    assert not people.is_settled(strong, [rejected])


def test_a_decision_forgets_the_names_and_is_final() -> None:
    match = a_match(a_record("ref_1"), a_record("jev_1"), known=TESTA, found=TESTA)
    for move in people.MATCH_MOVES:
        answered = people.decided(match, move, "office-manager", NOON)
        assert (answered.known, answered.found) == (None, None)
        assert answered.etag != match.etag
        for again in people.MATCH_MOVES:
            with pytest.raises(LeadError) as refused:
                people.decided(answered, again, "office-manager", NOON)
            assert refused.value.reason == "ILLEGAL_MOVE"
