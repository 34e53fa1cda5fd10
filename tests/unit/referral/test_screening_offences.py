"""What somebody is charged with: by code, statute, level and activity, and the worse of offence and arrest."""

from __future__ import annotations

import pytest

from services.referral.screening import Charge
from services.shared.sites import Site
from services.shared.sites.rules import Offences
from tests.unit.referral.screening_builders import (
    SANTA_FE,
    SEATTLE,
    a_charge,
    a_site_with,
    reason_for,
    screened,
)

BOTH = pytest.mark.parametrize("site", [SEATTLE, SANTA_FE], ids=lambda site: str(site.id))


@BOTH
@pytest.mark.parametrize("code", ["13A", "64A", "120", "13a"])
def test_a_serious_offence_is_presumed_ineligible_with_the_reason(site: Site, code: str) -> None:
    screening = screened(site, charges=(Charge(offense_code=code),))
    reason = reason_for(screening, "serious_offence")
    assert screening.result == "PRESUMPTIVELY_INELIGIBLE"
    assert (reason.input, reason.limit, reason.quotes) == (code, "no serious offence", "CHARGE")


@BOTH
@pytest.mark.parametrize("code", ["35A", "90Z", "23C"])
def test_low_level_offences_give_no_reason(site: Site, code: str) -> None:
    screening = screened(site, charges=(a_charge(offense_code=code),))
    assert screening.result == screened(site).result


def test_conduct_outside_the_list_is_left_to_the_programme() -> None:
    reason = reason_for(screened(SEATTLE, charges=(Charge(offense_code="240"),)), "divertible_conduct")
    assert (reason.effect, reason.input) == ("PROGRAMME_REVIEW", "240")


@BOTH
def test_offence_and_arrest_codes_are_both_screened_and_the_worse_wins(site: Site) -> None:
    minor_arrest = screened(site, charges=(Charge(offense_code="240"),), incident_codes=("64A",))
    minor_offence = screened(site, charges=(Charge(offense_code="64A"),), incident_codes=("240",))
    assert minor_arrest.result == minor_offence.result == "PRESUMPTIVELY_INELIGIBLE"
    assert reason_for(minor_arrest, "serious_offence").input == "64A"


@pytest.mark.parametrize(
    ("statute", "is_delivery"),
    [
        ("RCW 69.50.401", True),
        ("69.50.401(1)", True),
        ("rcw 69.50.401 (2)(a)", True),
        ("RCW 69.50.4013", False),
        ("SMC 69.50.401", False),
    ],
)
def test_delivery_is_told_by_statute_and_not_confused_with_possession(statute: str, is_delivery: bool) -> None:
    rules = {reason.rule for reason in screened(SEATTLE, charges=(a_charge(statute=statute),)).reasons}
    assert ("delivery" in rules) is is_delivery


def test_delivery_is_told_by_the_activity_of_a_drug_offence() -> None:
    selling = screened(SEATTLE, charges=(a_charge(activities=("distributing or selling",)),))
    assert reason_for(selling, "delivery").input == "35A, FELONY, distributing or selling"
    using = screened(SEATTLE, charges=(a_charge(activities=("using or consuming",)),))
    assert "delivery" in using.passed


def test_subsistence_sale_is_no_bar_in_santa_fe() -> None:
    selling = a_charge(activities=("distributing or selling",), statute="NMSA 30-31-20")
    assert screened(SANTA_FE, charges=(selling,)).result == "ELIGIBLE"
    dealer = screened(SANTA_FE, charges=(selling,), observations={"amenable": True, "for_profit": True})
    assert reason_for(dealer, "for_profit").effect == "PRESUMPTIVELY_INELIGIBLE"


def test_a_charge_without_statute_and_code_is_asked_for() -> None:
    screening = screened(SANTA_FE, charges=(Charge(description="something"),))
    assert reason_for(screening, "serious_offence").input == "neither statute nor offence code given"
    assert screening.result == "NEEDS_INFO"


def test_an_arrest_without_a_charge_is_asked_for_and_a_social_contact_needs_none() -> None:
    arrest = screened(SANTA_FE, charges=())
    assert reason_for(arrest, "serious_offence").input == "no charge given"
    assert screened(SANTA_FE, door="SOCIAL_CONTACT", charges=()).result == "ELIGIBLE"


@pytest.mark.parametrize(
    ("level", "result"),
    [
        ("FELONY", "PRESUMPTIVELY_INELIGIBLE"),
        ("felony b", "PRESUMPTIVELY_INELIGIBLE"),
        ("F", "PRESUMPTIVELY_INELIGIBLE"),
        ("gross misdemeanour", "ELIGIBLE"),
        (None, "NEEDS_INFO"),
        ("unheard of", "NEEDS_INFO"),
    ],
)
def test_a_rule_may_go_by_level(level: str | None, result: str) -> None:
    site = a_site_with("offence_not_in", Offences(called="felony", levels=("FELONY",)))
    assert screened(site, charges=(a_charge(level=level),)).result == result


def test_no_other_crime_names_each_charge_that_is_another() -> None:
    site = a_site_with("no_other_crime", Offences(called="possession", codes=("35A",)))
    assert screened(site).result == "ELIGIBLE"
    screening = screened(site, charges=(a_charge(), Charge(offense_code="23C"), Charge(offense_code="90J")))
    assert [reason.input for reason in screening.reasons] == ["23C", "90J"]
