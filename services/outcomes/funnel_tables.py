"""The funnel as tables: how many referrals came to each step, by door, and by door and month."""

from __future__ import annotations

from collections.abc import Iterable

from lead.outcomes.v1 import outcomes_pb2 as pb

from services.outcomes.cells import Cell, count, fraction, table, words
from services.outcomes.evaluation.funnel_report import STEPS, Funnel, Steps
from services.outcomes.phrases import DECLINED, DOORS, STEP_TITLES, in_words

_SHORT = {step: title for step, title in STEP_TITLES.items() if step != "timed"}


def tables(found: Funnel) -> list[pb.ReportTable]:
    """Return all tables that have rows."""
    whole = [each for each in found.steps if each.month is None]
    monthly = [each for each in found.steps if each.month is not None]
    made = (_steps(whole), _months(monthly), _declined(found))
    return [each for each in made if each is not None]


def _steps(whole: Iterable[Steps]) -> pb.ReportTable | None:
    return table(
        "steps",
        "From referral to intake, all months",
        ("Door", "Step", "Referrals", "Share", "Of"),
        (row for each in whole for row in _of_door(each)),
    )


def _of_door(steps: Steps) -> Iterable[list[Cell]]:
    door = words(DOORS[steps.door])
    yield [door, words("Referred"), count(steps.referred), words(""), words("")]
    for step, of in STEPS.items():
        whole = STEP_TITLES.get(of, "Referred").lower()
        yield [door, words(STEP_TITLES[step]), count(steps.count(step)), fraction(steps.share(step)), words(whole)]


def _months(monthly: Iterable[Steps]) -> pb.ReportTable | None:
    return table(
        "months",
        "By month of the referral",
        ("Door", "Month", "Referred", *_SHORT.values()),
        (
            [
                words(DOORS[each.door]),
                words(each.month or ""),
                count(each.referred),
                *(count(each.count(step)) for step in _SHORT),
            ]
            for each in monthly
        ),
    )


def _declined(found: Funnel) -> pb.ReportTable | None:
    return table(
        "declined",
        "Referrals that were declined",
        ("Door", "By whom", "Referrals"),
        (
            [words(DOORS[each.door]), words(in_words(DECLINED, each.reason)), count(each.count)]
            for each in found.declined
        ),
    )
