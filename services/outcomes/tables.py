"""A rearrest report as tables: every figure with what it was counted by (evaluation.md, first paragraph)."""

from __future__ import annotations

from collections.abc import Iterator

from lead.outcomes.v1 import outcomes_pb2 as pb

from services.outcomes.cells import NOTHING, Cell, count, plain, ratio, share, table, words
from services.outcomes.domain import CLOCKS
from services.outcomes.evaluation.report import Group, Incidence, Measure, Rate, Report
from services.outcomes.phrases import ARMS, BOUNDS, CLOCK_TITLES, DOORS, DROPPED, ESTIMANDS, LOST, in_words, moment_text

_GROUP = ("Door", "Arm")
_INTERVAL = ("95% from", "95% to")


def tables(report: Report, clock: str) -> list[pb.ReportTable]:
    """Return all tables that have rows, the main ones first."""
    found = (
        _events(report), _shares(report), _risk(report, clock), _people(report), _lost(report), _rates(report),
        _linkage(report), _effects(report), _balance(report), _feeds(report),
    )  # fmt: skip
    return [each for each in found if each is not None]


def curves(report: Report, clock: str) -> list[pb.ReportCurve]:
    """Return the cumulative incidence of every group, under the definition's leading way of counting."""
    return [
        pb.ReportCurve(
            id=f"{group.door}/{group.arm}".lower(),
            title=f"{DOORS[group.door]}, {ARMS[group.arm]}",
            points=[
                pb.ReportPoint(days=point.day, risk=point.risk.value, low=point.risk.low, high=point.risk.high)
                for point in incidence(group.measures[0], clock).curve
            ],
        )
        for group in report.groups
        if group.measures and incidence(group.measures[0], clock).curve
    ]


def incidence(measure: Measure, clock: str) -> Incidence:
    """Return the incidence under a clock: calendar time from t0, or time at liberty."""
    return measure.by_calendar if clock == CLOCKS[0] else measure.at_liberty


def _events(report: Report) -> pb.ReportTable | None:
    return table(
        "events",
        "People with complete follow-up: who had an event in the window, and who had none",
        (*_GROUP, "Counted", "With event", "Event-free", "Died first", "Event or death"),
        (
            [
                *_of(group), words(BOUNDS[each.bound]), count(each.with_event), count(each.event_free),
                count(each.deaths), count(each.event_or_death),
            ]
            for group, each in _measures(report)
        ),
    )  # fmt: skip


def _shares(report: Report) -> pb.ReportTable | None:
    return table(
        "shares",
        "The same people as shares, Wilson intervals",
        (*_GROUP, "Counted", "Event-free", *_INTERVAL, "Event or death", *_INTERVAL),
        (
            [*_of(group), words(BOUNDS[each.bound]), *share(each.event_free_share), *share(each.event_or_death_share)]
            for group, each in _measures(report)
        ),
    )


def _risk(report: Report, clock: str) -> pb.ReportTable | None:
    return table(
        "risk",
        f"Risk at the window's end, death competing, moves and feed end censored; {CLOCK_TITLES[clock]}",
        (*_GROUP, "Counted", "Risk", *_INTERVAL),
        (
            [*_of(group), words(BOUNDS[each.bound]), *share(incidence(each, clock).risk)]
            for group, each in _measures(report)
        ),
    )


def _people(report: Report) -> pb.ReportTable | None:
    columns = (*_GROUP, "By t0", "Counted from start", "Complete", "Censored", "Crossed over", "Linked", "Match rate")
    return table(
        "people",
        "Who is counted",
        (*columns, *_INTERVAL),
        (
            [
                *_of(group), count(group.before), count(group.people), count(group.complete), count(group.censored),
                count(group.crossed), count(group.matched), *share(group.match_rate),
            ]
            for group in report.groups
        ),
    )  # fmt: skip


def _lost(report: Report) -> pb.ReportTable | None:
    return table(
        "lost",
        "Who belonged by t0 and is not counted from the start",
        (*_GROUP, "Why", "People"),
        (
            [*_of(group), words(in_words(LOST, each.reason)), count(each.people)]
            for group in report.groups
            for each in group.lost
        ),
    )


def _rates(report: Report) -> pb.ReportTable | None:
    return table(
        "rates",
        "Over all followed time",
        (*_GROUP, "What", "How many", "Person-years", "Per person-year", *_INTERVAL),
        ([*_of(group), words(what), *_rate(rate)] for group in report.groups for what, rate in _rates_of(group)),
    )


def _rates_of(group: Group) -> Iterator[tuple[str, Rate]]:
    for measure in group.measures:
        counted = BOUNDS[measure.bound]
        yield f"Events, {counted}" if len(group.measures) > 1 else "Events", measure.events_per_year
    yield "Bookings", group.bookings
    yield "Days in jail", group.jail_days


def _rate(rate: Rate) -> list[Cell]:
    return [count(rate.count), plain(rate.person_years, 1), *ratio(rate.per_year)]


def _linkage(report: Report) -> pb.ReportTable | None:
    return table(
        "linkage",
        f"Had the link score needed been another than {report.link_threshold:g}",
        (*_GROUP, "Threshold", "With event", "Event-free", "Risk", *_INTERVAL),
        (
            [*_of(group), plain(each.threshold), count(each.with_event), count(each.event_free), *share(each.risk)]
            for group, measure in _measures(report)
            for each in measure.at_thresholds
        ),
    )


def _effects(report: Report) -> pb.ReportTable | None:
    columns = ("Door", "Counted", "Of whom", "Odds ratio", *_INTERVAL, "Risk difference", *_INTERVAL)
    return table(
        "effects",
        "LEAD against the registered comparison group: group x time, logistic GEE, clustered by person",
        (*columns, "LEAD", "Compared"),
        (
            [
                words(DOORS[door.door]), words(BOUNDS[each.bound]), words(in_words(ESTIMANDS, each.estimand)),
                *ratio(each.odds_ratio), *share(each.risk_difference), count(each.lead), count(each.comparison),
            ]
            for door in report.effects
            for each in door.effects
        ),
    )  # fmt: skip


def _balance(report: Report) -> pb.ReportTable | None:
    columns = ("Door", "Known at t0", "LEAD", "Compared", "Difference", "Weighted for all", "Weighted for LEAD")
    return table(
        "balance",
        "Balance of what was known at t0: means, and standardised differences",
        columns,
        (
            [
                words(DOORS[door.door]), words(each.covariate.replace("_", " ")), plain(each.lead),
                plain(each.comparison), plain(each.difference), plain(each.difference_ate), plain(each.difference_att),
            ]
            for door in report.effects
            for each in door.balance
        ),
    )  # fmt: skip


def _feeds(report: Report) -> pb.ReportTable | None:
    contributing = (
        [words(agency), words("contributes"), words(moment_text(site.until))]
        for site in report.observed
        for agency in site.agencies
    )
    left_out = (
        [words(each.agency_id), words(in_words(DROPPED, each.reason)), words(NOTHING)] for each in report.dropped
    )
    before = (
        [words(each.agency_id), words(f"for effects only: {in_words(DROPPED, each.reason)}"), words(NOTHING)]
        for each in report.dropped_for_effects
    )
    title = "Whose feeds contribute, and who is left out on both sides"
    return table("feeds", title, ("Agency", "Feed", "All complete through"), (*contributing, *left_out, *before))


def _measures(report: Report) -> Iterator[tuple[Group, Measure]]:
    for group in report.groups:
        for measure in group.measures:
            yield group, measure


def _of(group: Group) -> list[Cell]:
    return [words(DOORS[group.door]), words(ARMS[group.arm])]
