"""Tokens: the same where the same is meant, another for anybody else, nothing without the key."""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.casework.index.tokens import DAY, LOCAL, MONTH, RECORD, YEAR, Named, Tokens, is_placeholder, plain

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
TOKENS = Tokens(KEY)
TEXTS = st.text(max_size=20)
LETTERS = st.text(alphabet=st.characters(categories=["Lu", "Ll"]), min_size=1, max_size=20)
SEPARATORS = st.sampled_from([" ", "-", "'", "\u2019", ".", "\u00a0", "\u2010", "  "])
AGENCIES = st.sampled_from(["sample-police", "sample-jail", "sample-prison"])


@pytest.mark.parametrize(
    "text",
    [
        "Sample-Test",
        "sample test",
        "SAMPLETEST",
        "Sa\u0301mple\u2010Test",
        "S\u00e1mple  Test.",
        "\uff33ample Test",
        "Sample\u00a0'Test'",
    ],
)
def test_one_name_however_it_is_written_is_one(text: str) -> None:
    assert plain(text) == "sampletest"


def test_letters_of_every_script_count_and_marks_do_not() -> None:
    assert plain("Stra\u00dfe") == plain("STRASSE")
    assert plain("\u0130") == plain("I")
    assert plain("\u0416\u0443\u043a") == "\u0436\u0443\u043a"
    assert plain("-'. ") == ""


@given(TEXTS)
def test_what_is_plain_stays_so(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@given(TEXTS)
def test_normal_forms_make_no_difference(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    assert {plain(form) for form in forms} == {plain(text)}


@given(LETTERS)
def test_case_makes_no_difference(text: str) -> None:
    assert plain(text.casefold()) == plain(text)


@given(LETTERS, LETTERS, SEPARATORS)
def test_double_names_are_one_however_they_are_joined(one: str, other: str, separator: str) -> None:
    assert plain(f"{one}{separator}{other}") == plain(one) + plain(other)


@given(AGENCIES, AGENCIES, TEXTS, TEXTS)
def test_two_agencies_numbers_are_never_one(one: str, other: str, number: str, other_number: str) -> None:
    assume(one != other)
    assert TOKENS.local(one, number) != TOKENS.local(other, other_number)


@given(st.tuples(TEXTS, TEXTS), st.tuples(TEXTS, TEXTS))
def test_agency_and_number_do_not_run_together(one: tuple[str, str], other: tuple[str, str]) -> None:
    same = (one[0], unicodedata.normalize("NFKC", one[1]).strip()) == (
        other[0],
        unicodedata.normalize("NFKC", other[1]).strip(),
    )
    assert (TOKENS.local(*one) == TOKENS.local(*other)) == same


@given(TEXTS, TEXTS, TEXTS)
def test_a_records_name_is_nobodys_number(agency: str, system: str, record: str) -> None:
    assert TOKENS.record(agency, system, record) not in {TOKENS.local(agency, record), TOKENS.local(agency, system)}


@given(LETTERS, LETTERS, AGENCIES, TEXTS)
def test_no_token_can_be_had_without_the_key(given_name: str, family: str, agency: str, number: str) -> None:
    named = Named(given_name, family, "1990-05-01")
    tokens = {token for _, token in TOKENS.marks(named, [(agency, number)], [TOKENS.record(agency, "s", "r")]).tokens}
    others = Tokens(OTHER_KEY)
    foreign = {token for _, token in others.marks(named, [(agency, number)], [others.record(agency, "s", "r")]).tokens}
    assert not tokens & foreign
    for words in ([LOCAL, agency, number], [DAY, plain(given_name), plain(family), "1990-05-01"]):
        text = json.dumps(words).encode()
        # Neither a bare digest nor the area's own key will do: the key of the index is derived.
        assert hashlib.sha256(text).digest() not in tokens
        assert hmac.digest(KEY, text, hashlib.sha256) not in tokens


@given(st.text(min_size=4, max_size=20), AGENCIES)
def test_no_token_holds_what_it_was_made_of(text: str, agency: str) -> None:
    for _, token in TOKENS.marks(Named(text, text, "1990"), [(agency, text)]).tokens:
        assert len(token) == 32
        assert text.encode("utf-8", "surrogatepass") not in token


@pytest.mark.parametrize(
    ("birth_date", "kinds"),
    [("1990-05-01", {DAY, MONTH, YEAR}), ("1990-05", {MONTH, YEAR}), ("1990", {YEAR}), ("", set())],
)
def test_a_name_is_marked_with_as_much_of_the_birth_date_as_there_is(birth_date: str, kinds: set[str]) -> None:
    marks = TOKENS.marks(Named("Testa", "Sample", birth_date))
    assert {kind for kind, _ in marks.tokens} == kinds
    assert marks.birth_parts == len(kinds)


@pytest.mark.parametrize(
    "named", [Named("Testa", "", "1990"), Named("", "Sample", "1990"), Named("-", "Sample", "1990")]
)
def test_half_a_name_marks_nothing(named: Named) -> None:
    assert TOKENS.marks(named).tokens == frozenset()


def test_given_and_family_name_are_told_apart() -> None:
    one, other = Named("Ana Maria", "Sample", "1990"), Named("Ana", "Maria Sample", "1990")
    assert not TOKENS.marks(one).tokens & TOKENS.marks(other).tokens


@pytest.mark.parametrize("number", ["", " ", "0", "00-0", "N/A", "none", "Unknown", "UNK"])
def test_a_placeholder_is_no_number(number: str) -> None:
    assert is_placeholder(number)
    assert TOKENS.marks(Named(), [("sample-jail", number)]).of(LOCAL) == frozenset()


@pytest.mark.parametrize("number", ["1", "10", "J-7", "A"])
def test_a_number_is_one(number: str) -> None:
    assert TOKENS.marks(Named(), [("sample-jail", f" {number} ")]).of(LOCAL) == {TOKENS.local("sample-jail", number)}


def test_a_record_is_marked_by_its_own_name() -> None:
    token = TOKENS.record("sample-jail", "jms", "B-1")
    assert TOKENS.marks(Named(), (), [token]).tokens == {(RECORD, token)}
