"""Ten people by hand: jail spells, bookings, time at liberty."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.unit.outcomes.evaluation.builders import (
    T0,
    Row,
    a_feed,
    a_person,
    an_event,
    inputs,
    only_group,
    reported,
)


def day(number: float) -> datetime:
    return T0 + timedelta(days=number)


def jailed(name: int, start: float, end: float | None, kinds: str = "BOOKING RELEASE", **more: object) -> list[Row]:
    entry, leaving = kinds.split()
    key = {"booking": f"J/{name}/{start}"} | more
    rows = [an_event(name, entry, day(start), **key)]
    return rows if end is None else [*rows, an_event(name, leaving, day(end), **key)]


# Six months are 182 days here. Everybody is observed through day 300.
FEEDS = [a_feed(complete_through=day(300))]
PEOPLE = [a_person(n) for n in range(1, 11)]
EVENTS = [
    *jailed(1, 10, 20),  # 10 days
    *jailed(2, 10, 20), *jailed(2, 15, 25),  # overlapping: 15 days, two bookings
    *jailed(3, -5, 5),  # in jail at t0: 5 days after it; booked before it
    *jailed(4, 180, 190),  # 2 days inside the window
    *jailed(5, 10, None),  # never released: through the window, 172 days
    *jailed(6, 10, None), *jailed(6, 30, 40),  # no release told, booked again on day 30: held until then; 20 + 10 days
    *jailed(7, 10, 20, incident="SPD/index-7"),  # the index booking: no outcome in any arm
    *jailed(8, 10, 20, "PRISON_IN PRISON_OUT"),  # prison is not jail
    *jailed(9, 10, 20, booking=None),  # paired by person where no number is told: 10 days
    an_event(10, "RELEASE", day(10)),  # a release alone says nothing
]  # fmt: skip


def test_jail_days_are_an_outcome_in_the_window() -> None:
    # 10 + 15 + 5 + 2 + 172 + 30 + 0 + 0 + 10 + 0 = 244 days of 7 people, in 10 * 182 days followed.
    rate = only_group(reported(inputs(PEOPLE, EVENTS, FEEDS))).jail_days
    assert rate.count == pytest.approx(244)
    assert rate.people_with == 7
    assert rate.per_year is not None
    assert rate.per_year.value == pytest.approx(244 / 1820 * 365.25)


def test_bookings_after_t0_count_and_the_index_booking_does_not() -> None:
    # 1: 1, 2: 2, 4: 1, 5: 1, 6: 2, 9: 1. 3 was booked before t0, 7 under the index incident.
    rate = only_group(reported(inputs(PEOPLE, EVENTS, FEEDS))).bookings
    assert (rate.count, rate.people_with) == (8, 6)


def test_jail_does_not_censor() -> None:
    group = only_group(reported(inputs(PEOPLE, [*EVENTS, an_event(5, "ARREST", day(100))], FEEDS)))
    assert (group.complete, group.censored, group.measures[0].with_event) == (10, 0, 1)


def test_time_at_liberty_stands_still_in_custody() -> None:
    # Arrests at calendar day -> time held before -> day at liberty:
    #   1: 50 -> 10 -> 40    2: 50 -> 15 -> 35     3: 50 -> 5 -> 45     7: 50 -> 10 (index custody is custody) -> 40
    #   8: 50 -> 10 (prison is custody) -> 40      6: 35 -> held 10 to 40, so 25 -> 10
    #   4: 195 -> 10 -> 185: outside the 182 days of the window
    #   9: 187 -> 10 -> 177: outside the calendar window, inside 182 days at liberty
    events = [
        *EVENTS,
        *(
            an_event(n, "ARREST", day(when))
            for n, when in {1: 50, 2: 50, 3: 50, 7: 50, 8: 50, 6: 35, 4: 195, 9: 187}.items()
        ),
    ]
    measure = only_group(reported(inputs(PEOPLE, events, FEEDS))).measures[0]
    assert [(each.day, each.events) for each in measure.by_calendar.curve] == [(35, 1), (50, 6)]
    # 5 is held from day 10 on and leaves the risk set there, before 6's event; of the rest:
    #  10: 10 at risk (5 leaves at the day's end)  1/10            F 0.1,  S 0.9
    #  35: 8 at risk                               0.9 * 1/8       F 0.2125, S 0.7875
    #  40: 7 at risk, three                        0.7875 * 3/7    F 0.55, S 0.45
    #  45: 4 at risk                               0.45 * 1/4      F 0.6625, S 0.3375
    # 177: 3 at risk (4, 9, 10)                    0.3375 * 1/3    F 0.775
    found = [(each.day, each.at_risk, round(each.risk.value, 9)) for each in measure.at_liberty.curve]
    assert found == [
        (10, 10, 0.1),
        (35, 8, 0.2125),
        (40, 7, 0.55),
        (45, 4, 0.6625),
        (177, 3, 0.775),
    ]


def test_an_arrest_in_custody_from_the_start_is_at_risk_on_the_first_day() -> None:
    events = [*jailed(3, -5, 5), an_event(3, "ARREST", day(2))]
    measure = only_group(reported(inputs([a_person(3), a_person(4)], events, FEEDS))).measures[0]
    assert [(each.day, round(each.risk.value, 9)) for each in measure.at_liberty.curve] == [(1, 0.5)]


def test_custody_ends_with_the_follow_up() -> None:
    # Held from day 10, moved on day 40: 30 days in 40.
    group = only_group(reported(inputs([a_person(1, left_time=day(40))], jailed(1, 10, 100), FEEDS)))
    assert group.jail_days.count == pytest.approx(30)
    assert group.jail_days.person_years == pytest.approx(40 / 365.25)
