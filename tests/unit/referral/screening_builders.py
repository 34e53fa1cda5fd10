"""Facts that every rule is happy with, and sites of one rule, for the screening's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from services.referral.screening import Charge, Reason, Screening, ScreeningFacts, Substance, screen
from services.shared.places import site_packs
from services.shared.sites import Rule, Site, load_sites

SITES = load_sites(site_packs())
SEATTLE, SANTA_FE = SITES["seattle"], SITES["santa-fe"]
NOW = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)

_OBSERVED = {"amenable": True, "exploits_minors": False, "promotes_prostitution": False, "for_profit": False}


def a_substance(quantity: str | None = "1", unit: str | None = "g", drug: str | None = "heroin") -> Substance:
    return Substance(drug=drug, quantity=None if quantity is None else Decimal(quantity), unit=unit)


def a_charge(*substances: Substance, **changes: Any) -> Charge:
    possession = Charge(id="chg", offense_code="35A", level="FELONY", substances=substances or (a_substance(),))
    return replace(possession, **changes)


def some_facts(site: Site = SEATTLE, door: str = "ARREST_DIVERSION", **changes: Any) -> ScreeningFacts:
    """Facts that the site's rules for this door are all met by, as far as police can meet them."""
    facts = ScreeningFacts(
        door=door,
        charges=(a_charge(),),
        birth_date="1990-05-17",
        observations=_OBSERVED,
        attestations=dict.fromkeys(site.attested_rules(door), "CLEAR"),
        referrer_role="police_officer",
    )
    return replace(facts, **changes)


def a_site_with(kind: str, params: object, **changes: Any) -> Site:
    """Santa Fe with this one rule, called `tried`."""
    rule: Rule[object] = replace(SANTA_FE.rules[0], name="tried", kind=kind, params=params, **changes)
    return replace(SANTA_FE, rules=(rule,))


def screened(site: Site, **changes: Any) -> Screening:
    return screen(site, some_facts(site, **changes), NOW)


def reason_for(screening: Screening, rule: str) -> Reason:
    """The first reason that this rule gave."""
    return next(reason for reason in screening.reasons if reason.rule == rule)
