"""What a preview says before the signature is what the decision allows after it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consent.domain import Consent, Draft
from services.consent.held import ScopeFact
from services.consent.preview import View, notes, views
from services.shared.sharing.need import mask, need
from tests.support.clock import NOON
from tests.unit.consent.builders import (
    AGENCIES,
    DAY,
    PARTICIPANT,
    a_draft,
    a_fact,
    a_registry,
    about,
    an_asker,
    decided,
)
from tests.unit.consent.policy_asking import the_policy
from tests.unit.consent.test_decide_laws import drafts, facts

REGISTRY = a_registry()


def previewed(draft: Draft) -> tuple[View, ...]:
    return views(the_policy(), REGISTRY, draft)


def opened(view: View, draft: Draft, *stated: ScopeFact) -> set[str]:
    """What the signature opens to the view's recipient: shown afterwards, on releases alone."""
    held = about(Consent("con_1", PARTICIPANT, draft, "outreach", "2024"), facts=stated)
    decision = decided(an_asker(view.recipient.agency_id, view.purpose), held, view.source.agency_id)
    released = sum(ruling.categories for ruling in decision.rulings if ruling.consent)
    source = view.source
    return {one for one in draft.categories if not need(one, one, source.kind, source.part2) & ~released}


def programme_conditions(recipient: str) -> list[ScopeFact]:
    """That the recipient was addressed, and that the record is a community referral."""
    return [a_fact("ADDRESSED", recipient), a_fact("COMMUNITY")]


@given(drafts)
def test_what_opens_is_what_the_decision_shows_after_the_signature(draft: Draft) -> None:
    signed = a_draft(**{**draft.__dict__, "signed_at": NOON - DAY, "expires_at": NOON + DAY})
    for view in previewed(signed):
        met = programme_conditions(view.recipient.agency_id)
        assert set(view.opens) == opened(view, signed, *met), (view.words, view.purpose)


@given(drafts, st.lists(facts, max_size=4))
def test_what_stays_closed_no_fact_opens(draft: Draft, stated: list[ScopeFact]) -> None:
    for view in previewed(draft):
        assert opened(view, draft, *stated).isdisjoint(view.stays_closed)


@given(drafts)
def test_every_named_category_either_opens_or_stays_closed(draft: Draft) -> None:
    for view in previewed(draft):
        assert sorted((*view.opens, *view.stays_closed)) == sorted(draft.categories)
        assert mask(view.opens) & mask(view.stays_closed) == 0


@given(drafts)
def test_whom_no_view_names_nothing_opens(draft: Draft) -> None:
    told = {(view.recipient.agency_id, view.source.agency_id, view.purpose) for view in previewed(draft)}
    for recipient in draft.recipient_agency_ids:
        for source in set(draft.source_agency_ids) - {recipient}:
            for purpose in draft.purposes:
                if (recipient, source, purpose) not in told:
                    held = about(Consent("con_1", PARTICIPANT, draft, "outreach", "2024"))
                    decision = decided(an_asker(recipient, purpose), held, source)
                    assert not any(ruling.consent for ruling in decision.rulings)


def test_a_view_says_it_in_a_sentence() -> None:
    [view] = previewed(a_draft(categories=("PROGRAM_STATUS", "CASE_NOTES")))
    assert view.words == "Sample Prosecutor would see from Sample Outreach, for DIVERSION_COORD: PROGRAM_STATUS."
    assert view.stays_closed == ("CASE_NOTES",)
    [view] = previewed(a_draft(categories=("CASE_NOTES",)))
    assert view.words.endswith("nothing more.")


@pytest.mark.parametrize("source", ["recovery", "unasked"])
def test_a_part_2_source_opens_nothing_unless_presence_is_named(source: str) -> None:
    closed = previewed(a_draft(source_agency_ids=(source,), categories=("PROGRAM_STATUS",)))
    opens = previewed(a_draft(source_agency_ids=(source,), categories=("PROGRAM_STATUS", "SUD_PRESENCE")))
    assert [view.opens for view in closed] == [()]
    assert [view.opens for view in opens] == [("PROGRAM_STATUS", "SUD_PRESENCE")]


@pytest.mark.parametrize("source", ["recovery", "unasked", "treatment"])
def test_a_part_2_source_is_said_to_be_one_in_words(source: str) -> None:
    """Matrix row 19: the wizard says so."""
    [unnamed] = notes(REGISTRY, a_draft(source_agency_ids=(source,), categories=("NEEDS",)))
    [named] = notes(REGISTRY, a_draft(source_agency_ids=(source,), categories=("NEEDS", "SUD_PRESENCE")))
    assert AGENCIES[source].name in unnamed
    assert AGENCIES[source].name in named
    assert "nothing of it is released unless" in unnamed
    assert "learns that the person is known there" in named


@pytest.mark.parametrize("source", ["outreach", "police", "prosecutor", "office", "clinic", "nobody"])
def test_no_other_source_is_said_to_be_one(source: str) -> None:
    assert notes(REGISTRY, a_draft(source_agency_ids=(source,))) == ()


def test_agencies_that_are_not_registered_are_left_out() -> None:
    assert previewed(a_draft(recipient_agency_ids=("nobody",))) == ()
    assert previewed(a_draft(source_agency_ids=("nobody",))) == ()


def test_an_agency_has_no_view_of_itself() -> None:
    assert previewed(a_draft(recipient_agency_ids=("outreach",), purposes=("CAREMGT",))) == ()


def test_a_preview_needs_nothing_signed() -> None:
    unsigned = a_draft(signed_at=None, expires_at=None)
    assert [view.opens for view in previewed(unsigned)] == [view.opens for view in previewed(a_draft())]


def test_a_purpose_that_is_not_the_recipients_has_no_view() -> None:
    assert previewed(a_draft(purposes=("TREAT", "UNKNOWN"))) == ()


def test_a_part_2_providers_answer_opens_only_with_sud_presence() -> None:
    """Matrix, "Need set": an enrolment with it, and an answer from it, say that someone is its patient."""
    draft = a_draft(source_agency_ids=("treatment",), recipient_agency_ids=("outreach",), purposes=("CAREMGT",))
    [without] = previewed(replace(draft, categories=("SUD_TREATMENT",)))
    assert (without.opens, without.stays_closed) == ((), ("SUD_TREATMENT",))
    [with_it] = previewed(replace(draft, categories=("SUD_TREATMENT", "SUD_PRESENCE")))
    assert set(with_it.opens) == {"SUD_TREATMENT", "SUD_PRESENCE"}
    [other] = previewed(replace(draft, source_agency_ids=("housing",), categories=("HOUSING",)))
    assert other.opens == ("HOUSING",)
