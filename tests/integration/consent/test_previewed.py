"""The preview as it is answered: who would see what, what is missing, and what it means, before anybody signs."""

from __future__ import annotations

from lead.consent.v1 import consent_service_pb2 as pb

from services.consent.domain import Draft
from services.shared.sharing.assertion import Caller
from services.shared.sharing.need import BITS, words
from tests.integration.consent.desk import CASE_MANAGER, CONTEXT, PERSON, Office, a_question, a_release, asking
from tests.unit.consent.builders import SUBJECT
from tests.unit.consent.test_convert import on_the_wire


def previewed(office: Office, draft: Draft, caller: Caller = CASE_MANAGER) -> pb.ConsentPreview:
    with asking(caller):
        return office.public.PreviewConsent(pb.PreviewConsentRequest(consent=on_the_wire(draft)), CONTEXT).preview


def test_a_preview_is_what_the_decision_shows_once_it_is_signed(office: Office) -> None:
    draft = a_release(
        recipient_agency_ids=("prosecutor", "recovery"),
        purposes=("DIVERSION_COORD", "CAREMGT"),
        categories=("PROGRAM_STATUS", "NEEDS", "CASE_NOTES", "SUD_PRESENCE", "CONTACT_LOCATION"),
    )
    views = previewed(office, draft).views
    told = {(one.recipient_agency_id, one.purpose): sum(1 << number for number in one.opens) for one in views}
    office.create(CASE_MANAGER, draft)
    for (agency, purpose), opens in told.items():
        role = "prosecutor" if agency == "prosecutor" else "case_manager"
        question = a_question(role, agency, "DIVERSION_COORD")
        question.asker.purpose = purpose
        [decision] = office.decide(question)
        assert decision.visible & sum(BITS[one] for one in draft.categories) == opens, (agency, words(opens))
    assert {agency for agency, _ in told} == {"prosecutor", "recovery"}


def test_a_preview_names_what_is_missing(office: Office) -> None:
    [missing] = previewed(office, a_release(signed_at=None)).missing
    assert (missing.element, missing.path, missing.law) == ("P2-20", "signedTime", "42 CFR 2.31(a)(9)")
    assert missing.wish
    assert not previewed(office, a_release()).missing


def test_a_preview_says_what_a_part_2_source_means(office: Office) -> None:
    [note] = previewed(office, a_release(source_agency_ids=("recovery",))).notes
    assert note.startswith("Sample Recovery Outreach counts as an addiction-treatment programme")


def test_a_preview_is_its_askers_own(office: Office) -> None:
    assert previewed(office, a_release()).reference.source_agency_id == "outreach"
    own = previewed(office, a_release(), PERSON).reference
    assert (own.source_agency_id, own.subject_id) == ("", SUBJECT)


def test_a_preview_stores_nothing(office: Office) -> None:
    previewed(office, a_release())
    assert office.listed(CASE_MANAGER) == []
    assert office.seen("prosecutor", "prosecutor", "DIVERSION_COORD") == set()
