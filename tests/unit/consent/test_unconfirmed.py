"""A link that only a rule found never makes a decision show more (Hypothesis); what it withholds, it withholds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from services.consent.decide import Asker, Record, decide
from services.consent.held import Held
from services.consent.policy.rows import PURPOSES
from services.shared.sharing.need import words
from services.shared.sharing.purposes import ROLES
from tests.support.clock import NOON
from tests.unit.consent.builders import (
    AGENCIES,
    CATEGORIES,
    PARTICIPANT,
    REFERRAL,
    a_consent,
    a_fact,
    a_qsoa,
    a_registry,
    about,
    an_agreement,
    an_approval,
    role_of,
    the_person,
)
from tests.unit.consent.policy_asking import the_policy
from tests.unit.consent.test_decide_laws import helds, questions

REGISTRY = a_registry(an_agreement(), an_approval(), a_qsoa("recovery", "treatment"))
FACTS = ("SITE", "INCIDENT", "ROUTED", "DISPATCHED", "ADDRESSED", "COMMUNITY")


def shown(asker: Asker, source: str, record: str, held: Held, now: datetime = NOON) -> int:
    return decide(the_policy(), REGISTRY, asker, Record(held.subject_id, source, record), held, now).visible


def unlinked(held: Held) -> Held:
    return replace(held, participant_id="", participant_facts=(), consents=())


@given(questions(), helds(), st.integers(0, 59))
def test_a_link_that_a_rule_found_never_shows_more(question: tuple[Asker, str, str], held: Held, seconds: int) -> None:
    asker, source, record = question
    caseload = a_fact("CASELOAD", asker.agency_id or "outreach", PARTICIPANT)
    linked = replace(held, participant_facts=(*held.participant_facts, caseload)).found_by_rule()
    now = NOON + timedelta(seconds=seconds)
    assert not shown(asker, source, record, linked, now) & ~shown(asker, source, record, unlinked(held), now)


@given(helds())
def test_nothing_of_the_participant_but_his_safety_comes_with_it(held: Held) -> None:
    linked = held.found_by_rule()
    assert (linked.participant_id, linked.consents) == ("", ())
    assert {stated.fact for stated in linked.participant_facts} <= {"SAFETY"}
    assert linked.facts == held.facts
    assert linked.is_unsafe(NOON) == held.is_unsafe(NOON)
    assert linked.agencies() <= held.agencies()


def all_known_and_released(agency: str) -> Held:
    """Every fact stated for this agency, and everything released to it: nothing is withheld."""
    release = a_consent(
        source_agency_ids=tuple(AGENCIES),
        recipient_agency_ids=tuple(AGENCIES),
        categories=CATEGORIES,
        purposes=PURPOSES,
    )
    return about(release, facts=[a_fact(fact, agency, site_id="north") for fact in FACTS])


def test_it_shows_no_role_more_of_any_category_for_any_purpose_when_all_else_is_true() -> None:
    opened_by_a_person: set[str] = set()
    for role in ROLES:
        own = [one.agency_id for one in AGENCIES.values() if role_of(one.kind) == role]
        for agency in ("", "outreach", *own[:1]):
            confirmed = all_known_and_released(agency)
            for purpose, source in product(PURPOSES, ("police", "outreach", "recovery")):
                asker = replace(the_person(), matrix_role=role, agency_id=agency, purpose=purpose)
                bare = shown(asker, source, REFERRAL, unlinked(confirmed))
                more = shown(asker, source, REFERRAL, confirmed.found_by_rule()) & ~bare
                assert not more, (role, agency, purpose, source, words(more))
                opened_by_a_person |= set(words(shown(asker, source, REFERRAL, confirmed) & ~bare))
    # It would hold as well if nothing could be opened at all.
    assert opened_by_a_person >= {"PROGRAM_STATUS", "SUD_TREATMENT", "HOUSING", "CASE_NOTES"}
