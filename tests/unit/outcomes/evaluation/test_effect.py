from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit
from scipy.stats import binom

from services.outcomes.evaluation import gee
from services.outcomes.evaluation.covariates import covariates
from services.outcomes.evaluation.effect import effect
from services.outcomes.evaluation.gee import by_gee, by_sandwich
from services.outcomes.evaluation.report import DoorEffect
from services.outcomes.evaluation.request import Comparison
from services.outcomes.evaluation.windows import calendar
from services.outcomes.evaluation.wording import NO_COMPARISON, NOT_ESTIMABLE, TOO_FEW
from tests.unit.outcomes.evaluation.builders import Row, a_person, an_event, at, inputs, reported

PLAIN = Comparison(registration="reg_1")
WEIGHTED = Comparison(registration="reg_1", covariates=("homeless",))
SENTENCE = "No comparison group: this is not an effect."

# Who is homeless is likelier in LEAD, and is arrested more, the more so after t0.
LEAD_SHARE = {0: 0.3, 1: 0.6}
BEFORE = {0: 0.4, 1: 0.6}
AFTER = {(0, 0): 0.3, (0, 1): 0.75, (1, 0): 0.15, (1, 1): 0.5}  # (LEAD, homeless)
REPETITIONS, PEOPLE = 300, 400


def a_study(draw: np.random.Generator, people: int = PEOPLE) -> pl.DataFrame:
    homeless = draw.random(people) < 0.5
    lead = draw.random(people) < np.where(homeless, LEAD_SHARE[1], LEAD_SHARE[0])
    before = draw.random(people) < np.where(homeless, BEFORE[1], BEFORE[0])
    after = draw.random(people) < [AFTER[int(arm), int(home)] for arm, home in zip(lead, homeless, strict=True)]
    return pl.DataFrame(
        {"homeless": homeless, "lead": lead, "before_EXACT": before, "after_EXACT": after}
    ).with_columns(arm=pl.when("lead").then(pl.lit("LEAD")).otherwise(pl.lit("COMPARISON")))


def truth(estimand: str) -> tuple[float, float]:
    """The odds ratio and risk difference in a population in which both arms are alike: everybody, or the LEAD arm."""
    home = 0.5 if estimand == "ATE" else LEAD_SHARE[1] / (LEAD_SHARE[0] + LEAD_SHARE[1])
    before = (1 - home) * BEFORE[0] + home * BEFORE[1]
    lead, compared = ((1 - home) * AFTER[arm, 0] + home * AFTER[arm, 1] for arm in (1, 0))
    # Both arms start from the same risk: the interaction is the difference after.
    return float(np.exp(logit(lead) - logit(compared))), float(
        lead - expit(logit(before) + logit(compared) - logit(before))
    )


def found(frame: pl.DataFrame, comparison: Comparison) -> DoorEffect:
    return effect(frame, "ARREST_DIVERSION", comparison, ("EXACT",))


@pytest.mark.slow
def test_a_known_odds_ratio_and_risk_difference_are_found_and_not_without_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Summed at once, for speed; two tests below hold that to statsmodels' GEE.
    monkeypatch.setattr(gee, "_ONE_BY_ONE", 0)
    draw = np.random.default_rng(11)
    weighted, bare = {"ATE": [0, 0], "ATT": [0, 0]}, 0
    for _ in range(REPETITIONS):
        frame = a_study(draw)
        for each in found(frame, WEIGHTED).effects:
            for at_, (estimate, true) in enumerate(
                zip((each.odds_ratio, each.risk_difference), truth(each.estimand), strict=True)
            ):
                weighted[each.estimand][at_] += estimate.low <= true <= estimate.high  # type: ignore[operator]
        unweighted = found(frame, PLAIN).effects[0].odds_ratio
        bare += unweighted.low <= truth("ATE")[0] <= unweighted.high  # type: ignore[operator]
    low, high = (int(binom.ppf(each, REPETITIONS, 0.95)) for each in (0.0005, 0.9995))
    assert all(low <= count <= high for counts in weighted.values() for count in counts), weighted
    assert bare < low


def test_covariates_are_balanced_by_the_weights() -> None:
    (row,) = found(a_study(np.random.default_rng(1)), WEIGHTED).balance
    assert row.covariate == "homeless"
    assert row.difference is not None
    assert row.difference > 0.3
    assert row.difference_ate == pytest.approx(0, abs=0.05)
    assert row.difference_att == pytest.approx(0, abs=0.05)


def test_an_effect_without_covariates_is_that_of_the_two_by_two_tables() -> None:
    # Before t0 20 of 40 in both arms; after it 10 of 40 in LEAD, 20 of 40 compared: odds 1/3 against 1.
    frame = pl.DataFrame(
        {
            "arm": ["LEAD"] * 40 + ["CONTROL"] * 40,
            "before_EXACT": ([True] * 20 + [False] * 20) * 2,
            "after_EXACT": [True] * 10 + [False] * 30 + [True] * 20 + [False] * 20,
        }
    )
    for each in found(frame, PLAIN).effects:
        assert each.odds_ratio.value == pytest.approx(1 / 3)
        assert each.risk_difference.value == pytest.approx(-0.25)
        assert (each.lead, each.comparison, each.smallest) == (40, 40, 10)


def test_gee_and_the_summed_sandwich_are_the_same() -> None:
    draw = np.random.default_rng(3)
    people = 500
    group, after = np.tile(draw.integers(0, 2, people).astype(float), 2), np.repeat([0.0, 1.0], people)
    x = np.column_stack([np.ones(2 * people), group, after, group * after])
    y = (draw.random(2 * people) < 0.4).astype(float)
    person, weight = np.tile(np.arange(people), 2), np.tile(draw.uniform(0.3, 3, people), 2)
    one, other = by_gee(y, x, person, weight), by_sandwich(y, x, person, weight)
    assert other.beta == pytest.approx(one.beta, abs=1e-6)
    assert other.covariance == pytest.approx(one.covariance, rel=1e-5)


def test_many_people_are_summed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = a_study(np.random.default_rng(5))
    one_by_one = found(frame, WEIGHTED).effects
    monkeypatch.setattr(gee, "_ONE_BY_ONE", 0)
    at_once = found(frame, WEIGHTED).effects
    for one, other in zip(one_by_one, at_once, strict=True):
        assert other.odds_ratio.value == pytest.approx(one.odds_ratio.value, rel=1e-5)
        assert other.odds_ratio.high == pytest.approx(one.odds_ratio.high, rel=1e-4)


def test_arms_that_do_not_overlap_give_no_estimate() -> None:
    frame = a_study(np.random.default_rng(1)).with_columns(homeless=pl.col("lead"))
    assert found(frame, WEIGHTED).sentence == NOT_ESTIMABLE


def test_outcomes_that_nobody_in_an_arm_has_give_no_estimate() -> None:
    frame = a_study(np.random.default_rng(1)).with_columns(after_EXACT=pl.col("after_EXACT") & ~pl.col("lead"))
    assert found(frame, PLAIN).sentence == NOT_ESTIMABLE


def test_an_arm_under_eleven_gives_no_estimate() -> None:
    frame = a_study(np.random.default_rng(1))
    few = pl.concat([frame.filter("lead"), frame.filter(~pl.col("lead")).head(10)])
    assert found(few, PLAIN).sentence == TOO_FEW


def test_words_and_gaps_become_columns_of_their_own() -> None:
    frame = pl.DataFrame({"race": ["a", "b", None, "a"], "age": [20, None, 40, 30], "same": [1, 1, 1, 1]})
    known = covariates(frame, ("race", "age", "same"))
    assert known.names == ("race: a", "race: b", "race: unknown", "age", "age: unknown")
    assert known.values[:, 3].tolist() == [20, 30, 40, 30]
    assert known.yes_no == (True, True, True, False, True)


def cohort(comparison_door: str = "ARREST_DIVERSION", arm: str = "COMPARISON") -> tuple[list[Row], list[Row]]:
    """24 people an arm. Before t0 half of each; after it a quarter of LEAD, half of the others."""
    people, events = [], []
    for n in range(48):
        lead = n < 24
        people.append(a_person(n, **({} if lead else {"arm": arm, "offered": False, "door": comparison_door})))
        if n % 2:
            events.append(an_event(n, "ARREST", "2023-10-01"))
        if n % (4 if lead else 2) == 0:
            events.append(an_event(n, "ARREST", "2024-03-01"))
    return people, events


def test_a_report_compares_both_sides_of_t0() -> None:
    # Odds before: 1 in both arms; after: 6/18 in LEAD, 12/12 compared.
    (door,) = reported(inputs(*cohort()), comparison=PLAIN).effects
    assert door.sentence is None
    assert door.registration == "reg_1"
    assert {each.estimand: round(each.odds_ratio.value, 6) for each in door.effects} == {
        "ATE": pytest.approx(1 / 3, abs=1e-5),
        "ATT": pytest.approx(1 / 3, abs=1e-5),
    }


def test_what_happened_at_t0_or_longer_ago_than_the_window_is_not_before() -> None:
    people, events = cohort()
    more = [an_event(n, "ARREST", at("2024-01-10 12:00")) for n in range(0, 24, 2)]
    more += [an_event(n, "ARREST", at("2023-07-10 12:00")) for n in range(0, 24, 2)]
    bare, same = (reported(inputs(people, rows), comparison=PLAIN).effects for rows in (events, events + more))
    assert bare == same
    inside = [an_event(n, "ARREST", at("2023-07-10 12:00:01")) for n in range(0, 24, 2)]
    assert reported(inputs(people, events + inside), comparison=PLAIN).effects != bare


def test_warrants_for_what_was_before_are_left_out_on_both_sides_of_t0() -> None:
    # Before the window before t0, that is: conduct of August 2023 is new in the window from July 2023 on.
    people, events = cohort()
    warrants = [
        an_event(n, "ARREST", "2023-09-01", warrant_kind="PRIOR_OFFENCE", offence_time=at("2023-06-01"))
        for n in range(0, 24, 2)
    ]
    newer = [row | {"offence_time": at("2023-08-01")} for row in warrants]
    bare, older, new = (
        reported(inputs(people, rows), "ARR_NEWCONDUCT", comparison=PLAIN).effects
        for rows in (events, events + warrants, events + newer)
    )
    assert bare == older
    assert bare != new
    assert [each.bound for each in bare[0].effects] == ["LOWER", "LOWER", "UPPER", "UPPER"]


def test_a_calendar_window_is_adjusted_for_exposure() -> None:
    people, events = cohort()
    for n, row in enumerate(people):
        row["t0"] = at(f"2024-01-{10 + n % 7:02} 12:00")
    window = calendar(at("2023-07-01"), at("2024-07-01"))
    (door,) = reported(inputs(people, events), window=window, comparison=PLAIN).effects
    assert door.sentence is None
    assert door.effects[0].odds_ratio.value == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize(
    ("given", "comparison", "population"),
    [
        (cohort(), None, "ITT"),
        # Nobody of the arm that was registered.
        (cohort(), Comparison(registration="reg_1", arms=("CONTROL",)), "ITT"),
        # The social door has no arrested comparison.
        (cohort("SOCIAL_CONTACT"), PLAIN, "ITT"),
        # Nobody compared could have completed intake.
        (cohort(), PLAIN, "COMPLETERS"),
    ],
)
def test_without_a_registered_comparison_the_sentence_stands(
    given: tuple[list[Row], list[Row]], comparison: Comparison | None, population: str
) -> None:
    people = [row | {"intake_time": at("2024-01-20")} for row in given[0]]
    report = reported(inputs(people, given[1]), comparison=comparison, population=population)
    assert report.effects
    assert {door.sentence for door in report.effects} == {SENTENCE} == {NO_COMPARISON}
    assert all(door.effects == () for door in report.effects)


def test_the_social_door_has_no_effect_beside_one_that_has() -> None:
    people, events = cohort()
    people += [a_person(f"s{n}", door="SOCIAL_CONTACT") for n in range(20)]
    arrest, social = reported(inputs(people, events), comparison=PLAIN).effects
    assert (arrest.sentence, social.sentence) == (None, SENTENCE)


def test_before_and_after_in_one_group_are_never_called_an_effect() -> None:
    people, events = cohort()
    report = reported(inputs(people[:24], events), comparison=PLAIN)
    assert report.effects[0].sentence == SENTENCE
    assert any("never an effect" in each for each in report.notes)
