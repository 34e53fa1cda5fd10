"""One call through the door: nothing leaves that was not decided, recorded, and still true right before it went."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lead.audit.v1 import audit_pb2
from lead.options.v1 import words_pb2
from lead.referral.v1 import referral_pb2
from lead.referral.v1 import referral_service_pb2 as pb

from services.shared.errors import Code, LeadError, Violation, failed_precondition, invalid, not_found, unavailable
from services.shared.sharing.need import NEVER
from tests.unit.gateway.exchange import (
    GET,
    REFERRED,
    SUBJECT,
    Exchange,
    a_referral,
    an_exchange,
    asked_as,
    bits,
    disabled,
    rpc_of,
    run,
    seen_of,
)


@pytest.fixture
def a_door(tmp_path: Path) -> Callable[[], Exchange]:
    return lambda: an_exchange(tmp_path)


def test_an_answer_is_redacted_and_on_the_ledger(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    answer = run(exchange.ask("GetReferral", GET))
    assert answer.referral == referral_pb2.Referral(
        id="ref_1",
        person=referral_pb2.Person(given_name="Testa"),
        confirmation_absent="no confirmation received",
    )
    [entry] = exchange.ledger.all()
    assert (entry.kind, entry.agency_id) == (audit_pb2.ENTRY_KIND_DISCLOSURE, "prosecutor")
    assert (entry.identifying.subject_id, seen_of(entry)) == (SUBJECT, bits("REFERRAL", "IDENTITY"))


def test_no_answer_leaves_before_the_ledger_has_acknowledged_it(a_door: Callable[[], Exchange]) -> None:
    """AU-06."""

    async def scenario() -> None:
        exchange, written, acknowledged = a_door(), asyncio.Event(), asyncio.Event()

        async def waits() -> None:
            written.set()
            await acknowledged.wait()

        exchange.ledger.meanwhile = waits
        call = asyncio.create_task(exchange.ask("GetReferral", GET))
        await written.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        assert not call.done()
        acknowledged.set()
        assert (await call).referral.id == "ref_1"

    run(scenario())


def test_without_the_ledger_nothing_leaves(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    exchange.ledger.is_away = True
    for role in ("prosecutor", "police_officer"):
        assert run(exchange.refused("GetReferral", GET, role=role)).code is Code.UNAVAILABLE


def test_without_the_ledger_what_is_absent_is_refused_like_what_is_there(a_door: Callable[[], Exchange]) -> None:
    """P2-02: otherwise an outage would tell one from the other."""
    there, absent, withheld = a_door(), a_door(), a_door()
    absent.area.answers["GetReferral"] = not_found()
    withheld.consent.rule = lambda _, __: 0
    errors = []
    for exchange in (there, absent, withheld):
        exchange.ledger.is_away = True
        errors.append(str(run(exchange.refused("GetReferral", GET))))
    assert len(set(errors)) == 1


def test_a_write_that_discloses_nothing_needs_no_ledger(a_door: Callable[[], Exchange]) -> None:
    """An outage of the ledger does not stop an RMS: the entry reaches it later."""
    exchange = a_door()
    exchange.ledger.is_away = True
    exchange.area.answers["SubmitReferral"] = pb.SubmitReferralResponse(referral=a_referral())
    answer = run(exchange.ask("SubmitReferral", role="police_officer"))
    assert answer.referral.id == "ref_1"
    [entry] = exchange.spooled.all()
    assert (entry.kind, entry.outcome) == (audit_pb2.ENTRY_KIND_ACCESS, "OK")
    assert not exchange.ledger.entries


def test_a_write_that_discloses_waits_for_the_ledger_all_the_same(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    exchange.ledger.is_away = True
    foreign = a_referral(source="sheriff")
    exchange.area.answers["SubmitReferral"] = pb.SubmitReferralResponse(referral=foreign)
    assert run(exchange.refused("SubmitReferral", role="police_officer")).code is Code.UNAVAILABLE


def test_own_reads_are_recorded_as_access(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    run(exchange.ask("GetReferral", GET, role="police_officer"))
    [entry] = exchange.ledger.all()
    assert (entry.kind, entry.outcome, list(entry.bases)) == (audit_pb2.ENTRY_KIND_ACCESS, "OK", [])
    assert entry.identifying.subject_id == ""


def test_what_is_withheld_is_answered_like_what_is_absent(a_door: Callable[[], Exchange]) -> None:
    """P2-02: the same error, and entries of one shape."""
    absent, withheld = a_door(), a_door()
    absent.area.answers["GetReferral"] = not_found()
    withheld.consent.rule = lambda _, __: bits("IDENTITY", "CHARGE")
    errors = [run(exchange.refused("GetReferral", GET)) for exchange in (absent, withheld)]
    assert str(errors[0]) == str(errors[1]) == str(not_found())
    assert errors[0].violations == errors[1].violations == ()
    [one], [other] = absent.ledger.all(), withheld.ledger.all()
    assert one == other
    assert (one.kind, one.outcome) == (audit_pb2.ENTRY_KIND_ACCESS, "NOT_FOUND")
    assert absent.ledger.appends == withheld.ledger.appends


def test_what_is_absent_is_asked_about_like_what_is_there(a_door: Callable[[], Exchange]) -> None:
    absent, withheld = a_door(), a_door()
    absent.area.answers["GetReferral"] = not_found()
    withheld.consent.rule = lambda _, __: 0
    for exchange in (absent, withheld):
        run(exchange.refused("GetReferral", GET))
        assert sum(len(one.records) for one in exchange.consent.asked) == 2


# Errors.


@pytest.mark.parametrize(
    "error",
    [
        invalid([Violation("charges[0]", "a charge")]),
        failed_precondition("ILLEGAL_MOVE", "Legal: nothing."),
        unavailable("The area does not answer."),
    ],
    ids=lambda error: error.code.value,
)
def test_what_an_area_refuses_is_refused_as_the_area_meant_it_and_recorded(
    a_door: Callable[[], Exchange], error: LeadError
) -> None:
    exchange = a_door()
    exchange.area.answers["GetReferral"] = error
    refused = run(exchange.refused("GetReferral", GET))
    assert (str(refused), refused.violations) == (str(error), error.violations)
    [entry] = [*exchange.ledger.all(), *exchange.spooled.all()]
    assert (entry.kind, entry.outcome) == (audit_pb2.ENTRY_KIND_ACCESS, error.code.value)


def test_who_is_nobody_is_refused_before_anybody_is_asked(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    asked = asked_as()
    for authorization in ("", "Bearer nonsense", asked.authorization[:-10]):
        bad = type(asked)(authorization, "", "", "req_1")
        with pytest.raises(LeadError) as refused:
            run(exchange.door.call(rpc_of("GetReferral"), GET, bad))
        assert refused.value.code is Code.UNAUTHENTICATED
    assert (exchange.area.callers, exchange.consent.asked, exchange.consent.read) == ([], [], 0)


@pytest.mark.parametrize(
    ("method", "purpose", "outcome"),
    [
        ("GetReferral", "WARRANT", "PURPOSE_REFUSED"),
        ("GetReferral", "TREAT", "PURPOSE_NOT_ALLOWED"),
        ("ListHandoffs", "", "ROLE_NOT_ALLOWED"),
    ],
)
def test_a_refused_role_or_purpose_is_on_the_ledger(
    a_door: Callable[[], Exchange], method: str, purpose: str, outcome: str
) -> None:
    exchange = a_door()
    error = run(exchange.refused(method, purpose=purpose))
    assert (error.code, error.reason) == (Code.PERMISSION_DENIED, outcome)
    [entry] = exchange.ledger.all()
    assert (entry.outcome, entry.agency_id, entry.identifying.account_id) == (outcome, "prosecutor", "prosecutor")
    assert exchange.area.callers == []


def test_the_area_is_told_who_calls_for_what(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    run(exchange.ask("GetReferral", GET, purpose="DIVERSION_ELIG"))
    [caller] = exchange.area.callers
    assert (caller.account_id, caller.agency_id, caller.role, caller.purpose) == (
        "prosecutor",
        "prosecutor",
        "prosecutor",
        "DIVERSION_ELIG",
    )
    assert exchange.consent.asked[0].asker.purpose == words_pb2.PURPOSE_DIVERSION_ELIG


def test_the_participant_reads_his_own_file_without_a_disclosure(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    answer = run(exchange.ask("GetReferral", GET, role="par_1"))
    assert answer.referral.id == "ref_1"
    [entry] = exchange.ledger.all()
    assert entry.kind == audit_pb2.ENTRY_KIND_ACCESS
    assert exchange.consent.asked[0].asker.participant_id == "par_1"


def test_an_internal_method_is_not_there(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    internal = rpc_of("GetReferral").containing_service.file.pool.FindServiceByName(
        "lead.consent.v1.ConsentInternalService"
    )
    with pytest.raises(LeadError) as refused:
        run(exchange.door.call(internal.methods[0], GET, asked_as()))
    assert refused.value.code is Code.NOT_FOUND


# What goes with it.


def test_an_answer_that_rests_on_a_release_says_so(a_door: Callable[[], Exchange]) -> None:
    """42 CFR 2.32 (P2-60, P2-62)."""
    exchange = a_door()
    exchange.consent.ruling.consent_id, exchange.consent.ruling.consent_version = "con_1", 3
    answer = run(exchange.ask("GetReferral", GET))
    assert "prohibits unauthorized use or disclosure" in answer.accompaniment.notice
    assert [one.ref for one in answer.accompaniment.consents] == ["con_1"]


def test_an_answer_that_rests_on_none_has_nothing_beside_it(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    planted = pb.GetReferralResponse(referral=a_referral())
    planted.accompaniment.notice = "canary"
    exchange.area.answers["GetReferral"] = planted
    assert not run(exchange.ask("GetReferral", GET)).HasField("accompaniment")


# Streams.


async def _requests(count: int) -> Any:
    for number in range(count):
        yield pb.PushReferralsRequest(record_key=f"evt_{number}")


def with_rms(exchange: Exchange) -> None:
    for account in exchange.consent.registry.accounts:
        if account.account_id == "police_officer":
            account.roles[:] = [words_pb2.ROLE_POLICE_RMS]


async def pushed(exchange: Exchange, count: int) -> list[Any]:
    asked = asked_as("police_officer")
    return [one async for one in exchange.door.stream(rpc_of("PushReferrals"), _requests(count), asked)]


def test_a_stream_is_recorded_once_and_answered_one_by_one(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    with_rms(exchange)
    exchange.area.answers["PushReferrals"] = pb.PushReferralsResponse(record_key="evt", referral_id="ref_1")
    answers = run(pushed(exchange, 3))
    assert [one.referral_id for one in answers] == ["ref_1"] * 3
    assert [one.outcome for one in exchange.spooled.all()] == ["OK"]


def test_a_stream_ends_when_its_account_is_disabled(a_door: Callable[[], Exchange]) -> None:
    exchange = a_door()
    with_rms(exchange)
    exchange.area.answers["PushReferrals"] = pb.PushReferralsResponse(record_key="evt")

    async def scenario() -> int:
        answers = exchange.door.stream(rpc_of("PushReferrals"), _requests(3), asked_as("police_officer"))
        got = 0
        async for _ in answers:
            got += 1
            disabled(exchange, "police_officer")
        return got

    with pytest.raises(LeadError) as refused:
        run(scenario())
    assert refused.value.code is Code.UNAUTHENTICATED
    assert len(exchange.area.asked) == 1


def test_nobody_may_see_what_no_category_names() -> None:
    """The bit of CATEGORY_UNSPECIFIED is in no mask that a decision can give."""
    assert not REFERRED & NEVER
