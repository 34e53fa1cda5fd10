"""The limit on an amount: exact at its edge, and open wherever the amount is not known."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import pytest

from services.referral.screening import Charge, Screening, Substance
from services.referral.screening.units import amount_in
from services.shared.sites.rules import MaxQuantity
from tests.unit.referral.screening_builders import (
    SANTA_FE,
    SEATTLE,
    a_charge,
    a_site_with,
    a_substance,
    reason_for,
    screened,
)


def _with(*substances: Substance, site: str = "seattle") -> Screening:
    return screened(SEATTLE if site == "seattle" else SANTA_FE, charges=(a_charge(*substances),))


def test_three_grams_pass_and_a_tenth_more_does_not() -> None:
    assert "max_quantity" in _with(a_substance("3")).passed
    reason = reason_for(_with(a_substance("3.1")), "max_quantity")
    assert (reason.effect, reason.input, reason.limit) == ("PRESUMPTIVELY_INELIGIBLE", "3.1 g", "at most 3 g")
    assert (reason.quotes, reason.restricted) == ("CHARGE", False)


def test_a_limit_that_is_itself_out_is_data() -> None:
    # As one county's press wording has it: "2 g or more".
    site = a_site_with("max_quantity", MaxQuantity(limit=Decimal(2), unit="g", inclusive=False))
    assert screened(site, charges=(a_charge(a_substance("1.99")),)).result == "ELIGIBLE"
    reason = reason_for(screened(site, charges=(a_charge(a_substance("2")),)), "tried")
    assert reason.limit == "less than 2 g"


@pytest.mark.parametrize(
    ("quantity", "unit", "shown"),
    [
        (None, "g", "amount not given"),
        (None, None, "amount not given"),
        ("4", None, "4, unit not reported"),
        ("0", "XX", "0, unit not reported"),
        ("1", "NOT_REPORTED", "1, unit not reported"),
        ("1", "handfuls", "1, unit not reported"),
        ("4", "DOSAGE_UNIT", "4 dosage_units"),
        ("1", "LT", "1 l"),
        ("-1", "g", "-1 g"),
        ("NaN", "g", "NaN g"),
    ],
)
def test_an_amount_that_cannot_be_compared_is_asked_for_and_never_zero(
    quantity: str | None, unit: str | None, shown: str
) -> None:
    reason = reason_for(_with(a_substance(quantity, unit)), "max_quantity")
    assert (reason.effect, reason.input) == ("NEEDS_INFO", shown)
    assert "name, amount and unit" in reason.text


def test_zero_is_an_amount() -> None:
    assert "max_quantity" in _with(a_substance("0")).passed


@pytest.mark.parametrize("code", ["35A", "35a "])
def test_a_drug_charge_without_a_drug_is_asked_for(code: str) -> None:
    screening = screened(SEATTLE, charges=(Charge(offense_code=code),))
    assert reason_for(screening, "max_quantity").input == "no drug listed"
    by_incident = screened(SEATTLE, charges=(Charge(offense_code="90Z"),), incident_codes=(code,))
    assert reason_for(by_incident, "max_quantity").effect == "NEEDS_INFO"


def test_a_bare_arrest_code_asks_for_no_drug_that_the_charge_lists() -> None:
    assert "max_quantity" in screened(SEATTLE, incident_codes=("35A",)).passed


def test_a_charge_that_is_about_no_drug_needs_no_amount() -> None:
    assert "max_quantity" in screened(SEATTLE, charges=(Charge(offense_code="23C"),)).passed


@pytest.mark.parametrize("site", ["seattle", "santa-fe"])
def test_prescription_pills_are_not_counted(site: str) -> None:
    pills = a_substance("90", "DOSAGE_UNIT", "Prescription  pills")
    assert "max_quantity" in _with(pills, a_substance("1"), site=site).passed


def test_pills_of_an_unlisted_kind_are_not_comparable_with_grams() -> None:
    assert reason_for(_with(a_substance("5", "DU", "fentanyl")), "max_quantity").effect == "NEEDS_INFO"


def test_drugs_are_weighed_together() -> None:
    reason = reason_for(_with(a_substance("2"), a_substance("1.5", "GM", "cocaine")), "max_quantity")
    assert reason.input == "2 g + 1.5 g"


def test_one_seizure_under_two_charges_counts_once() -> None:
    twice = (a_charge(a_substance("2")), a_charge(a_substance("2"), statute="RCW 69.50.4013"))
    assert "max_quantity" in screened(SEATTLE, charges=twice).passed


@pytest.mark.parametrize(("weighed", "result"), [("EACH", "ELIGIBLE"), ("TOGETHER", "PRESUMPTIVELY_INELIGIBLE")])
def test_a_site_says_whether_drugs_are_weighed_together(weighed: Literal["EACH", "TOGETHER"], result: str) -> None:
    site = a_site_with("max_quantity", MaxQuantity(limit=Decimal(3), unit="g", inclusive=True, weighed=weighed))
    two = a_charge(a_substance("2"), a_substance("2", drug="cocaine"))
    assert screened(site, charges=(two,)).result == result


def test_a_limit_on_opiates_leaves_other_drugs_alone() -> None:
    assert _with(a_substance("20", drug="cocaine"), site="santa-fe").result == "ELIGIBLE"
    assert _with(a_substance("6"), site="santa-fe").result == "ELIGIBLE"
    assert _with(a_substance("6.01"), site="santa-fe").result == "PRESUMPTIVELY_INELIGIBLE"


def test_a_drug_that_the_pack_does_not_know_matters_only_above_the_limit() -> None:
    assert _with(a_substance("6", drug=None), site="santa-fe").result == "ELIGIBLE"
    reason = reason_for(_with(a_substance("4"), a_substance("4", drug="X"), site="santa-fe"), "max_quantity")
    assert (reason.effect, reason.input) == ("NEEDS_INFO", "4 g + 4 g, drug not known")


@pytest.mark.parametrize(
    ("quantity", "unit", "grams"),
    [("500", "mg", "0.5"), ("1", "OZ", "28.349523125"), ("2", "kilogram", "2000"), ("1", "lb", "453.59237")],
)
def test_weights_compare_in_grams(quantity: str, unit: str, grams: str) -> None:
    assert amount_in("g", Decimal(quantity), unit) == Decimal(grams)


def test_an_absurd_amount_is_over_every_limit() -> None:
    assert _with(a_substance("9E+999999")).result == "PRESUMPTIVELY_INELIGIBLE"
