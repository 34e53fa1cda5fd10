from __future__ import annotations

import pytest

from services.outcomes.evaluation.request import Comparison
from tests.unit.outcomes.evaluation.builders import a_feed, a_person, an_event, at, inputs, only_group, reported

# The window of the only person is 2024-01-10 12:00 to 2024-07-10 12:00.
PEOPLE = [a_person(1)]
EVENTS = [an_event(1, "ARREST", "2024-03-01", agency_id="kcso")]


def gap(start: str, end: str) -> list[dict[str, object]]:
    return [{"start": at(start), "end": at(end)}]


@pytest.mark.parametrize(
    ("feed", "reason"),
    [
        ({"complete_from": at("2024-01-10 12:00:01")}, "JOINED"),
        ({"complete_through": at("2024-07-10 11:59")}, "LEFT"),
        ({"gaps": gap("2024-02-01", "2024-02-02")}, "GAP"),
        ({"gaps": gap("2023-12-01", "2024-01-11")}, "GAP"),
        ({"gaps": gap("2024-07-10", "2024-12-01")}, "GAP"),
        ({"complete_through": None}, "UNDECLARED"),
        ({"complete_from": None}, "UNDECLARED"),
        ({"site_id": "elsewhere"}, "UNDECLARED"),
    ],
)
def test_an_agency_that_is_not_complete_in_the_window_is_left_out_and_named(
    feed: dict[str, object], reason: str
) -> None:
    report = reported(inputs(PEOPLE, EVENTS, [a_feed(), a_feed("kcso", **feed)]))
    assert [(each.agency_id, each.reason) for each in report.dropped] == [("kcso", reason)]
    assert report.observed[0].agencies == ("spd",)
    group = only_group(report)
    assert (group.complete, group.measures[0].with_event) == (1, 0)


@pytest.mark.parametrize(
    "feed",
    [
        {"complete_from": at("2024-01-10 12:00")},
        {"gaps": gap("2023-01-01", "2024-01-10 12:00")},
        {"gaps": gap("2024-07-10 12:00", "2024-08-01")},
        # It ended, but not before the last window did.
        {"complete_through": at("2024-07-10 12:00")},
    ],
)
def test_what_an_agency_lacks_outside_the_window_does_not_matter(feed: dict[str, object]) -> None:
    report = reported(inputs(PEOPLE, EVENTS, [a_feed(), a_feed("kcso", **feed)]))
    assert report.dropped == ()
    assert only_group(report).measures[0].with_event == 1


def test_an_agency_that_is_only_late_holds_everybody_back_instead_of_being_left_out() -> None:
    # 92 days behind the newest feed is late, a day more is gone.
    newest = a_feed(complete_through=at("2024-07-01"))
    late = reported(inputs(PEOPLE, EVENTS, [newest, a_feed("kcso", complete_through=at("2024-03-31"))]))
    assert (late.dropped, late.observed[0].until) == ((), at("2024-03-31"))
    gone = reported(inputs(PEOPLE, EVENTS, [newest, a_feed("kcso", complete_through=at("2024-03-30"))]))
    assert [each.reason for each in gone.dropped] == ["LEFT"]
    assert gone.observed[0].until == at("2024-07-01")


def test_an_agency_that_is_incomplete_at_one_site_is_left_out_at_all() -> None:
    people = [a_person(1), a_person(2, site_id="burien", arm="COMPARISON", offered=False)]
    events = [an_event(n, "ARREST", "2024-03-01", agency_id="kcso") for n in (1, 2)]
    feeds = [
        a_feed(), a_feed(site_id="burien"), a_feed("kcso"),
        a_feed("kcso", site_id="burien", complete_from=at("2024-02-01")),
    ]  # fmt: skip
    report = reported(inputs(people, events, feeds))
    assert [each.agency_id for each in report.dropped] == ["kcso"]
    assert [each.measures[0].with_event for each in report.groups] == [0, 0]


def test_a_death_counts_whoever_tells_of_it() -> None:
    events = [an_event(1, "DEATH", "2024-03-01", agency_id="registry")]
    report = reported(inputs(PEOPLE, events))
    assert [each.reason for each in report.dropped] == ["UNDECLARED"]
    assert only_group(report).measures[0].deaths == 1


def test_without_any_feed_nothing_is_observed() -> None:
    report = reported(inputs(PEOPLE, EVENTS, []))
    group = only_group(report)
    assert report.observed[0].until is None
    assert (group.people, group.complete, group.censored) == (1, 0, 1)
    assert group.measures[0].by_calendar.risk is None


def test_effects_need_agencies_that_were_complete_before_t0_as_well() -> None:
    people = [a_person(1), a_person(2, arm="COMPARISON", offered=False)]
    feeds = [a_feed(), a_feed("kcso", complete_from=at("2024-01-01"))]
    report = reported(inputs(people, EVENTS, feeds), comparison=Comparison(registration="reg_1"))
    assert report.dropped == ()
    assert [(each.agency_id, each.reason) for each in report.dropped_for_effects] == [("kcso", "JOINED")]
