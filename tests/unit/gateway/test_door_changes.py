"""What changes in the middle of a call: sessions that die, releases taken back, accounts disabled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lead.audit.v1 import audit_pb2
from lead.referral.v1 import referral_service_pb2 as pb

from services.shared.errors import Code, not_found, unavailable
from tests.unit.gateway.exchange import (
    GET,
    OTHER_SUBJECT,
    REFERRED,
    SUBJECT,
    Exchange,
    a_referral,
    an_exchange,
    bits,
    disabled,
    run,
    seen_of,
)


@pytest.fixture
def a_door(tmp_path: Path) -> Callable[[], Exchange]:
    return lambda: an_exchange(tmp_path)


# The session.


def test_without_a_live_session_nothing_leaves(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    exchange.clock.advance(5)
    assert run(exchange.refused("GetReferral", GET)).code is Code.UNAVAILABLE
    exchange.consent.renew()
    assert run(exchange.ask("GetReferral", GET)).referral.id == "ref_1"


@pytest.mark.parametrize(
    "answer", [pb.GetReferralResponse(referral=a_referral()), not_found()], ids=["there", "absent"]
)
def test_without_a_live_session_absent_and_there_are_refused_alike(a_door: Callable[[], Exchange], answer: Any) -> None:
    exchange = a_door()
    exchange.area.answers["GetReferral"] = answer
    exchange.clock.advance(5)
    assert str(run(exchange.refused("GetReferral", GET))) == str(
        unavailable("The decision cannot be asked for now; try again.")
    )


def test_a_session_that_dies_while_the_ledger_writes_stops_the_answer(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()

    async def dies() -> None:
        exchange.clock.advance(5)

    exchange.ledger.meanwhile = dies
    assert run(exchange.refused("GetReferral", GET)).code is Code.UNAVAILABLE


def test_without_consent_nothing_leaves(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    exchange.consent.is_away = True
    assert run(exchange.refused("GetReferral", GET)).code is Code.UNAVAILABLE


def test_a_kept_decision_serves_while_consent_is_away_and_the_session_lives(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    run(exchange.ask("GetReferral", GET))
    exchange.consent.is_away = True
    assert run(exchange.ask("GetReferral", GET, request_id="req_2")).referral.id == "ref_1"
    assert len(exchange.consent.asked) == 1


# Changes in the middle of a call.


def while_recording(exchange: Exchange, *steps: Callable[[], None]) -> None:
    """Do one step each time the ledger has written, before the door hears of it."""
    left = list(steps)

    async def meanwhile() -> None:
        if left:
            left.pop(0)()

    exchange.ledger.meanwhile = meanwhile


def test_a_revocation_between_decision_and_answer_withholds_the_answer(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()

    def revoked() -> None:
        exchange.consent.rule = lambda _, __: 0
        exchange.consent.change(SUBJECT)

    while_recording(exchange, revoked)
    assert run(exchange.refused("GetReferral", GET)).code is Code.NOT_FOUND
    assert len(exchange.consent.asked) == 2


def test_a_narrower_decision_between_decision_and_answer_narrows_the_answer(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()

    def narrowed() -> None:
        exchange.consent.rule = lambda _, __: bits("REFERRAL")
        exchange.consent.change(SUBJECT)

    while_recording(exchange, narrowed)
    answer = run(exchange.ask("GetReferral", GET))
    assert answer.referral.id == "ref_1"
    assert not answer.referral.HasField("person")


def test_what_left_after_a_change_is_on_the_ledger_whole(a_door: Callable[[], Exchange]) -> None:
    """A grant in the middle of a call shows more than was recorded before it."""
    exchange = a_door()
    exchange.consent.rule = lambda _, __: bits("REFERRAL")

    def granted() -> None:
        exchange.consent.rule = lambda _, __: REFERRED
        exchange.consent.ruling.consent_id = "con_1"
        exchange.consent.change(SUBJECT)

    while_recording(exchange, granted)
    answer = run(exchange.ask("GetReferral", GET))
    assert answer.referral.person.given_name == "Testa"
    disclosed = [entry for entry in exchange.ledger.all() if entry.kind == audit_pb2.ENTRY_KIND_DISCLOSURE]
    assert any(seen_of(entry) == bits("REFERRAL", "IDENTITY") for entry in disclosed)
    assert any(basis.consent_id == "con_1" for entry in disclosed for basis in entry.bases)


def test_a_call_that_goes_round_for_nothing_new_is_one_entry(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    while_recording(exchange, lambda: exchange.consent.change(SUBJECT))
    run(exchange.ask("GetReferral", GET))
    assert exchange.ledger.appends == 2
    assert len(exchange.ledger.all()) == 1


def test_a_change_about_somebody_else_does_not_hold_an_answer_up(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    while_recording(exchange, lambda: exchange.consent.change(OTHER_SUBJECT))
    run(exchange.ask("GetReferral", GET))
    assert exchange.ledger.appends == 1


def test_a_decision_that_ends_while_the_ledger_writes_is_asked_again(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    exchange.consent.seconds = 2

    def later() -> None:
        exchange.clock.advance(2)
        exchange.consent.rule = lambda _, __: 0

    while_recording(exchange, later)
    assert run(exchange.refused("GetReferral", GET)).code is Code.NOT_FOUND


def test_what_keeps_changing_is_refused_and_not_answered(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    while_recording(exchange, *[lambda: exchange.consent.change(SUBJECT)] * 50)
    assert run(exchange.refused("GetReferral", GET)).code is Code.UNAVAILABLE
    assert exchange.ledger.appends < 10


def test_an_account_that_is_disabled_while_the_ledger_writes_gets_no_answer(a_door: Callable[[], Exchange]) -> None:
    """CJ-07."""
    exchange = a_door()
    while_recording(exchange, lambda: disabled(exchange, "prosecutor"))
    assert run(exchange.refused("GetReferral", GET)).code is Code.UNAUTHENTICATED


def test_an_account_that_is_disabled_while_the_area_works_gets_no_answer(a_door: Callable[[], Exchange]) -> None:
    """The decision is made after it, and is about the agency: that alone would let the answer go."""
    exchange = a_door()

    async def meanwhile() -> None:
        disabled(exchange, "prosecutor")

    exchange.area.meanwhile = meanwhile
    assert run(exchange.refused("GetReferral", GET)).code is Code.UNAUTHENTICATED
