"""Each element of 42 CFR 2.31(a), found missing by its id, its law and the field it looks at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consent.domain import Intermediary, Signature, Statements
from services.consent.elements import ELEMENTS, LEGACY, RULES_OF_2024, missing, rule_version
from tests.support.clock import NOON
from tests.unit.consent.builders import DAY, a_draft, a_setting

TOLD = Statements(redisclosure=True, revocation=True, refusal=True)
TREATMENT = {"recipient_agency_ids": ("clinic",), "purposes": ("TREAT",)}


def lacking(**changes: Any) -> list[str]:
    """The ids of the elements that a draft lacks once it is changed so."""
    return [one.id for one in missing(a_draft(**changes), a_setting())]


def test_a_complete_release_lacks_nothing() -> None:
    assert lacking() == []
    assert lacking(**TREATMENT, type="TPO") == []


@pytest.mark.parametrize("sources", [(), ("nobody",), ("outreach", "nobody"), ("Sample Outreach",), ("",)])
def test_p2_11_the_disclosing_agency_is_named_by_its_registered_id(sources: tuple[str, ...]) -> None:
    """42 CFR 2.31(a)(2); P2-23: never by a name."""
    assert lacking(source_agency_ids=sources) == ["P2-11"]


@pytest.mark.parametrize(
    "categories",
    [(), ("UNKNOWN",), ("IDENTITY", "*"), ("CONSENT_RECORD",), ("DISCLOSURE_RECORD",), ("SYSTEM",), ("UNSPECIFIED",)],
)
def test_p2_12_the_information_is_described_by_categories_that_a_release_can_open(categories: tuple[str, ...]) -> None:
    """42 CFR 2.31(a)(3)."""
    assert lacking(categories=categories) == ["P2-12"]


@pytest.mark.parametrize("recipients", [(), ("nobody",), ("prosecutor", "Sample Prosecutor")])
def test_p2_13_each_recipient_is_named_by_its_registered_id(recipients: tuple[str, ...]) -> None:
    """42 CFR 2.31(a)(4)(i); P2-23."""
    assert lacking(recipient_agency_ids=recipients) == ["P2-13"]


@pytest.mark.parametrize(
    "middle",
    [
        Intermediary("office"),
        Intermediary("nobody", ("clinic",)),
        Intermediary("office", ("nobody",)),
        Intermediary(member_agency_ids=("clinic",)),
        Intermediary(treating_providers=True),
    ],
    ids=["no members", "unknown", "unknown member", "no name", "class without a name"],
)
def test_p2_14_an_intermediary_is_named_with_its_members(middle: Intermediary) -> None:
    """42 CFR 2.31(a)(4)(ii)."""
    assert lacking(intermediary=middle, recipient_agency_ids=("clinic",)) == ["P2-14"]
    assert lacking(intermediary=Intermediary("office", ("clinic",))) == []


@pytest.mark.parametrize("recipient", ["police", "prosecutor", "housing", "office"])
def test_p2_14_a_class_of_recipients_is_of_treating_providers_only(recipient: str) -> None:
    """42 CFR 2.31(a)(4)(ii)(B)."""
    class_ = Intermediary("office", treating_providers=True)
    assert lacking(intermediary=class_, recipient_agency_ids=("clinic", recipient)) == ["P2-14"]
    assert lacking(intermediary=class_, recipient_agency_ids=("clinic", "treatment")) == []


def test_p2_15_a_hipaa_recipient_for_treatment_is_told_of_redisclosure() -> None:
    """42 CFR 2.31(a)(4)(iii)."""
    untold = Statements(redisclosure=False, revocation=True, refusal=True)
    assert "P2-15" in lacking(**TREATMENT, statements=untold)
    assert "P2-15" not in lacking(recipient_agency_ids=("housing",), purposes=("TREAT",), statements=untold)
    assert lacking(recipient_agency_ids=("clinic",), purposes=("CAREMGT",), statements=untold) == []


@pytest.mark.parametrize(
    "purposes",
    [
        (),
        ("INVESTIGATION",),
        ("CAREMGT", "PROSECUTION"),
        ("LEGAL_PROCEEDING",),
        ("WARRANT",),
        ("INTEL",),
        ("PATRQT",),
        ("UNSPECIFIED",),
        ("UNKNOWN",),
        ("CAREMGT", "any purpose"),
    ],
)
def test_p2_16_each_purpose_is_listed_and_none_is_of_proceedings(purposes: tuple[str, ...]) -> None:
    """42 CFR 2.31(a)(5); 2.31(d): a release for proceedings is never carried (P2-37, P2-73)."""
    assert lacking(purposes=purposes) == ["P2-16"]


def test_p2_17_the_person_was_told_how_to_revoke() -> None:
    """42 CFR 2.31(a)(6)."""
    assert lacking(statements=Statements(redisclosure=True, revocation=False, refusal=True)) == ["P2-17"]


@pytest.mark.parametrize(
    "end",
    [
        {"expires_at": None},
        {"expires_at": None, "expire_event": "  "},
        {"expires_at": NOON - 2 * DAY},
        {"expires_at": NOON - DAY},
        {"expires_at": None, "purposes": ("TREAT", "DIVERSION_COORD")},
    ],
    ids=["none", "blank event", "before the signature", "at the signature", "none and not only for treatment"],
)
def test_p2_18_a_release_ends_after_it_was_signed(end: dict[str, Any]) -> None:
    """42 CFR 2.31(a)(7)."""
    assert lacking(**end) == ["P2-18"]


@pytest.mark.parametrize(
    "end",
    [
        {"expires_at": None, "expire_event": "the case is closed"},
        {"expires_at": None, **TREATMENT},
        {"expires_at": None, "purposes": ("TREAT", "HPAYMT", "HOPERAT")},
    ],
)
def test_p2_18_an_event_is_an_end_and_treatment_payment_operations_need_none(end: dict[str, Any]) -> None:
    assert lacking(**end) == []


@pytest.mark.parametrize(
    "signature",
    [
        Signature(),
        Signature("Testa Sample"),
        Signature("", "SELF"),
        Signature("  ", "SELF"),
        Signature("Testa Sample", " "),
        Signature("Probe Sample", "GUARDIAN"),
        Signature("Probe Sample", "GUARDIAN", " "),
    ],
)
def test_p2_19_somebody_signed_who_may(signature: Signature) -> None:
    """42 CFR 2.31(a)(8), 2.14, 2.15."""
    assert lacking(signature=signature) == ["P2-19"]
    assert lacking(signature=Signature("Probe Sample", "GUARDIAN", "order 26-1")) == []


def test_p2_20_the_date_of_signature_is_given_and_not_in_the_future() -> None:
    """42 CFR 2.31(a)(9)."""
    assert lacking(signed_at=None) == ["P2-20"]
    assert lacking(signed_at=NOON + timedelta(seconds=1)) == ["P2-20"]
    assert lacking(signed_at=NOON) == []


@pytest.mark.parametrize(
    "told",
    [Statements(redisclosure=True, revocation=True), Statements(revocation=True, refusal=True)],
)
def test_p2_21_treatment_payment_operations_come_with_both_statements(told: Statements) -> None:
    """42 CFR 2.31(a)(10)."""
    assert "P2-21" in lacking(**TREATMENT, statements=told)
    assert lacking(statements=told) == []


def test_p2_42_a_tpo_release_names_no_purpose_of_diversion() -> None:
    """42 CFR 2.33(b)."""
    assert lacking(type="TPO") == ["P2-42"]
    assert lacking(type="TPO", **{**TREATMENT, "purposes": ("TREAT", "CAREMGT")}) == ["P2-42"]


@pytest.mark.parametrize("type_", ["", "UNKNOWN", "named", "UNSPECIFIED"])
def test_p2_42_a_release_says_of_which_kind_it_is(type_: str) -> None:
    assert lacking(type=type_) == ["P2-42"]


def test_p2_84_releases_on_condition_of_a_disposition_are_off_until_a_site_turns_them_on() -> None:
    """42 CFR 2.35."""
    assert lacking(type="CJ_REFERRAL") == ["P2-84"]
    assert missing(a_draft(type="CJ_REFERRAL"), a_setting(cj_referral_enabled=True)) == ()


def test_an_empty_release_lacks_everything_at_once() -> None:
    empty = a_draft(
        type="",
        source_agency_ids=(),
        recipient_agency_ids=(),
        categories=(),
        purposes=(),
        signed_at=None,
        expires_at=None,
        statements=Statements(),
        signature=Signature(),
    )
    found = missing(empty, a_setting())
    assert [one.id for one in found] == [
        "P2-11",
        "P2-12",
        "P2-13",
        "P2-16",
        "P2-17",
        "P2-18",
        "P2-19",
        "P2-20",
        "P2-42",
    ]


def test_each_element_names_its_law_its_field_and_what_would_be_right() -> None:
    laws = {one.id: one.law for one in ELEMENTS}
    paragraphs = ["(2)", "(3)", "(4)(i)", "(4)(ii)", "(4)(iii)", "(5)", "(6)", "(7)", "(8)", "(9)", "(10)"]
    assert [laws[f"P2-{number}"] for number in range(11, 22)] == [f"42 CFR 2.31(a){one}" for one in paragraphs]
    assert all(one.path and one.wish for one in ELEMENTS)


def test_a_release_signed_before_the_compliance_date_passes_on_the_older_elements() -> None:
    """P2-24."""
    before = datetime(2026, 2, 15, 23, 59, 59, tzinfo=UTC)
    untold = {**TREATMENT, "statements": Statements(revocation=True)}
    assert rule_version(a_draft(signed_at=before)) == LEGACY
    assert lacking(signed_at=before, **untold) == []
    assert rule_version(a_draft(signed_at=before + timedelta(seconds=1))) == RULES_OF_2024
    assert lacking(signed_at=before + timedelta(seconds=1), **untold) == ["P2-15", "P2-21"]
    assert rule_version(a_draft(signed_at=None)) == RULES_OF_2024


def test_the_older_elements_are_asked_for_all_the_same() -> None:
    before = datetime(2026, 1, 1, tzinfo=UTC)
    assert lacking(signed_at=before, categories=(), signature=Signature()) == ["P2-12", "P2-19"]


_LACKS: dict[str, dict[str, Any]] = {
    "P2-11": {"source_agency_ids": ()},
    "P2-12": {"categories": ()},
    "P2-13": {"recipient_agency_ids": ()},
    "P2-14": {"intermediary": Intermediary("nobody")},
    "P2-16": {"purposes": ("WARRANT",)},
    "P2-17": {"statements": Statements(redisclosure=True, revocation=False, refusal=True)},
    "P2-18": {"expires_at": None},
    "P2-19": {"signature": Signature()},
    "P2-20": {"signed_at": None},
    "P2-84": {"type": "CJ_REFERRAL"},
}


@given(st.sets(st.sampled_from(sorted(_LACKS))))
def test_all_that_is_missing_is_named_and_nothing_else(ids: set[str]) -> None:
    changes: dict[str, Any] = {}
    for one in ids:
        changes |= _LACKS[one]
    assert set(lacking(**changes)) == ids
