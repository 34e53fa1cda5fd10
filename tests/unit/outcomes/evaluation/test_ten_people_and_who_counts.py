"""Ten people by hand: eligibility, two referrals, a comparison person who later enters, the landmark."""

from __future__ import annotations

from datetime import datetime

import pytest

from services.outcomes.evaluation.populations import t0
from tests.unit.outcomes.evaluation.builders import (
    T0,
    Row,
    a_person,
    an_event,
    at,
    inputs,
    only_group,
    reported,
    with_event,
)

LATER = at("2024-04-10 12:00")


def arrested(*names: int | str, on: str = "2024-06-01") -> list[Row]:
    return [an_event(name, "ARREST", on) for name in names]


def test_everyone_eligible_and_offered_counts_whatever_happened_next() -> None:
    people = [
        a_person(1),
        a_person(2, offered=False, approved=True),
        a_person(3, eligible=False, overridden=True),
        a_person(4, eligible=False),  # not eligible
        a_person(5, offered=False),  # neither offered nor approved
        a_person(6, arm="COMPARISON", offered=False),  # nothing is offered to a comparison group
        a_person(7, arm="CONTROL", offered=False, eligible=False),
        a_person(8, intake_time=None),
        a_person(9, intake_time=at("2025-01-01")),
        a_person(10, t0=at("2027-01-01")),  # not known yet
    ]
    given = inputs(people, arrested(*range(1, 11)))
    assert with_event(given, "ARR_ALL") == {"1", "2", "3", "6", "8", "9"}
    assert [(each.arm, each.people) for each in reported(given).groups] == [("LEAD", 5), ("COMPARISON", 1)]


def test_two_referrals_are_one_person_from_the_first_t0() -> None:
    # The second referral's arrest, 2024-04-10, is an event of the first: day 91. Nothing is counted from the second.
    second = a_person(1, t0=LATER, index_incident="SPD/second")
    events = [an_event(1, "ARREST", LATER, incident="SPD/second")]
    for people in ([a_person(1), second], [second, a_person(1)]):
        group = only_group(reported(inputs(people, events)))
        assert group.people == 1
        assert [each.day for each in group.measures[0].by_calendar.curve] == [91]


def test_time_starts_with_the_first_referral_that_meets_eligibility() -> None:
    # The earlier one was not eligible: the arrest between the two is before t0, the index arrest is left out.
    people = [a_person(1, eligible=False), a_person(1, t0=LATER, index_incident="SPD/second")]
    events = [an_event(1, "ARREST", "2024-03-01"), an_event(1, "ARREST", LATER, incident="SPD/second")]
    assert with_event(inputs(people, events), "ARR_ALL") == set()


def test_a_comparison_person_who_later_enters_stays_where_the_first_t0_put_them() -> None:
    # The arrest that led into LEAD is an event of the comparison arm, and the one after it does not count twice.
    people = [
        a_person(1, arm="COMPARISON", offered=False),
        a_person(1, t0=LATER, index_incident="SPD/entry"),
        a_person(2, arm="COMPARISON", offered=False),
        a_person(2, t0=LATER, eligible=False),  # never qualified
        a_person(3),
        a_person(3, t0=LATER, arm="COMPARISON", offered=False),
    ]
    events = [an_event(1, "ARREST", LATER, incident="SPD/entry"), *arrested(1)]
    lead, comparison = reported(inputs(people, events)).groups
    assert (lead.arm, lead.people, lead.crossed) == ("LEAD", 1, 0)
    assert (comparison.people, comparison.crossed, comparison.measures[0].with_event) == (2, 1, 1)
    assert comparison.measures[0].by_calendar.curve[0].day == 91


def test_doors_are_reported_apart() -> None:
    people = [a_person(1), a_person(2, door="SOCIAL_CONTACT"), a_person(3, door="COMMUNITY")]
    report = reported(inputs(people, arrested(2)))
    assert [(each.door, each.measures[0].with_event) for each in report.groups] == [
        ("ARREST_DIVERSION", 0),
        ("SOCIAL_CONTACT", 1),
        ("COMMUNITY", 0),
    ]
    assert [door for door, _ in report.t0_rules] == ["ARREST_DIVERSION", "SOCIAL_CONTACT", "COMMUNITY"]


IN_TIME = at("2024-02-09 12:00")  # t0 + 30 days, to the instant
LANDMARK = [
    a_person(1, intake_time=IN_TIME),
    a_person(2, intake_time=at("2024-02-09 12:00:01")),  # a second late
    a_person(3),  # no intake
    a_person(4, intake_time=IN_TIME),
    a_person(5, intake_time=IN_TIME),
    a_person(6, intake_time=IN_TIME),
    a_person(7, intake_time=IN_TIME, intake_clock_days=None),  # a site without a clock
    a_person(8, intake_time=IN_TIME, left_time=at("2024-02-01")),  # moved before the landmark
    a_person(9, arm="COMPARISON", offered=False),  # has no intake to complete
    a_person(10, arm="COMPARISON", offered=False),
]
LANDMARK_EVENTS = [
    # 1: on the last instant of the window, which runs from the landmark: 2024-02-09 12:00 + 6 months.
    an_event(1, "ARREST", "2024-08-09 12:00"),
    *arrested(4, on="2024-02-09 12:00"),  # arrested at the landmark itself: lost
    an_event(5, "DEATH", "2024-02-01"),
    *arrested(6, on="2024-02-09 12:01"),  # a minute after it: counts, on day 1
    an_event(6, "ARREST", "2024-01-15", incident="SPD/index-6"),  # the index incident is no arrest
    *arrested(9, on="2024-01-20"),  # lost in the comparison arm as well
]


def test_the_landmark_counts_who_reached_it_and_prints_who_did_not() -> None:
    lead, comparison = reported(inputs(LANDMARK, LANDMARK_EVENTS), population="LANDMARK").groups
    assert (lead.before, lead.people, lead.measures[0].with_event) == (8, 2, 2)
    assert [(each.reason, each.people) for each in lead.lost] == [
        ("ARRESTED", 1), ("DIED", 1), ("NOT_OBSERVED", 1), ("NO_CLOCK", 1), ("NO_INTAKE", 2),
    ]  # fmt: skip
    # Days from the landmark: 6 on day 1, 1 on day 182 (02-09 to 08-09).
    assert [each.day for each in lead.measures[0].by_calendar.curve] == [1, 182]
    assert (comparison.before, comparison.people) == (2, 1)
    assert [(each.reason, each.people) for each in comparison.lost] == [("ARRESTED", 1)]


def test_completers_are_the_lead_arm_from_t0_and_labelled() -> None:
    # Intake at any time: 1, 2, 4, 5, 6, 7, 8. Complete follow-up: without 8, who moved. Arrested in the six months from
    # t0 (to 2024-07-10): 4 and 6.
    report = reported(inputs(LANDMARK, LANDMARK_EVENTS), population="COMPLETERS")
    group = only_group(report)
    assert report.population_label == "selected on completion"
    assert any("Selected on completion" in each for each in report.notes)
    assert (group.people, group.complete, group.measures[0].with_event) == (7, 6, 2)


@pytest.mark.parametrize(("door", "start"), [("ARREST_DIVERSION", T0), ("SOCIAL_CONTACT", LATER), ("COMMUNITY", LATER)])
def test_t0_is_the_arrest_or_the_first_eligible_referral(door: str, start: datetime) -> None:
    assert t0(door, arrested_at=T0, eligible_referral_at=LATER) == start  # type: ignore[arg-type]


def test_t0_is_never_taken_from_the_other_door() -> None:
    with pytest.raises(ValueError, match="which is not given"):
        t0("ARREST_DIVERSION", arrested_at=None, eligible_referral_at=LATER)
    with pytest.raises(ValueError, match="which is not given"):
        t0("SOCIAL_CONTACT", arrested_at=T0, eligible_referral_at=None)
