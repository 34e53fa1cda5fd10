"""Ten people by hand: warrants, unknown dates, what is served together, the index incident, cases."""

from __future__ import annotations

import pytest

from services.outcomes.evaluation.words import Bound
from tests.unit.outcomes.evaluation.builders import T0, a_person, an_event, at, inputs, only_group, reported, with_event

EARLIER, LATER = at("2023-11-01"), at("2024-02-01")
PEOPLE = [a_person(n) for n in range(1, 11)]
ARRESTS = [
    # 1: probable cause; that the offence is older doesn't matter, for it is not warrant-only.
    an_event(1, "ARREST", "2024-03-01", warrant_kind="NONE", offence_time=EARLIER),
    # 2: warrant alone, for conduct before t0.
    an_event(2, "ARREST", "2024-03-01", warrant_kind="PRIOR_OFFENCE", offence_time=EARLIER, warrant_time=LATER),
    # 3: warrant alone, for conduct after t0.
    an_event(3, "ARREST", "2024-03-01", warrant_kind="NEW_OFFENCE", offence_time=LATER, warrant_time=LATER),
    # 4: warrant alone, issued after t0 for conduct that nobody dated.
    an_event(4, "ARREST", "2024-03-01", warrant_kind="NEW_OFFENCE", warrant_time=LATER),
    # 5: the same, but the warrant was there before t0: so was the conduct.
    an_event(5, "ARREST", "2024-03-01", warrant_kind="PRIOR_OFFENCE", warrant_time=EARLIER),
    # 6: did not appear, warrant issued after t0. 7: issued before.
    an_event(6, "ARREST", "2024-03-01", warrant_kind="FTA", warrant_time=LATER),
    an_event(7, "ARREST", "2024-03-01", warrant_kind="SUPERVISION", warrant_time=EARLIER),
    # 8: new charges, and an old warrant served with the same booking a day later.
    an_event(8, "ARREST", "2024-03-01", warrant_kind="NONE", booking="J/8", incident="SPD/8"),
    an_event(8, "ARREST", "2024-03-02", warrant_kind="PRIOR_OFFENCE", offence_time=EARLIER, booking="J/8"),
    # 9: a new contact, diverted instead of arrested.
    an_event(9, "DIVERTED_CONTACT", "2024-03-01", incident="SPD/9"),
    # 10: arrested for the index incident itself, later, and once more under the booking that came of it.
    an_event(10, "ARREST", "2024-01-10 13:00", incident="SPD/index-10", booking="J/10"),
    an_event(10, "ARREST", "2024-01-20", warrant_kind="FTA", warrant_time=LATER, booking="J/10"),
]


@pytest.mark.parametrize(
    ("definition", "bound", "counted"),
    [
        ("ARR_ALL", "EXACT", "1 2 3 4 5 6 7 8"),
        ("ARR_NONWARRANT", "EXACT", "1 8"),
        ("ARR_NEWCONDUCT", "LOWER", "1 3 8"),
        ("ARR_NEWCONDUCT", "UPPER", "1 3 4 8"),
        ("ARR_NEWCONDUCT", "TECHNICAL", "6"),
        ("ARR_OR_DIVERTED", "EXACT", "1 2 3 4 5 6 7 8 9"),
    ],
)
def test_arrests_count_by_their_basis(definition: str, bound: Bound, counted: str) -> None:
    assert with_event(inputs(PEOPLE, ARRESTS), definition, bound) == set(counted.split())


def test_charges_and_warrants_served_together_are_one_event() -> None:
    # Arrests of 1 to 8, 8 having two rows with one booking; none of 9 and 10: eight events of eight people.
    rate = only_group(reported(inputs(PEOPLE, ARRESTS))).measures[0].events_per_year
    assert (rate.count, rate.people_with) == (8, 8)


def test_a_warrant_served_with_an_arrest_before_t0_is_no_event_after_it() -> None:
    # The event happened when its first row did.
    rows = [an_event(1, "ARREST", "2024-01-09", booking="J/1"), an_event(1, "ARREST", "2024-01-11", booking="J/1")]
    assert with_event(inputs([a_person(1)], rows), "ARR_ALL") == set()


def test_records_are_joined_through_others() -> None:
    # Incident links the first two, booking the last two: one event, whose probable cause makes it no warrant's alone.
    rows = [
        an_event(1, "ARREST", "2024-02-01", warrant_kind="FTA", warrant_time=EARLIER, incident="SPD/a"),
        an_event(1, "ARREST", "2024-02-02", warrant_kind="NONE", incident="SPD/a", booking="J/a"),
        an_event(1, "ARREST", "2024-02-03", warrant_kind="SUPERVISION", warrant_time=EARLIER, booking="J/a"),
    ]
    given = inputs([a_person(1)], rows)
    assert only_group(reported(given)).measures[0].events_per_year.count == 1
    nonwarrant = only_group(reported(given, "ARR_NONWARRANT")).measures[0].by_calendar.curve
    # Day 22: from 2024-01-10 12:00 to 2024-02-01 00:00 is 21.5 days.
    assert [each.day for each in nonwarrant] == [22]


def test_an_incident_number_of_two_people_is_two_events() -> None:
    rows = [an_event(n, "ARREST", "2024-02-01", incident="SPD/both", booking="J/both") for n in (1, 2)]
    measure = only_group(reported(inputs([a_person(1), a_person(2)], rows))).measures[0]
    assert (measure.with_event, measure.events_per_year.count) == (2, 2)


def test_the_index_event_is_excluded_by_its_id_where_no_number_is_known_and_in_every_arm() -> None:
    # t0 of a comparison person is the detention; the arrest record is dated an hour later.
    arrest = an_event("c", "ARREST", "2024-01-10 13:00")
    person = a_person("c", arm="COMPARISON", offered=False, index_incident=None, index_event_id=arrest["event_id"])
    assert with_event(inputs([person], [arrest]), "ARR_ALL") == set()
    assert with_event(inputs([person | {"index_event_id": None}], [arrest]), "ARR_ALL") == {"c"}


CASES = [
    an_event(1, "CHARGE_FILED", "2024-03-01", level="F", offence_time=LATER),
    an_event(2, "CHARGE_FILED", "2024-03-01", level="F", offence_time=EARLIER),  # conduct before t0
    an_event(3, "CHARGE_FILED", "2024-03-01", level="F"),  # nobody knows
    an_event(4, "CHARGE_FILED", "2024-01-05", level="F", offence_time=LATER),  # filed before t0
    an_event(5, "CHARGE_FILED", "2024-03-01", level="GM", offence_time=LATER),
    an_event(6, "CHARGE_FILED", "2024-03-01", level="M", offence_time=LATER),
    # 7: one case with a felony and a misdemeanour counts as either; two charges of a level are one case.
    an_event(7, "CHARGE_FILED", "2024-03-01", level="F", offence_time=LATER, incident="SPD/7"),
    an_event(7, "CHARGE_FILED", "2024-03-02", level="M", offence_time=LATER, incident="SPD/7"),
    an_event(7, "CHARGE_FILED", "2024-03-03", level="F", offence_time=LATER, incident="SPD/7"),
    # 8: the case of the index incident.
    an_event(8, "CHARGE_FILED", "2024-03-01", level="F", offence_time=LATER, incident="SPD/index-8"),
    an_event(9, "CHARGE_FILED", "2024-03-01", offence_time=LATER),  # no level told
    an_event(10, "CHARGE_FILED", "2024-03-01", level="F", offence_time=T0),  # conduct at t0 is not after it
]


@pytest.mark.parametrize(
    ("definition", "bound", "counted"),
    [
        ("CHG_FELONY", "LOWER", "1 7"),
        ("CHG_FELONY", "UPPER", "1 3 7"),
        ("CHG_MISD", "LOWER", "5 6 7"),
        ("CHG_MISD", "UPPER", "5 6 7"),
    ],
)
def test_cases_count_by_level_filing_and_conduct(definition: str, bound: Bound, counted: str) -> None:
    assert with_event(inputs(PEOPLE, CASES), definition, bound) == set(counted.split())


def test_charges_of_one_incident_are_one_case() -> None:
    # Felony cases for later conduct: 1's and 7's.
    lower, upper = only_group(reported(inputs(PEOPLE, CASES), "CHG_FELONY")).measures
    assert (lower.events_per_year.count, upper.events_per_year.count) == (2, 3)


def test_a_link_counts_from_the_threshold_on_and_the_figures_beside_it_are_told() -> None:
    # Thresholds 0.95, 0.85 and (at most) 1. A link without a score was confirmed by a person.
    scores = [None, 1.0, 0.95, 0.9499, 0.85, 0.84, 0.5]
    people = [a_person(n) for n in range(10)]
    rows = [an_event(n, "ARREST", "2024-03-01", score=score) for n, score in enumerate(scores)]
    group = only_group(reported(inputs(people, rows)))
    measure = group.measures[0]
    assert (measure.with_event, group.matched) == (3, 3)
    assert group.match_rate is not None
    assert group.match_rate.value == pytest.approx(0.3)
    beside = [(each.threshold, each.with_event, each.event_free) for each in measure.at_thresholds]
    assert beside == [(0.85, 5, 5), (1.0, 2, 8)]
    assert [each.risk.value for each in measure.at_thresholds if each.risk] == pytest.approx([0.5, 0.2])
