"""The screening as a whole: its result, its reasons, and what it must never depend on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.screening import RESULTS, Charge, ScreeningFacts, Substance, screen, worst
from services.referral.screening.checks import CHECKS
from services.shared.sites import Site
from services.shared.sites.rules import KINDS, PROGRAMME_KINDS
from services.shared.sites.words import DOORS
from tests.unit.referral.screening_builders import (
    NOW,
    SANTA_FE,
    SEATTLE,
    SITES,
    a_charge,
    a_substance,
    reason_for,
    screened,
    some_facts,
)

substances = st.builds(
    Substance,
    drug=st.sampled_from([None, "heroin", "D", "oxycodone", "cocaine", "something else"]),
    quantity=st.none() | st.decimals(min_value=0, max_value=20, places=2),
    unit=st.sampled_from([None, "g", "GM", "mg", "oz", "DOSAGE_UNIT", "NOT_REPORTED", "XX", "bags"]),
)
charges = st.builds(
    Charge,
    statute=st.sampled_from([None, "RCW 69.50.4013", "RCW 69.50.401(2)", "NMSA 30-3-2", "SMC 12A.08.060"]),
    offense_code=st.sampled_from([None, "35A", "13A", "13B", "23C", "90Z", "240", "64A"]),
    level=st.sampled_from([None, "FELONY", "GM", "misdemeanour", "odd"]),
    activities=st.sampled_from([(), ("distributing or selling",), ("using or consuming",)]),
    substances=st.lists(substances, max_size=3).map(tuple),
)
answers = st.sampled_from(["CLEAR", "DISQUALIFYING", "NOT_CHECKED"])
rule_names = st.sampled_from(sorted({rule.name for site in SITES.values() for rule in site.rules}))
observed = st.sampled_from(["amenable", "exploits_minors", "promotes_prostitution", "for_profit"])
facts_of_any_kind = st.builds(
    ScreeningFacts,
    door=st.sampled_from(DOORS),
    charges=st.lists(charges, max_size=3).map(tuple),
    incident_codes=st.lists(st.sampled_from(["35A", "13A", "90Z"]), max_size=2).map(tuple),
    birth_date=st.sampled_from([None, "1990", "2008", "2008-03", "2012-01-01", "not a date"]),
    age_range=st.none() | st.sampled_from([(30, 30), (15, 17), (16, 19), (99, None)]),
    incident_time=st.none() | st.just(NOW),
    observations=st.dictionaries(observed, st.none() | st.booleans()),
    attestations=st.dictionaries(rule_names, answers),
    referrer_role=st.sampled_from([None, "police_officer", "program_manager", "participant"]),
)
sites = st.sampled_from([SEATTLE, SANTA_FE])


@given(sites, facts_of_any_kind)
def test_result_is_the_worst_of_the_reasons(site: Site, facts: ScreeningFacts) -> None:
    screening = screen(site, facts, NOW)
    assert screening.result == worst(reason.effect for reason in screening.reasons)
    places = [RESULTS.index(reason.effect) for reason in screening.reasons]
    assert places == sorted(places)


@given(sites, facts_of_any_kind)
def test_every_reason_names_rule_words_input_and_limit(site: Site, facts: ScreeningFacts) -> None:
    screening = screen(site, facts, NOW)
    for reason in screening.reasons:
        assert all([reason.rule, reason.text, reason.input, reason.limit])
    assert (screening.policy_id, screening.policy_version) == (site.policy.id, site.policy.version)


@given(sites, facts_of_any_kind)
def test_every_rule_of_the_door_either_passed_or_has_a_reason(site: Site, facts: ScreeningFacts) -> None:
    screening = screen(site, facts, NOW)
    reasons = {reason.rule for reason in screening.reasons}
    assert not reasons & set(screening.passed)
    assert {rule.name for rule in site.rules_for(facts.door)} == (reasons - {"door"}) | set(screening.passed)


def _with_charge(charge: Charge) -> Callable[[ScreeningFacts], ScreeningFacts]:
    return lambda facts: replace(facts, charges=(*facts.charges, charge))


def _observing(name: str, seen: bool) -> Callable[[ScreeningFacts], ScreeningFacts]:
    return lambda facts: replace(facts, observations={**facts.observations, name: seen})


def _attesting(rule: str) -> Callable[[ScreeningFacts], ScreeningFacts]:
    return lambda facts: replace(facts, attestations={**facts.attestations, rule: "DISQUALIFYING"})


DISQUALIFYING = [
    _with_charge(Charge(offense_code="13A")),
    _with_charge(Charge(statute="RCW 9A.36.011")),
    _with_charge(a_charge(a_substance("50"))),
    lambda facts: replace(facts, incident_codes=(*facts.incident_codes, "120")),
    lambda facts: replace(facts, birth_date="2015"),
    _observing("amenable", seen=False),
    _observing("exploits_minors", seen=True),
    _observing("for_profit", seen=True),
    _attesting("conviction_ever"),
    _attesting("conviction"),
]


@given(sites, facts_of_any_kind, st.sampled_from(DISQUALIFYING))
def test_a_disqualifying_fact_never_improves_the_result(
    site: Site, facts: ScreeningFacts, worsen: Callable[[ScreeningFacts], ScreeningFacts]
) -> None:
    before, after = screen(site, facts, NOW).result, screen(site, worsen(facts), NOW).result
    assert RESULTS.index(after) <= RESULTS.index(before)


@given(sites, facts_of_any_kind, substances, st.data())
def test_another_substance_under_a_charge_that_lists_some_never_improves_the_result(
    site: Site, facts: ScreeningFacts, more: Substance, data: st.DataObject
) -> None:
    first = a_charge(data.draw(substances))
    before = screen(site, replace(facts, charges=(first, *facts.charges)), NOW).result
    longer = replace(first, substances=(*first.substances, more))
    after = screen(site, replace(facts, charges=(longer, *facts.charges)), NOW).result
    assert RESULTS.index(after) <= RESULTS.index(before)


@given(sites, facts_of_any_kind)
def test_what_the_programme_alone_knows_gives_the_same_reason_for_everybody(site: Site, facts: ScreeningFacts) -> None:
    owned = {rule.name for rule in site.rules_for(facts.door) if rule.kind in PROGRAMME_KINDS}
    given_now = [reason for reason in screen(site, facts, NOW).reasons if reason.rule in owned]
    standard = [r for r in screen(site, some_facts(site, facts.door), NOW).reasons if r.rule in owned]
    assert given_now == standard
    assert {reason.effect for reason in given_now} <= {"PROGRAMME_REVIEW"}


def test_good_facts_are_eligible_in_santa_fe_and_left_to_the_programme_in_seattle() -> None:
    assert screened(SANTA_FE).result == "ELIGIBLE"
    seattle = screened(SEATTLE)
    assert seattle.result == "PROGRAMME_REVIEW"
    assert [reason.rule for reason in seattle.reasons] == ["order_protecting_participant"]


def test_a_presumption_says_who_has_the_final_word() -> None:
    reason = reason_for(screened(SANTA_FE, charges=(a_charge(a_substance("7")),)), "max_quantity")
    assert reason.text.endswith(SANTA_FE.policy.presumption)


def test_a_closed_door_is_a_reason() -> None:
    screening = screen(SANTA_FE, some_facts(SANTA_FE, "COMMUNITY"), NOW)
    assert [(reason.rule, reason.input) for reason in screening.reasons] == [("door", "COMMUNITY")]


@pytest.mark.parametrize("now", [datetime(2023, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, 12, tzinfo=UTC)])
def test_a_day_without_a_policy_is_left_to_the_programme(now: datetime) -> None:
    policy = replace(SANTA_FE.policy, effective_to=datetime(2027, 1, 1, tzinfo=UTC).date())
    screening = screen(replace(SANTA_FE, policy=policy), some_facts(SANTA_FE), now)
    assert screening.result == "PROGRAMME_REVIEW"
    assert reason_for(screening, "policy_in_effect").limit == "from 2024-01-01 and before 2027-01-01"


def test_reasons_that_rest_on_a_history_check_are_kept_apart() -> None:
    screening = screened(SEATTLE, attestations={"conviction_ever": "DISQUALIFYING"}, birth_date=None)
    assert {reason.rule for reason in screening.restricted_reasons} == set(SEATTLE.attested_rules("ARREST_DIVERSION"))
    assert {reason.rule for reason in screening.open_reasons} == {"min_age", "order_protecting_participant"}
    assert {reason.quotes for reason in screening.restricted_reasons} == {"OFFICER_NARRATIVE"}


def test_every_kind_that_a_pack_may_use_has_a_check() -> None:
    assert CHECKS.keys() == KINDS.keys()


@given(sites, st.decimals(min_value=0, max_value=100, places=3))
def test_a_known_amount_decides_by_the_limit_alone(site: Site, quantity: Decimal) -> None:
    limit = 3 if site is SEATTLE else 6
    rules = {reason.rule for reason in screened(site, charges=(a_charge(a_substance(str(quantity))),)).reasons}
    assert ("max_quantity" in rules) is (quantity > limit)
