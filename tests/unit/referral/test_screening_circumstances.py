"""Where, when and by whom somebody is referred."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from services.shared.sites.rules import Geography, Hours, Nothing
from tests.unit.referral.screening_builders import SEATTLE, a_site_with, reason_for, screened


@pytest.mark.parametrize(
    ("beat", "result"), [("M1", "ELIGIBLE"), ("K9", "PRESUMPTIVELY_INELIGIBLE"), (None, "NEEDS_INFO")]
)
def test_the_incident_lies_in_the_catchment_area(beat: str | None, result: str) -> None:
    assert screened(a_site_with("geography", Geography(beats=("M1", "M2"))), beat=beat).result == result


@pytest.mark.parametrize(
    ("when", "result"),
    [
        # Monday 2 March 2026 in Santa Fe, seven hours behind.
        (datetime(2026, 3, 2, 17, 0, tzinfo=UTC), "ELIGIBLE"),
        (datetime(2026, 3, 2, 16, 59, tzinfo=UTC), "PRESUMPTIVELY_INELIGIBLE"),
        (datetime(2026, 3, 3, 3, 0, tzinfo=UTC), "PRESUMPTIVELY_INELIGIBLE"),
        # A Sunday.
        (datetime(2026, 3, 1, 18, 0, tzinfo=UTC), "PRESUMPTIVELY_INELIGIBLE"),
        # A Monday after the clocks went forward: ten o'clock comes an hour earlier.
        (datetime(2026, 3, 9, 16, 0, tzinfo=UTC), "ELIGIBLE"),
    ],
)
def test_hours_are_local(when: datetime, result: str) -> None:
    hours = Hours(days=("MON", "TUE", "WED", "THU", "FRI"), opens=time(10), closes=time(20))
    assert screened(a_site_with("hours_of_operation", hours), incident_time=when).result == result


def test_hours_are_told_in_the_reason() -> None:
    hours = Hours(days=("MON", "FRI"), opens=time(10), closes=time(20))
    screening = screened(a_site_with("hours_of_operation", hours), incident_time=datetime(2026, 3, 1, 18, tzinfo=UTC))
    reason = reason_for(screening, "tried")
    assert (reason.input, reason.limit) == ("SUN 11:00", "MON FRI from 10:00 to 20:00")


@pytest.mark.parametrize(
    ("role", "effects"),
    [
        ("police_officer", set()),
        ("program_manager", {"PRESUMPTIVELY_INELIGIBLE"}),
        (None, {"NEEDS_INFO"}),
    ],
)
def test_a_door_admits_some_roles_only(role: str | None, effects: set[str]) -> None:
    screening = screened(a_site_with("referrer_type_allowed", Nothing()), referrer_role=role)
    assert {reason.effect for reason in screening.reasons} == effects


def test_the_community_door_of_seattle_admits_the_programme_and_asks_no_history() -> None:
    screening = screened(SEATTLE, door="COMMUNITY", referrer_role="program_manager", charges=(), attestations={})
    assert [reason.rule for reason in screening.reasons] == ["order_protecting_participant"]
    assert not screening.restricted_reasons
