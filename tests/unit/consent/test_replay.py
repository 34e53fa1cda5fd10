"""Whatever was decided comes out the same again from what was written down of it (Hypothesis)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consent.decide import Asker, Decision, Record, decide
from services.consent.decisions import DecisionLog
from services.consent.held import Held
from services.consent.history import past_from_row
from services.consent.policy.compile import Policy
from services.consent.replay import Past, at_version, replayed, under
from services.shared.db import Database
from services.shared.ids import Ids
from services.shared.sharing.need import BITS
from tests.support.clock import NOON
from tests.unit.consent.builders import (
    JAIL,
    SUBJECT,
    a_consent,
    a_qsoa,
    a_registry,
    a_revocation,
    about,
    an_agreement,
    an_approval,
    an_asker,
)
from tests.unit.consent.policy_asking import the_policy
from tests.unit.consent.test_decide_laws import helds, questions

REGISTRY = a_registry(an_agreement(), an_approval(), a_qsoa("recovery"))
_JSON = ("asker", "record", "facts", "consents", "inputs", "rulings")


def made(asker: Asker, source: str, record: str, held: Held) -> Decision:
    return decide(the_policy(), REGISTRY, asker, Record(held.subject_id, source, record), held, NOON)


def written(asker: Asker, source: str, record: str, held: Held, version: str = "") -> dict[str, Any]:
    """The row of a decision, as the log writes it and the database gives it back."""
    log = DecisionLog(cast(Database, None), Ids(), version or the_policy().version)
    decision = made(asker, source, record, held)
    log.note(asker, Record(held.subject_id, source, record), held, decision, "req_sample", NOON)
    row = log._queue.get()
    assert row is not None
    return {name: json.loads(json.dumps(value)) if name in _JSON else value for name, value in row.items()}


def stored(asker: Asker, source: str, record: str, held: Held) -> Past:
    return past_from_row(written(asker, source, record, held))


@given(questions(), helds())
def test_every_decision_is_equal_to_itself(question: tuple[Asker, str, str], held: Held) -> None:
    past = stored(*question, held)
    found = replayed(past, the_policy(), {one.consent_id: one for one in held.consents})
    assert (found.outcome, found.why) == ("EQUAL", ())
    assert past.visible == made(*question, held).visible
    assert under(past, the_policy()) == (0, 0)


@given(questions(), helds(), st.sampled_from(sorted(BITS)))
def test_an_answer_that_shows_another_category_is_never_equal(
    question: tuple[Asker, str, str], held: Held, word: str
) -> None:
    past = stored(*question, held)
    changed = replace(past, visible=past.visible ^ BITS[word])
    found = replayed(changed, the_policy(), {one.consent_id: one for one in held.consents})
    assert found.outcome == "UNEQUAL"
    assert any(word in why for why in found.why)


def test_what_is_taken_back_later_changes_nothing_of_what_was_decided() -> None:
    asker, taken = an_asker("prosecutor", "DIVERSION_COORD"), a_consent()
    past = stored(asker, "outreach", "", about(taken))
    later = taken.revoked(a_revocation(at=NOON + timedelta(hours=1)))
    assert replayed(past, the_policy(), {"con_1": later}).outcome == "EQUAL"
    assert at_version(later, 1) == taken
    assert at_version(later, 2) == later
    # One that had been taken back by then would have given nothing.
    denied = stored(asker, "outreach", "", about(later))
    assert not denied.visible & BITS["PROGRAM_STATUS"]
    assert replayed(denied, the_policy(), {"con_1": later}).outcome == "EQUAL"
    assert replayed(past, the_policy(), {"con_1": replace(later, revocations=())}).outcome == "EQUAL"


def test_an_approval_and_matching_come_out_equal() -> None:
    for asker in (an_asker("evaluator", "HRESCH"), Asker("linker", "", "HOPERAT")):
        past = stored(asker, JAIL.agency_id, "jev_1", Held(SUBJECT))
        found = replayed(past, the_policy(), {})
        assert found.outcome == "EQUAL"
        assert {one.row for one in found.grounds} & {36, 41}


def test_another_policy_is_asked_with_the_same_inputs() -> None:
    past = stored(an_asker("prosecutor", "DIVERSION_COORD"), "outreach", "", about(a_consent()))
    closed = Policy(
        the_policy().text.replace('resource == Category::"PROGRAM_STATUS")', 'resource == Category::"HOUSING")', 1),
        the_policy().schema_text,
    )
    assert under(past, closed) == (0, BITS["PROGRAM_STATUS"])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("inputs", None),
        ("inputs", {"routing_keys": 3}),
        ("inputs", {}),
        ("inputs", {"granted": 5}),
        ("inputs", "text"),
        ("facts", ["a fact that nobody knows"]),
        ("rulings", [{"row": 1}]),
        ("rulings", None),
        ("asker", {}),
    ],
)
def test_what_cannot_be_read_cannot_be_replayed_and_says_why(column: str, value: object) -> None:
    row = {**written(an_asker("police", "DIVERSION_COORD"), "police", "", about()), column: value}
    found = replayed(past_from_row(row), the_policy(), {})
    assert found.outcome == "NOT_REPLAYABLE"
    assert all(found.why)
    assert under(past_from_row(row), the_policy()) is None


def test_a_decision_of_a_version_that_is_not_stored_cannot_be_replayed() -> None:
    row = written(an_asker("police", "DIVERSION_COORD"), "police", "", about(), version="older")
    assert replayed(past_from_row(row), None, {}).outcome == "NOT_REPLAYABLE"
    assert replayed(past_from_row(row), the_policy(), {}).outcome == "NOT_REPLAYABLE"
