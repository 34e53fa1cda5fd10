"""From referral to intake: each step counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from lead.casework.v1.casework_events_pb2 import HandoffMeasured
from lead.referral.v1 import referral_pb2

from services.command.outcomes.report import Report, from_json
from services.shared.events.delivery import Delivery
from tests.integration.outcomes.bureau import Bureau, a_feed, a_handoff, a_referral, an_intake, delivered
from tests.integration.outcomes.cohorts import T0, feeds

pytestmark = pytest.mark.slow

_INELIGIBLE = referral_pb2.SCREENING_RESULT_PRESUMPTIVELY_INELIGIBLE
_DECLINED = referral_pb2.OFFER_OUTCOME_DECLINED
_PEOPLE = 120


def _referred() -> Iterator[Delivery[Any]]:
    """Yield 30 who were not eligible, 30 who declined, 30 who came late to intake, 30 who did all in time."""
    for n in range(_PEOPLE):
        name, kind = str(n), n % 4
        nothing: dict[str, Any] = {"offer_time": None, "offer_outcome": None, "approve_time": None}
        if kind == 0:
            state = referral_pb2.REFERRAL_STATE_DECLINED
            yield a_referral(name, T0, screening_result=_INELIGIBLE, state=state, **nothing)
        elif kind == 1:
            submitted = referral_pb2.REFERRAL_STATE_SUBMITTED
            yield a_referral(name, T0, offer_outcome=_DECLINED, approve_time=None, state=submitted)
        else:
            yield a_referral(name, T0)
            yield _handed_off(name, n)
            yield an_intake(name, T0 + timedelta(days=10 if kind == 3 else 45))


def _handed_off(name: str, n: int) -> Delivery[Any]:
    """Return a hand-off within 30 minutes, or of 50, or, of 15 people, of so many minutes as nobody knows."""
    if n % 4 == 3:
        return a_handoff(name, 20)
    if n < _PEOPLE // 2:
        return delivered(HandoffMeasured(target_minutes=30), f"hof_{name}", f"sub_{name}", "sample-outreach")
    return a_handoff(name, 50)


def _report(bureau: Bureau, **asked: Any) -> Report:
    return from_json(MessageToDict(bureau.funnel(**asked)))


def _counts(report: Report, table_id: str = "steps") -> dict[str, float | None]:
    found = next((each for each in report.tables if each.id == table_id), None)
    return {} if found is None else {row[1].text: row[2].number for row in found.rows}


def test_each_step_is_counted(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *_referred())
    assert _counts(_report(bureau)) == {
        "Referred": 120,
        "Eligible": 90,
        "Offered": 90,
        "Approved": 60,
        "Handed off": 60,
        "Minutes known": 45,
        "Within 30 min": 30,
        "Intake": 60,
        "Intake in clock": 30,
    }


def test_those_who_declined_and_those_who_were_declined_stand_apart(bureau: Bureau) -> None:
    bureau.tell(*_referred())
    assert _counts(_report(bureau), "declined") == {"the person": 30, "the programme": 30}


def test_as_of_a_time_only_what_had_happened_counts(bureau: Bureau) -> None:
    bureau.tell(*_referred())
    early, late = (_counts(_report(bureau, as_of_time=T0 + timedelta(days=days))) for days in (5, 50))
    assert (early["Referred"], early["Intake"]) == (120, None)
    assert (late["Referred"], late["Intake"]) == (120, 60)
    assert _counts(_report(bureau, as_of_time=T0 - timedelta(days=1))) == {}


def test_the_month_is_that_of_the_site(bureau: Bureau) -> None:
    # Half past nine on 1 March in UTC is still 1 March in Seattle; two in the morning is not.
    early = [a_referral(str(n), T0 + timedelta(hours=17)) for n in range(20)]
    bureau.tell(a_feed(T0), *early)
    assert set(_counts(_report(bureau), "months")) == {"2024-02"}


def test_the_funnel_is_no_effect(bureau: Bureau) -> None:
    bureau.tell(*_referred())
    assert any("nothing of what the programme changed" in note for note in _report(bureau).notes)
