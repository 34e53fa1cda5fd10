from __future__ import annotations

import polars as pl
import pytest

from services.outcomes.evaluation import evaluate
from services.outcomes.evaluation.request import Comparison, InputError, Inputs
from tests.unit.outcomes.evaluation.builders import a_feed, a_person, a_request, an_event, inputs, reported

GIVEN = inputs([a_person(1)], [an_event(1, "ARREST", "2024-03-01")])


def refused(given: Inputs, **asked: object) -> str:
    with pytest.raises(InputError) as told:
        evaluate(given, a_request(**asked))  # type: ignore[arg-type]
    return str(told.value)


def test_a_missing_column_is_named() -> None:
    assert refused(Inputs(GIVEN.people, GIVEN.events.drop("time", "kind"), GIVEN.feeds)) == "events lacks kind, time"
    assert refused(Inputs(GIVEN.people, GIVEN.events, GIVEN.feeds.drop("site_id"))) == "feeds lacks site_id"


def test_a_covariate_that_is_not_there_is_named() -> None:
    assert refused(GIVEN, comparison=Comparison(registration="reg_1", covariates=("age",))) == "people lacks age"


@pytest.mark.parametrize(("column", "value"), [("kind", "SECRET"), ("warrant_kind", "SECRET"), ("level", "SECRET")])
def test_an_unknown_word_is_refused_and_not_repeated(column: str, value: str) -> None:
    events = GIVEN.events.lazy().collect().with_columns(pl.lit(value).alias(column))
    assert refused(Inputs(GIVEN.people, events, GIVEN.feeds)) == "events holds a value that does not fit its column"


@pytest.mark.parametrize("column", ["t0", "eligible", "study_id", "door"])
def test_a_person_without_what_is_needed_is_refused(column: str) -> None:
    people = GIVEN.people.lazy().collect().with_columns(pl.lit(None).alias(column))
    assert refused(Inputs(people, GIVEN.events, GIVEN.feeds)) == f"people has rows without {column}"


@pytest.mark.parametrize("column", ["kind", "agency_id"])
def test_an_event_without_what_is_needed_is_refused(column: str) -> None:
    events = GIVEN.events.lazy().collect().with_columns(pl.lit(None).alias(column))
    assert refused(Inputs(GIVEN.people, events, GIVEN.feeds)) == f"events has rows without {column}"


def test_optional_columns_may_be_absent_and_frames_lazy() -> None:
    events = GIVEN.events.lazy().select("event_id", "study_id", "kind", "time", "agency_id")
    people = GIVEN.people.lazy().drop("intake_time", "left_time", "index_event_id", "intake_clock_days")
    feeds = GIVEN.feeds.lazy().drop("gaps")
    assert evaluate(Inputs(people, events, feeds), a_request()) == evaluate(GIVEN, a_request())


def test_nobody_at_all_is_a_report_without_groups() -> None:
    report = reported(inputs([], [], [a_feed()]))
    assert (report.groups, report.effects, report.observed) == ((), (), ())
