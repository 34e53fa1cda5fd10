"""What holds in any circumstances whatever, and what unknown words do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.consent.policy.compile import Masks, Policy, PolicyError
from services.consent.policy.engine import Question
from services.consent.policy.facts import NARROWING, WHY, WIDENING, Fact
from services.consent.policy.rows import CATEGORIES, PURPOSES, SOURCE_KINDS
from services.shared.sharing.need import BITS, mask
from services.shared.sharing.purposes import ROLES
from tests.unit.consent.policy_asking import EVERYTHING, seen, the_policy

FACTS = st.frozensets(st.sampled_from(sorted(Fact)))
ABOUT_NOBODY = mask(("DEIDENTIFIED", "FUNDING", "DIRECTORY", "STAFF", "SYSTEM"))
QUESTIONS = st.builds(
    Question,
    st.sampled_from(ROLES),
    st.sampled_from(CATEGORIES),
    st.sampled_from(PURPOSES),
    st.sampled_from(SOURCE_KINDS),
    st.booleans(),
    FACTS,
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
few = settings(max_examples=60, deadline=None)


def masks_for(asked: Question, facts: frozenset[Fact] | None = None) -> Masks:
    """Return the masks in the circumstances of a question."""
    known = asked.facts if facts is None else facts
    return the_policy().masks(
        asked.role,
        asked.purpose,
        asked.source_kind,
        asked.own_source,
        known,
        approval=asked.approval,
        glass=asked.glass,
    )


@few
@given(QUESTIONS)
def test_no_circumstances_make_the_operator_see_a_person(asked: Question) -> None:
    masks = the_policy().masks("operator", asked.purpose, asked.source_kind, asked.own_source, asked.facts, glass=True)
    assert masks.visible(EVERYTHING) & ~ABOUT_NOBODY == 0


@few
@given(QUESTIONS)
def test_consent_never_opens_what_a_row_forbids(asked: Question) -> None:
    masks = masks_for(asked)
    refused = mask(word for word, ruling in masks.rule.items() if ruling.rule == "deny")
    assert masks.visible(EVERYTHING) & refused == 0
    assert masks.visible(EVERYTHING) | refused == EVERYTHING


@few
@given(QUESTIONS, st.sampled_from(sorted(NARROWING)))
def test_a_narrowing_fact_never_widens(asked: Question, fact: Fact) -> None:
    without, with_it = masks_for(asked, asked.facts - {fact}), masks_for(asked, asked.facts | {fact})
    assert with_it.allow & ~without.allow == 0
    assert with_it.visible(EVERYTHING) & ~without.visible(EVERYTHING) == 0


@few
@given(QUESTIONS, st.sampled_from(sorted(WIDENING)))
def test_a_widening_fact_never_narrows(asked: Question, fact: Fact) -> None:
    without, with_it = masks_for(asked, asked.facts - {fact}), masks_for(asked, asked.facts | {fact})
    assert without.visible(EVERYTHING) & ~with_it.visible(EVERYTHING) == 0


@few
@given(QUESTIONS)
def test_masks_say_what_cedar_says_when_asked_about_the_one_cell(asked: Question) -> None:
    ((opens, _),) = the_policy().ask((asked,))
    shown = masks_for(asked).visible(EVERYTHING if asked.consent else 0)
    assert bool(shown & BITS[asked.category]) == opens


@few
@given(QUESTIONS)
def test_allow_and_consent_masks_never_share_a_bit(asked: Question) -> None:
    masks = masks_for(asked)
    assert masks.allow & masks.consent == 0


@pytest.mark.parametrize(
    "asked",
    [
        Question("sheriff", "SYSTEM", "DIVERSION_COORD"),
        Question("police", "HOROSCOPE", "DIVERSION_COORD"),
        Question("police", "SYSTEM", "CURIOSITY"),
        Question("police", "SYSTEM", "INVESTIGATION"),
        Question("police", "SYSTEM", "DIVERSION_COORD", "newspaper"),
        Question("police", "SYSTEM", "DIVERSION_COORD", facts=frozenset({"friendly"})),  # type: ignore[arg-type]
        Question('police" || "', "SYSTEM", "DIVERSION_COORD"),
    ],
)
def test_an_unknown_word_denies(asked: Question) -> None:
    assert the_policy().ask((asked,)) == [(False, ())]
    if asked.category in CATEGORIES:
        assert masks_for(asked).visible(EVERYTHING) == 0


def test_each_fact_has_its_reason() -> None:
    assert set(WHY) == set(Fact)
    assert not WIDENING & NARROWING


def test_a_ruling_names_law_and_reason() -> None:
    ruling = (
        the_policy().masks("prosecutor", "DIVERSION_COORD", "police", False, frozenset({Fact.ROUTED})).rule["CHARGE"]
    )
    assert (ruling.row, ruling.rule) == (4, "allow")
    assert ruling.law
    assert ruling.reason


def test_a_cell_without_a_row_is_denied_and_says_so() -> None:
    ruling = the_policy().masks("vsp", "CAREMGT", "police", False).rule["CHARGE"]
    assert (ruling.row, ruling.rule, ruling.reason) == (0, "deny", "no row names this cell")


def test_masks_are_kept() -> None:
    asked = ("jobs", "CAREMGT", "job_training", False)
    assert the_policy().masks(*asked) is the_policy().masks(*asked)


def test_threads_get_the_same_masks() -> None:
    fresh = Policy.load()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: fresh.masks("med", "TREAT", "sud_treatment", False), range(32)))
    assert {(each.allow, each.consent) for each in found} == {(found[0].allow, found[0].consent)}


def test_the_version_changes_with_the_text() -> None:
    policy = the_policy()
    assert Policy(policy.text, policy.schema_text).version == policy.version
    assert Policy(policy.text + "// more\n", policy.schema_text).version != policy.version


def test_text_that_is_no_policy_is_refused() -> None:
    with pytest.raises(PolicyError):
        Policy("permit everything", the_policy().schema_text)


def test_a_release_of_one_category_opens_that_one_only() -> None:
    masks = the_policy().masks("lead_cm", "CAREMGT", "case_management", False)
    assert masks.visible(BITS["NEEDS"]) == masks.allow | BITS["NEEDS"]
    assert "NEEDS" not in seen("lead_cm", "CAREMGT", "case_management")
