"""Scope facts: which of them a decision asks for, and how long it may rest on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.consent.held import ScopeFact
from tests.support.clock import NOON
from tests.unit.consent.builders import (
    DAY,
    HANDOFF,
    OTHER_SUBJECT,
    PARTICIPANT,
    REFERRAL,
    a_consent,
    a_fact,
    about,
    an_asker,
    decided,
    seen,
)

HOUR = timedelta(hours=1)
CARE = an_asker("outreach", "HANDOFF")
HANDED_OVER = {"IDENTITY", "REFERRAL", "CONTACT_LOCATION", "ELIGIBILITY"}
REFERRED = {"IDENTITY", "REFERRAL", "CHARGE", "ELIGIBILITY", "OFFICER_NARRATIVE", "VICTIM_OF_OFFENCE"}


def a_window(**changes: Any) -> ScopeFact:
    """Dispatched to the outreach agency from an hour ago until an hour from now."""
    return a_fact("DISPATCHED", "outreach", HANDOFF, **{"from_at": NOON - HOUR, "until_at": NOON + HOUR, **changes})


def test_the_dispatched_agency_sees_the_hand_off_while_its_window_is_open() -> None:
    """Row 9."""
    assert seen(CARE, about(facts=[a_window()]), "police", HANDOFF) == HANDED_OVER


@pytest.mark.parametrize(("seconds", "is_open"), [(-3601, False), (-3600, True), (3599, True), (3600, False)], ids=str)
def test_a_window_is_open_from_its_beginning_until_just_before_its_end(seconds: int, is_open: bool) -> None:
    shown = seen(CARE, about(facts=[a_window()]), "police", HANDOFF, now=NOON + timedelta(seconds=seconds))
    assert shown == (HANDED_OVER if is_open else set())


def test_a_closed_window_shows_nothing_whatever_its_times() -> None:
    assert seen(CARE, about(facts=[a_window(closed=True)]), "police", HANDOFF) == set()


def test_a_window_serves_its_agency_alone() -> None:
    assert seen(an_asker("recovery", "HANDOFF"), about(facts=[a_window()]), "police", HANDOFF) == set()


def test_a_window_serves_its_own_record_alone() -> None:
    assert seen(CARE, about(facts=[a_window()]), "police", REFERRAL) == set()


def test_a_window_serves_a_question_about_any_record() -> None:
    assert seen(CARE, about(facts=[a_window()]), "police", "") == HANDED_OVER


def test_a_window_serves_the_hand_off_purpose_alone() -> None:
    assert seen(an_asker("outreach", "CAREMGT"), about(facts=[a_window()]), "police", HANDOFF) == set()


@pytest.mark.parametrize("source", ["recovery", "treatment", "prosecutor"])
def test_a_window_opens_what_police_and_the_programme_office_wrote_and_no_more(source: str) -> None:
    assert seen(CARE, about(facts=[a_window()]), source, HANDOFF) == set()


def test_a_decision_is_used_no_longer_than_the_window_it_rests_on() -> None:
    held = about(facts=[a_window(until_at=NOON + timedelta(seconds=11))])
    assert decided(CARE, held, "police", HANDOFF).until == NOON + timedelta(seconds=11)


def test_a_routed_office_sees_the_incident_and_another_does_not() -> None:
    """Row 4."""
    held = about(facts=[a_fact("ROUTED", "prosecutor")])
    assert seen(an_asker("prosecutor", "DIVERSION_ELIG"), held, "police") == REFERRED
    assert seen(an_asker("other-prosecutor", "DIVERSION_ELIG"), held, "police") == set()
    assert seen(an_asker("prosecutor", "DIVERSION_ELIG"), held, "outreach") == set()


def test_police_see_the_decision_on_their_own_incident_alone() -> None:
    """Row 5."""
    held = about(facts=[a_fact("INCIDENT", "police")])
    assert seen(an_asker("police", "DIVERSION_COORD"), held, "prosecutor") == {"DECISION"}
    assert seen(an_asker("sheriff", "DIVERSION_COORD"), held, "prosecutor") == set()


def test_the_programme_office_sees_its_own_site_alone() -> None:
    """Rows 3 and 7."""
    office = an_asker("office", "DIVERSION_COORD")
    assert seen(office, about(facts=[a_fact("SITE", site_id="north")]), "police") == {
        "IDENTITY",
        "REFERRAL",
        "ELIGIBILITY",
        "CHARGE",
        "DECISION",
    }
    assert seen(office, about(facts=[a_fact("SITE", site_id="south")]), "police") == set()
    nowhere = replace(office, site_ids=frozenset())
    assert seen(nowhere, about(facts=[a_fact("SITE", site_id="north"), a_fact("SITE")]), "police") == set()


def test_a_provider_sees_who_was_addressed_to_it() -> None:
    """Row 11: the release alone is not enough."""
    release = a_consent(recipient_agency_ids=("housing",), purposes=("CAREMGT",), categories=("IDENTITY", "NEEDS"))
    asker = an_asker("housing", "CAREMGT")
    assert seen(asker, about(release)) == set()
    assert seen(asker, about(release, facts=[a_fact("ADDRESSED", "housing")])) == {"IDENTITY", "NEEDS"}
    assert seen(asker, about(release, facts=[a_fact("ADDRESSED", "clinic")])) == set()
    assert seen(asker, about(facts=[a_fact("ADDRESSED", "housing")])) == set()


def test_a_safety_flag_withholds_where_the_person_is_found() -> None:
    """Row 12."""
    release = a_consent(recipient_agency_ids=("unasked",), purposes=("CAREMGT",))
    flag = a_fact("SAFETY", "outreach", PARTICIPANT)
    asker = an_asker("unasked", "CAREMGT")
    assert "CONTACT_LOCATION" in seen(asker, about(release))
    assert "CONTACT_LOCATION" not in seen(asker, about(release, safety=[flag]))
    assert "CONTACT_LOCATION" in seen(asker, about(release, safety=[replace(flag, closed=True)]))


def test_a_community_referral_opens_more_to_the_programme_office() -> None:
    """Row 42."""
    release = a_consent(recipient_agency_ids=("office",))
    office = an_asker("office", "DIVERSION_COORD")
    assert "IDENTITY" not in seen(office, about(release))
    assert seen(office, about(release, facts=[a_fact("COMMUNITY")])) >= {"IDENTITY", "REFERRAL", "CONTACT_LOCATION"}


def test_a_decision_is_used_no_longer_than_a_fact_of_no_agency_that_it_rests_on() -> None:
    held = about(facts=[a_fact("SITE", site_id="north", until_at=NOON + timedelta(seconds=9))])
    assert decided(an_asker("office", "DIVERSION_COORD"), held, "police").until == NOON + timedelta(seconds=9)


def test_a_decision_is_used_no_longer_than_until_a_safety_flag_is_set() -> None:
    flag = a_fact("SAFETY", "outreach", PARTICIPANT, from_at=NOON + timedelta(seconds=5))
    release = a_consent(recipient_agency_ids=("unasked",), purposes=("CAREMGT",))
    decision = decided(an_asker("unasked", "CAREMGT"), about(release, safety=[flag]))
    assert decision.until == NOON + timedelta(seconds=5)


def test_facts_about_other_agencies_do_not_bound_a_decision() -> None:
    held = about(a_consent(), facts=[a_window(until_at=NOON + timedelta(seconds=9))])
    assert decided(an_asker("prosecutor", "DIVERSION_COORD"), held, "outreach", "").until == NOON + timedelta(minutes=1)


def test_agencies_that_custody_can_act_for_are_those_that_a_fact_or_release_names() -> None:
    held = about(
        a_consent(), facts=[a_window(), a_fact("SITE", site_id="north")], safety=[a_fact("CASELOAD", "clinic")]
    )
    assert held.agencies() == {"prosecutor", "outreach", "clinic"}
    assert about().agencies() == frozenset()


@pytest.mark.parametrize(("fact", "holds"), [({}, True), ({"from_at": NOON}, True), ({"until_at": NOON}, False)])
def test_a_fact_holds_from_its_beginning_until_before_its_end(fact: dict[str, Any], holds: bool) -> None:
    assert a_fact("SITE", **fact).holds(NOON) is holds
    assert not a_fact("SITE", **fact, closed=True).holds(NOON)


def test_facts_of_another_record_are_not_true_of_this_one() -> None:
    held = about(facts=[a_fact("SITE", site_id="north"), a_fact("ROUTED", "prosecutor", until_at=NOON - DAY)])
    assert [one.site_id for one in held.true("SITE", REFERRAL, NOON)] == ["north"]
    assert list(held.true("SITE", HANDOFF, NOON)) == []
    assert list(held.true("ROUTED", REFERRAL, NOON)) == []
    assert replace(held, subject_id=OTHER_SUBJECT).facts == held.facts
