from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.outcomes.evaluation import to_public, to_public_together
from services.outcomes.evaluation.coarse import coarse_share
from services.outcomes.evaluation.report import Estimate, Group, Incidence, Measure, Point, Rate, Report
from services.outcomes.evaluation.request import Comparison, Inputs
from services.outcomes.evaluation.wording import EFFECT_SUPPRESSED, SUPPRESSION
from tests.unit.outcomes.evaluation.builders import T0, Row, a_person, an_event, at, inputs, reported
from tests.unit.outcomes.evaluation.subtraction import determined

NOTHING = Rate(None, None, None, None)


def a_study(people: int, arrested: int, died: int = 0, moved: int = 0) -> Inputs:
    """The first so many are arrested, day by day, the next die, the last move away at once."""
    rows = [a_person(n) for n in range(people)]
    for row in rows[people - moved :]:
        row["left_time"] = at("2024-01-11")
    events = [an_event(n, "ARREST", T0 + timedelta(days=2 + 1.5 * n)) for n in range(arrested)]
    events += [an_event(n, "DEATH", "2024-06-01") for n in range(arrested, arrested + died)]
    return inputs(rows, events)


def counts(value: object, name: str = "") -> Iterator[tuple[str, int]]:
    if isinstance(value, bool):
        return
    if isinstance(value, int):
        yield name, value
    elif isinstance(value, tuple):
        for each in value:
            yield from counts(each, name)
    elif is_dataclass(value):
        for field in fields(value):
            yield from counts(getattr(value, field.name), field.name)


def only(report: Report) -> tuple[Group, Measure]:
    (group,) = report.groups
    return group, group.measures[0]


def test_counts_are_rounded_and_percentages_come_from_rounded_counts() -> None:
    # 103 people, 42 arrested, 13 die later than that, 12 move: 91 complete, 49 event-free, 55 with either.
    exact = reported(a_study(103, 42, 13, 12))
    group, measure = only(to_public(exact))
    assert (group.people, group.complete, group.censored) == (105, 90, 10)
    assert (measure.with_event, measure.event_free, measure.deaths, measure.event_or_death) == (40, 50, 15, 55)
    assert measure.event_free_share is not None
    assert measure.event_free_share.value == pytest.approx(50 / 90)
    assert measure.by_calendar.risk is not None
    # 42 of 91 arrested, as risk: about 0.46 of 91 is 42, to the nearest five 40, of 90.
    assert measure.by_calendar.risk.value == pytest.approx(40 / 90)


def test_no_count_that_is_shown_is_exact_or_small() -> None:
    report = to_public(reported(a_study(103, 42, 13, 12), comparison=None))
    assert report.public
    assert report.suppression == SUPPRESSION
    shown = dict(counts(report.groups))
    assert set(shown) >= {"people", "complete", "with_event", "event_free"}
    shown.pop("day")
    assert all(value % 5 == 0 and value >= 10 for value in shown.values()), shown


def test_a_small_count_goes_with_its_complement_and_with_every_figure_made_of_it() -> None:
    group, measure = only(to_public(reported(a_study(100, 10))))
    assert (measure.with_event, measure.event_free, measure.event_free_share) == (None, None, None)
    assert measure.by_calendar == measure.at_liberty == Incidence(None, ())
    assert measure.events_per_year == NOTHING
    assert group.complete == 100
    # Nobody moved: that there are no censored people is a small count as well, and its total goes.
    assert (group.censored, group.people) == (None, None)


def test_hardly_anybody_left_is_as_small_as_hardly_anybody() -> None:
    measure = only(to_public(reported(a_study(60, 50))))[1]
    assert (measure.with_event, measure.event_free, measure.by_calendar.risk) == (None, None, None)


@pytest.mark.parametrize(("risk", "shown"), [(0.10, None), (0.12, 0.10), (0.88, 0.90), (0.90, None)])
def test_a_risk_is_shown_in_steps_of_five_people_when_both_sides_of_it_are_large(risk: float, shown: float) -> None:
    coarse = coarse_share(Estimate(risk), 100)
    assert (coarse and coarse.value) == (shown and pytest.approx(shown))


def test_curves_step_by_eleven_people_on_a_grid_of_days() -> None:
    exact = reported(a_study(100, 60))
    coarse = only(to_public(exact))[1].by_calendar.curve
    assert [each.day % 30 for each in coarse] == [0] * len(coarse)
    risks = [0.0, *(each.risk.value for each in coarse)]
    assert len(coarse) >= 3
    assert all(later - earlier >= 0.1 - 1e-9 for earlier, later in pairwise(risks))
    assert risks[-1] == pytest.approx(0.6)
    assert all(each.at_risk is None and each.events is None for each in coarse)


def test_a_curve_ends_where_fewer_than_eleven_are_followed() -> None:
    curve = (Point(30, Estimate(0.3), 40, 12), Point(60, Estimate(0.6), 11, 24), Point(90, Estimate(0.7), 10, 25))
    group, measure = only(reported(a_study(40, 20)))
    changed = replace(measure, by_calendar=Incidence(Estimate(0.7), curve))
    report = replace(reported(a_study(40, 20)), groups=(replace(group, measures=(changed,)),))
    assert [each.day for each in only(to_public(report))[1].by_calendar.curve] == [30, 60]


def test_rates_are_shown_when_enough_people_have_any_and_enough_have_none() -> None:
    rate = only(to_public(reported(a_study(100, 37))))[1].events_per_year
    # 100 people over 182 days: 49.8 years.
    assert (rate.count, rate.person_years, rate.people_with) == (35, 50, None)
    assert rate.per_year is not None
    assert rate.per_year.value == pytest.approx(35 / 50)
    assert only(to_public(reported(a_study(100, 95))))[1].events_per_year == NOTHING


def test_how_many_were_removed_is_told_and_not_to_the_person() -> None:
    given = a_study(30, 15)
    for removed, told in ((0, 0), (1, 5), (3, 5), (8, 10), (43, 45)):
        report = reported(Inputs(given.people, given.events, given.feeds, removed=removed))
        assert report.removed == removed
        assert to_public(report).removed == told


def test_a_public_report_is_not_made_public_again() -> None:
    public = to_public(reported(a_study(30, 15)))
    with pytest.raises(ValueError, match="unsuppressed"):
        to_public(public)


def compared(people: int, lead_after: int) -> tuple[list[Row], list[Row]]:
    rows, events = [], []
    for n in range(2 * people):
        lead = n < people
        rows.append(a_person(n, **({} if lead else {"arm": "CONTROL", "offered": False})))
        if n % 2:
            events.append(an_event(n, "ARREST", "2023-10-01"))
        if n % people < (lead_after if lead else people // 2):
            events.append(an_event(n, "ARREST", "2024-03-01"))
    return rows, events


@pytest.mark.parametrize(("lead_after", "shown"), [(11, True), (10, False)])
def test_an_effect_is_shown_when_every_count_behind_it_is_large_enough(lead_after: int, shown: bool) -> None:
    exact = reported(inputs(*compared(40, lead_after)), comparison=Comparison(registration="reg_1"))
    assert exact.effects[0].effects
    (door,) = to_public(exact).effects
    assert bool(door.effects) == shown
    assert door.sentence == (None if shown else EFFECT_SUPPRESSED)
    if shown:
        assert {(each.lead, each.comparison, each.smallest) for each in door.effects} == {(40, 40, None)}
        assert all(each.odds_ratio.value == round(each.odds_ratio.value, 2) for each in door.effects)


# A public reader who subtracts, over the windows and definitions of one release.
COUNTS = st.fixed_dictionaries(
    {name: st.integers(0, 40) for name in ("censored6", "more24", "arrested6", "free6", "dead6", "crossed")}
)


@cache
def base() -> Report:
    return reported(a_study(3, 1))


def released(drawn: dict[str, int]) -> tuple[Report, Report]:
    """Reports of six and 24 months about the same people, with counts as drawn."""
    report = base()
    group, measure = only(report)
    complete6 = drawn["arrested6"] + drawn["free6"]
    people = complete6 + drawn["censored6"]
    lasting = max(0, complete6 - drawn["more24"])
    one = _with(report, group, measure, people, drawn["arrested6"], drawn["free6"], drawn)
    with24 = min(lasting, drawn["arrested6"])
    two = _with(report, group, measure, people, with24, lasting - with24, drawn)
    return one, replace(two, window_id="24m", window="24 calendar months")


def _with(
    report: Report, group: Group, measure: Measure, people: int, some: int, free: int, drawn: dict[str, int]
) -> Report:
    dead = min(free, drawn["dead6"])
    told = replace(measure, with_event=some, event_free=free, deaths=dead, event_or_death=some + dead, at_thresholds=())
    whole = replace(
        group, before=people, people=people, complete=some + free, censored=people - some - free,
        crossed=min(people, drawn["crossed"]), matched=people, measures=(told,),
    )  # fmt: skip
    return replace(report, groups=(whole,))


def shown_and_secret(reports: tuple[Report, ...], public: tuple[Report, ...]) -> tuple[dict[str, int], dict[str, int]]:
    shown: dict[str, int] = {}
    secret: dict[str, int] = {}
    for number, (exact, coarse) in enumerate(zip(reports, public, strict=True)):
        (group, measure), (public_group, public_measure) = only(exact), only(coarse)
        for owner, seen, names in (
            (group, public_group, ("people", "complete", "censored")),
            (measure, public_measure, ("with_event", "event_free", "deaths", "event_or_death")),
        ):
            for name in names:
                key = name if name == "people" else f"{name}{number}"
                (secret if getattr(seen, name) is None else shown)[key] = getattr(owner, name)
    return shown, secret


EQUATIONS = [
    terms
    for n in (0, 1)
    for terms in (
        {"people": 1, f"complete{n}": -1, f"censored{n}": -1},
        {f"complete{n}": 1, f"with_event{n}": -1, f"event_free{n}": -1},
        {f"event_or_death{n}": 1, f"with_event{n}": -1, f"deaths{n}": -1},
    )
]


@settings(deadline=None, max_examples=60)
@given(COUNTS)
def test_no_suppressed_count_can_be_had_by_subtracting_tables_that_are_released_together(drawn: dict[str, int]) -> None:
    reports = released(drawn)
    shown, secret = shown_and_secret(reports, to_public_together(reports))
    assert not set(shown) & set(secret)
    small = {key for key, value in secret.items() if value < 11}
    solved = determined(EQUATIONS, secret)
    assert not small & solved, (secret, shown)


def test_reports_that_do_not_agree_are_not_released_together() -> None:
    with pytest.raises(ValueError, match="do not agree"):
        to_public_together([reported(a_study(30, 15)), reported(a_study(31, 15), "ARR_NONWARRANT")])
    with pytest.raises(ValueError, match="as-of date"):
        to_public_together([reported(a_study(30, 15)), reported(a_study(30, 15), as_of=at("2026-11-15"))])


def test_who_did_not_complete_cannot_be_had_from_everyone_and_the_completers() -> None:
    # 60 people, 55 completers: either number alone is fine, both give away the five others.
    people = [a_person(n, intake_time=at("2024-01-20") if n < 55 else None) for n in range(60)]
    for row in people[:12]:
        row["left_time"] = at("2024-01-21")
    given = inputs(people, [an_event(n, "ARREST", "2024-03-01") for n in range(15, 35)])
    reports = [reported(given), reported(given, population="COMPLETERS")]
    assert [to_public(each).groups[0].people for each in reports] == [60, 55]
    together = [each.groups[0].people for each in to_public_together(reports)]
    assert None in together
