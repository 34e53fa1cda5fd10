"""What must be visible before a field is (matrix "Need set")."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.sharing.need import BITS, KINDS, NEVER, mask, need, words

CATEGORY = st.sampled_from(sorted(BITS))
ANY_WORD = st.one_of(CATEGORY, st.text(max_size=12))
PART2 = st.sampled_from(["YES", "NO", "UNKNOWN", ""])


def needs(category: str, row: str, kind: str, part2: str) -> set[str]:
    return set(words(need(category, row, kind, part2)))


@pytest.mark.parametrize("part2", ["YES", "UNKNOWN", ""])
def test_whatever_a_part_2_programme_says_of_a_person_also_says_patient(part2: str) -> None:
    assert needs("REFERRAL", "REFERRAL", "case_management", part2) == {"REFERRAL", "SUD_PRESENCE"}
    assert needs("HOUSING", "HOUSING", "housing", part2) == {"HOUSING", "SUD_PRESENCE"}


def test_no_part_2_programme_no_patient() -> None:
    assert needs("CASE_NOTES", "CASE_NOTES", "case_management", "NO") == {"CASE_NOTES"}


@pytest.mark.parametrize("kind", ["police", "prosecutor", "defender", "program_office"])
def test_justice_and_programme_office_are_never_part_2(kind: str) -> None:
    assert needs("REFERRAL", "REFERRAL", kind, "UNKNOWN") == {"REFERRAL"}


@pytest.mark.parametrize(
    "category",
    ["CONSENT_RECORD", "DISCLOSURE_RECORD", "LINKED_RESEARCH", "DEIDENTIFIED", "FUNDING", "DIRECTORY", "SYSTEM"],
)
def test_labels_with_conditions_of_their_own_get_no_patient(category: str) -> None:
    assert needs(category, category, "sud_treatment", "YES") == {category}


def test_a_staff_name_needs_all_that_its_record_needs() -> None:
    assert needs("STAFF", "REFERRAL", "police", "NO") == {"STAFF", "REFERRAL"}
    assert needs("STAFF", "REFERRAL", "sud_treatment", "YES") == {"STAFF", "REFERRAL", "SUD_PRESENCE"}
    assert needs("STAFF", "CONSENT_RECORD", "sud_treatment", "YES") == {"STAFF", "CONSENT_RECORD"}


def test_what_is_about_nobody_needs_its_label_only() -> None:
    assert needs("STAFF", "", "sud_treatment", "YES") == {"STAFF"}
    assert needs("DIRECTORY", "", "none", "NO") == {"DIRECTORY"}


@pytest.mark.parametrize(
    ("category", "row", "kind"),
    [("HOROSCOPE", "REFERRAL", "police"), ("REFERRAL", "HOROSCOPE", "police"), ("REFERRAL", "REFERRAL", "newspaper"),
     ("STAFF", "HOROSCOPE", "police"), ("", "", "none"), ("UNSPECIFIED", "", "none")],
)  # fmt: skip
def test_an_unknown_word_needs_what_nobody_has(category: str, row: str, kind: str) -> None:
    assert need(category, row, kind, "NO") & NEVER


@given(ANY_WORD, ANY_WORD, st.sampled_from(sorted(KINDS)), PART2)
def test_a_need_holds_its_label_or_can_not_be_met(category: str, row: str, kind: str, part2: str) -> None:
    wanted = need(category, row, kind, part2)
    assert wanted & BITS.get(category, NEVER)


@given(CATEGORY, CATEGORY, st.sampled_from(sorted(KINDS)))
def test_unknown_is_handled_as_yes(category: str, row: str, kind: str) -> None:
    assert need(category, row, kind, "UNKNOWN") == need(category, row, kind, "YES")


@given(st.sets(CATEGORY))
def test_mask_and_words_are_inverse(chosen: set[str]) -> None:
    assert set(words(mask(chosen))) == chosen


def test_a_bit_is_the_number_on_the_wire() -> None:
    assert BITS["IDENTITY"] == 1 << 1
    assert BITS["SYSTEM"] == 1 << 26
    assert NEVER not in BITS.values()
    assert mask(["HOROSCOPE"]) == NEVER
