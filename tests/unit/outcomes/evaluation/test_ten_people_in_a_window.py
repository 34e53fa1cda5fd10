"""Ten people by hand: ends of windows, deaths, moves, feed end, leap day, month ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.outcomes.evaluation.windows import calendar
from tests.unit.outcomes.evaluation.builders import (
    T0,
    a_feed,
    a_person,
    an_event,
    at,
    inputs,
    only_group,
    reported,
    with_event,
)

# t0 is 2024-01-10 12:00 for all; six months end on 2024-07-10 12:00, 182 days later (21+29+31+30+31+30+10, leap year).
PEOPLE = [a_person(n) for n in range(1, 11)]
PEOPLE[6]["left_time"] = PEOPLE[7]["left_time"] = at("2024-04-10 12:00")  # day 91
EVENTS = [
    an_event(1, "ARREST", "2024-01-10 18:00"),  # the same day, after t0: counts, on day 1
    an_event(2, "ARREST", T0),  # at t0 itself: not after t0
    an_event(3, "ARREST", "2024-07-10 12:00"),  # the last instant of the window: counts, on day 182
    an_event(4, "ARREST", "2024-07-10 12:00:01"),  # a second later: does not
    an_event(5, "DEATH", "2024-02-29 12:00"),  # dies on day 50
    an_event(6, "ARREST", "2024-01-30 12:00"),  # arrested on day 20 ...
    an_event(6, "DEATH", "2024-03-10 12:00"),  # ... dead on day 60: the arrest counts
    # 7 moves away on day 91 without anything; 8 as well, and is arrested the day after, which nobody saw.
    an_event(8, "ARREST", "2024-04-11 12:00"),
    # 9 and 10: nothing.
]


def test_risk_is_aalen_johansen_with_death_competing_and_moves_censored() -> None:
    # day   at risk  what              F                        S before -> after
    #   1   10       1 arrested        1/10           = 0.10    1.0 -> 0.9
    #  20    9       6 arrested        + 0.9 * 1/9    = 0.20    0.9 -> 0.8
    #  50    8       5 dies            0.20                     0.8 -> 0.7
    #  91    7       7 and 8 leave     0.20                     0.7
    # 182    5       3 arrested        + 0.7 * 1/5    = 0.34    0.7 -> 0.56
    # (1 - Kaplan-Meier, death as censoring: 1 - 0.9 * 8/9 * 4/5 = 0.36.)
    measure = only_group(reported(inputs(PEOPLE, EVENTS))).measures[0]
    assert measure.by_calendar.risk is not None
    assert measure.by_calendar.risk.value == pytest.approx(0.34)
    found = [(each.day, round(each.risk.value, 9), each.at_risk, each.events) for each in measure.by_calendar.curve]
    assert found == [(1, 0.1, 10, 1), (20, 0.2, 9, 2), (182, 0.34, 5, 3)]


def test_shares_are_of_people_with_complete_follow_up() -> None:
    # Complete: all but 7 and 8. With an event: 1, 3, 6. Died before any: 5. Event-free: 2, 4, 5, 9, 10.
    group = only_group(reported(inputs(PEOPLE, EVENTS)))
    measure = group.measures[0]
    assert (group.people, group.complete, group.censored) == (10, 8, 2)
    assert (measure.with_event, measure.event_free, measure.deaths, measure.event_or_death) == (3, 5, 1, 4)
    assert measure.event_free_share is not None
    assert measure.event_free_share.value == pytest.approx(5 / 8)
    # Wilson: (5/8 + z2/16 -+ z * sqrt(15/64/8 + z2/256)) / (1 + z2/8) with z = 1.96, z2 = 3.8416.
    assert (measure.event_free_share.low, measure.event_free_share.high) == pytest.approx((0.3057, 0.8632), abs=1e-4)
    assert measure.event_or_death_share is not None
    assert measure.event_or_death_share.value == pytest.approx(4 / 8)


def test_events_per_year_count_followed_time_alone() -> None:
    # Followed days: 182 for 1-4, 9, 10; 50 and 60 for 5 and 6; 91 for 7 and 8: 6 * 182 + 50 + 60 + 2 * 91 = 1384.
    # Arrests of 1, 3 and 6 fall into them.
    rate = only_group(reported(inputs(PEOPLE, EVENTS))).measures[0].events_per_year
    assert rate.count == 3
    assert rate.people_with == 3
    assert rate.person_years == pytest.approx(1384 / 365.25)
    assert rate.per_year is not None
    assert rate.per_year.value == pytest.approx(3 * 365.25 / 1384)


def test_nobody_is_observed_longer_than_the_least_complete_feed() -> None:
    # jail declares completeness through 2024-06-08 12:00, day 150: whatever spd tells later is not used.
    # Complete: nobody. Day 182 falls away: F stays at 0.2.
    feeds = [a_feed(), a_feed("jail", complete_through=at("2024-06-08 12:00"))]
    late = [a_feed(complete_through=at("2024-06-10")), feeds[1]]
    report = reported(inputs(PEOPLE, EVENTS, late))
    group = only_group(report)
    assert report.observed[0].until == at("2024-06-08 12:00")
    assert (group.complete, group.censored) == (0, 10)
    assert group.measures[0].event_free_share is None
    assert group.measures[0].by_calendar.risk is not None
    assert group.measures[0].by_calendar.risk.value == pytest.approx(0.2)


def test_the_as_of_date_never_stands_for_completeness_but_hides_what_came_later() -> None:
    report = reported(inputs(PEOPLE, EVENTS, [a_feed(complete_through=at("2024-05-01"))]), as_of=at("2026-12-01"))
    assert report.observed[0].until == at("2024-05-01")
    early = reported(inputs(PEOPLE, EVENTS), as_of=at("2024-01-20"))
    assert early.observed[0].until == at("2024-01-20")
    # Known by then: 1's arrest and 2's.
    assert (only_group(early).censored, only_group(early).matched) == (10, 2)
    # Only 1's arrest was known: 1 of 10.
    assert [each.risk.value for each in only_group(early).measures[0].by_calendar.curve] == pytest.approx([0.1])


@pytest.mark.parametrize(
    ("window", "t0", "end"),
    [
        ("6m", "2023-08-31 09:30", "2024-02-29 09:30"),  # clamped to the leap day
        ("6m", "2022-08-31 09:30", "2023-02-28 09:30"),  # clamped to the 28th
        ("6m", "2024-08-29 09:30", "2025-02-28 09:30"),
        ("6m", "2024-02-29 09:30", "2024-08-29 09:30"),
        ("24m", "2024-02-29 09:30", "2026-02-28 09:30"),  # no leap day two years on
        ("24m", "2022-02-28 09:30", "2024-02-28 09:30"),  # not stretched to the 29th
        ("6m", "2024-03-31 09:30", "2024-09-30 09:30"),
        ("6m", "2023-12-31 23:59", "2024-06-30 23:59"),
        ("24m", "2023-01-31 00:00", "2025-01-31 00:00"),
        ("6m", "2023-09-30 09:30", "2024-03-30 09:30"),
    ],
)
def test_windows_are_calendar_months_with_clamped_ends(window: str, t0: str, end: str) -> None:
    people = [a_person("in", t0=at(t0)), a_person("out", t0=at(t0))]
    events = [an_event("in", "ARREST", end), an_event("out", "ARREST", at(end) + timedelta(microseconds=1))]
    assert with_event(inputs(people, events), "ARR_ALL", window=window) == {"in"}


def test_months_of_different_length_leave_plain_shares_where_nobody_is_censored() -> None:
    # Windows of 182 and 184 days; the arrest on day 183 is inside the longer one. Everybody is complete, so the risk is
    # the share: 2 of 4. Were the short windows censored at 182, the second step would be 1/2 instead of 1/3 of 3/4.
    people = [a_person(1), a_person(2), a_person(3, t0=at("2024-03-10 12:00")), a_person(4, t0=at("2024-03-10 12:00"))]
    events = [an_event(1, "ARREST", "2024-03-01"), an_event(3, "ARREST", at("2024-03-10 12:00") + timedelta(days=183))]
    risk = only_group(reported(inputs(people, events))).measures[0].by_calendar.risk
    assert risk is not None
    assert risk.value == pytest.approx(0.5)


def test_a_calendar_window_counts_exposure_from_t0_to_its_end() -> None:
    # Window 2024-01-01 to 2024-03-10 12:00. Exposure: 1 from 01-10 12:00: 60 days; 2 from 02-29 12:00: 10 days; 3 began
    # before the window and 4 after it: neither is counted. Arrests inside: 1 twice, 2 once; 1's third is too late.
    people = [
        a_person(1),
        a_person(2, t0=at("2024-02-29 12:00")),
        a_person(3, t0=at("2023-12-31")),
        a_person(4, t0=at("2024-03-11")),
    ]
    events = [
        an_event(1, "ARREST", "2024-02-01"), an_event(1, "ARREST", "2024-03-01"), an_event(1, "ARREST", "2024-03-11"),
        an_event(2, "ARREST", "2024-03-10"), an_event(3, "ARREST", "2024-02-01"),
    ]  # fmt: skip
    group = only_group(reported(inputs(people, events), window=calendar(at("2024-01-01"), at("2024-03-10 12:00"))))
    assert (group.before, group.people, group.complete) == (4, 2, 2)
    assert [(each.reason, each.people) for each in group.lost] == [("OUTSIDE_WINDOW", 2)]
    rate = group.measures[0].events_per_year
    assert rate.count == 3
    assert rate.person_years == pytest.approx(70 / 365.25)
