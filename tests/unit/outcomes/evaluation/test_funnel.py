from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.outcomes.evaluation import funnel, to_public_funnel
from services.outcomes.evaluation.funnel_counts import REFERRALS
from services.outcomes.evaluation.funnel_report import STEPS, Funnel, Steps
from services.outcomes.evaluation.request import InputError
from tests.unit.outcomes.evaluation.builders import Row, a_frame, at

JANUARY, FEBRUARY = at("2024-01-31 12:00"), at("2024-02-01 12:00")


def a_referral(**changed: Any) -> Row:
    row: Row = {
        "door": "ARREST_DIVERSION",
        "referred_at": JANUARY,
        "eligible": True,
        "offered": True,
        "approved": False,
    }
    return row | {"intake_clock_days": 30} | changed


def counted(rows: list[Row], zone: str = "UTC") -> Funnel:
    return funnel(a_frame(rows, REFERRALS), zone)


def of(found: Funnel, month: str | None, door: str = "ARREST_DIVERSION") -> Steps:
    (steps,) = (each for each in found.steps if each.door == door and each.month == month)
    return steps


def arrival(minutes: float) -> Row:
    return {"called_at": JANUARY, "handed_off_at": JANUARY + timedelta(minutes=minutes)}


TEN = [
    a_referral(**arrival(30), intake_time=JANUARY + timedelta(days=30)),  # both to the last instant
    a_referral(**arrival(30.02), intake_time=JANUARY + timedelta(days=30, seconds=1)),  # both a second late
    a_referral(handed_off_at=JANUARY),  # nobody noted the call
    a_referral(called_at=JANUARY),  # nobody came
    a_referral(eligible=False, offered=False, declined=True, decline_reason="not amenable"),
    a_referral(eligible=False, offered=False, declined=True),
    a_referral(referred_at=FEBRUARY, approved=True, intake_time=FEBRUARY + timedelta(days=1)),
    a_referral(referred_at=FEBRUARY, approved=True, intake_time=FEBRUARY, intake_clock_days=None),  # no clock
    a_referral(referred_at=FEBRUARY, offered=False),
    a_referral(door="SOCIAL_CONTACT"),
]


def test_ten_referrals_are_counted_by_door_month_and_step() -> None:
    found = counted(TEN)
    assert [(each.door, each.month) for each in found.steps] == [
        ("ARREST_DIVERSION", None), ("ARREST_DIVERSION", "2024-01"), ("ARREST_DIVERSION", "2024-02"),
        ("SOCIAL_CONTACT", None), ("SOCIAL_CONTACT", "2024-01"),
    ]  # fmt: skip
    january, february, both = (of(found, each) for each in ("2024-01", "2024-02", None))
    assert {step: january.count(step) for step in ("referred", *STEPS)} == {
        "referred": 6, "eligible": 4, "offered": 4, "approved": 0, "handed_off": 3, "timed": 2, "within_30_minutes": 1,
        "intake": 2, "intake_in_clock": 1,
    }  # fmt: skip
    assert (february.referred, february.intake, february.intake_in_clock) == (3, 2, 1)
    for step in ("referred", *STEPS):
        assert both.count(step) == january.count(step) + february.count(step)  # type: ignore[operator]
    assert january.share("within_30_minutes") == 0.5
    assert february.share("within_30_minutes") is None
    assert [(each.reason, each.count) for each in found.declined] == [("UNKNOWN", 1), ("not amenable", 1)]


def test_months_are_those_of_the_sites_clock() -> None:
    # 2024-02-01 06:00 UTC is still January in Seattle.
    rows = [a_referral(referred_at=at("2024-02-01 06:00"))]
    assert [each.month for each in counted(rows, "America/Los_Angeles").steps] == [None, "2024-01"]
    assert [each.month for each in counted(rows).steps] == [None, "2024-02"]


def test_a_frame_that_is_not_as_documented_is_refused() -> None:
    with pytest.raises(InputError, match="referrals lacks door"):
        funnel(a_frame(TEN, REFERRALS).drop("door"))


def test_small_months_and_their_complements_are_hidden_and_the_whole_is_not_taken_apart() -> None:
    # January 100, of them 60 eligible; February 5: with the sum of both and January the five would be told.
    rows = [a_referral(eligible=n < 60, offered=False) for n in range(100)]
    rows += [a_referral(referred_at=FEBRUARY, offered=False) for _ in range(5)]
    found = to_public_funnel(counted(rows))
    assert found.public
    january, february, both = (of(found, each) for each in ("2024-01", "2024-02", None))
    assert (january.referred, february.referred, both.referred) == (None, None, 105)
    # 65 and 40 not: what is left of the months is hidden.
    assert (january.eligible, february.eligible, both.eligible) == (None, None, 65)
    assert both.share("eligible") == pytest.approx(65 / 105)
    with pytest.raises(ValueError, match="public already"):
        to_public_funnel(found)


def test_reasons_for_few_are_hidden_with_another() -> None:
    reasons = {"open warrant": 30, "not amenable": 20, "moved": 4}
    rows = [a_referral(declined=True, decline_reason=each) for each, n in reasons.items() for _ in range(n)]
    rows += [a_referral() for _ in range(40)]
    found = {each.reason: each.count for each in to_public_funnel(counted(rows)).declined}
    # The rest, 40, is not shown: nothing gives the four away.
    assert found == {"moved": None, "not amenable": 20, "open warrant": 30}
    alone = {each.reason: each.count for each in to_public_funnel(counted(rows[:54])).declined}
    # Everybody was declined: nobody is left over, and that would tell.
    assert alone["moved"] is None
    assert sum(each is None for each in alone.values()) >= 1


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=5))
def test_no_month_can_be_had_from_the_others(months: list[tuple[int, int]]) -> None:
    rows = [
        a_referral(referred_at=at(f"2024-{number + 1:02}-15"), eligible=n < eligible, offered=False)
        for number, (eligible, others) in enumerate(months)
        for n in range(eligible + others)
    ]
    exact, found = counted(rows), to_public_funnel(counted(rows))
    for step in ("referred", "eligible"):
        shown = [
            (one.count(step), each.count(step))
            for one, each in zip(exact.steps, found.steps, strict=True)
            if each.month
        ]
        assert all(value is None or value >= 10 for _, value in shown)
        gone = [value for value, public in shown if public is None]
        if (
            found.steps
            and found.steps[0].count(step) is not None
            and any(value < 11 for value in gone if value is not None)
        ):
            assert len(gone) >= 2
            assert sum(value or 0 for value in gone) >= 11
