"""Samples of review, valid unless a test says otherwise. Nobody in them exists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.review.domain import Charge, ChargeFacts, Decision, ReferralFacts, Review, Screening
from services.review.opened import Opened
from tests.support.clock import NOON

OFFICE, OTHER_OFFICE, POLICE = "sample-county-prosecutor", "sample-city-attorney", "sample-city-police"
REFERRAL, SUBJECT = "ref_sample", "sub_sample"
DUE = NOON + timedelta(days=30)


def some_facts(**changes: Any) -> ReferralFacts:
    facts = ReferralFacts(
        site_id="sample-site",
        door="ARREST_DIVERSION",
        incident_number="2026-000123",
        state="SUBMITTED",
        referral_time=NOON,
        due_time=DUE,
    )
    return replace(facts, **changes)


def charge_facts(charge_id: str = "chg_1", **changes: Any) -> ChargeFacts:
    facts = ChargeFacts(id=charge_id, office_id=OFFICE, statute="RCW 9A.56.050", level="GROSS_MISDEMEANOR")
    return replace(facts, **changes)


def a_screening(result: str = "ELIGIBLE") -> Screening:
    return Screening(result=result, rules=("felony-limit",), policy_version="3")


def a_decision(value: str, number: int = 1, **changes: Any) -> Decision:
    decision = Decision(number=number, value=value, decided_at=NOON, decided_by="acc_sample", basis_digest="0" * 64)
    return replace(decision, **changes)


def a_charge(charge_id: str = "chg_1", decided: str = "", **changes: Any) -> Charge:
    charge = Charge(facts=charge_facts(charge_id), decision=a_decision(decided) if decided else None)
    return replace(charge, **changes)


def a_review(*charges: Charge, **changes: Any) -> Review:
    review = Review(
        id="rev_sample",
        office_id=OFFICE,
        referral_id=REFERRAL,
        subject_id=SUBJECT,
        source_agency_id=POLICE,
        referral_version=1,
        facts=some_facts(),
        screening=a_screening(),
        charges=charges or (a_charge(),),
    )
    return replace(review, **changes)


def an_opened(*charges: ChargeFacts, version: int = 1, **changes: Any) -> Opened:
    opened = Opened(
        referral_id=REFERRAL,
        office_id=OFFICE,
        subject_id=SUBJECT,
        source_agency_id=POLICE,
        version=version,
        facts=some_facts(),
        screening=a_screening(),
        charges=charges,
    )
    whole = replace(opened, **changes)
    return replace(
        whole,
        facts_version=version if whole.facts else 0,
        screening_version=version if whole.screening else 0,
        charges_version=version if whole.charges else 0,
    )
