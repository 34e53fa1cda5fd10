from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.never_carried import WISHES, by_name, by_shape, refusals

NAMES = {
    "FBI_NUMBER": ["fbi", "fbiNumber", "fbi_no", "PersonFBIIdentification", "ucn", "person-ucn", "FBIUCN"],
    "STATE_ID_NUMBER": ["sid", "sidNumber", "state_sid", "SID", "PersonStateFingerprintIdentification", "sidno"],
    "NCIC": ["ncic", "ncicHit", "NCICNumber", "nicNumber"],
    "CRIMINAL_HISTORY": ["criminalHistory", "chri", "rap_sheet"],
    "HIV_STD": ["hiv", "hivStatus", "hiv_result", "std", "stdResult"],
    "COUNSELING_NOTES": ["psychotherapyNotes", "counselingNotes", "counselling_note", "counselor_notes"],
    "INFORMANT": ["informant", "informantName", "confidentialSource", "sourceName", "source_person"],
}
FINE_NAMES = [
    *("source", "system", "recordId", "version", "sourceAgencyIds", "side", "siteId", "inside", "resident", "archive"),
    *("stdDev", "counselor", "counselingService", "incidentNumber", "agencyOri", "localIds", "stateId", "officer"),
    *("OffenseUCRCode", "PersonStateCode", "IncidentAugmentation", "narrative", "nicName", "shiver", "residentCode"),
]
TEXTS = {
    "FBI_NUMBER": ["123456AB7", "his number is 12345A9.", "FBI# 1234567", "fbi no. 54321a", "UCN: A1B2C3D4E"],
    "STATE_ID_NUMBER": ["WA12345678", "nm1234567", "SID 0012345", "SID: OR1234567", "State ID number 1234567"],
    "NCIC": ["ran NCIC, clear", "NIC/W123456789"],
    "CRIMINAL_HISTORY": ["see rap sheet", "CHRI attached"],
    "HIV_STD": ["HIV+", "is HIV positive", "tested positive for HIV", "syphilis test came back negative"],
    "COUNSELING_NOTES": ["from the psychotherapy notes", "counselling note of May"],
    "INFORMANT": ["works as an informant", "a confidential source says"],
}
FINE_TEXTS = [
    *("", "2026-001234", "26-123456", "54236732", "000054236732", "SPD26-0012345", "26S-000101", "020160005029"),
    *("WA0170000", "WVNDX0100", "69.50.4013", "69.50.4013(1)", "RCW 9A.52.080", "35A", "+12065550100", "7ABC123"),
    *("the FBI agent left", "an HIV/AIDS outreach worker came", "Sid Sample", "2 g meth, 1200 block of Sample St"),
    *("ref_0190a2b4-1111-7222-8333-444455556666", "2026-03-02T12:00:00Z", "P202600123", "98104", "Unit 12 at 14:32"),
]


@pytest.mark.parametrize(("reason", "name"), [(reason, name) for reason, names in NAMES.items() for name in names])
def test_a_field_that_is_never_carried_is_known_by_its_name(reason: str, name: str) -> None:
    assert by_name(name) == reason


@pytest.mark.parametrize("name", FINE_NAMES)
def test_a_field_that_only_sounds_alike_is_let_through(name: str) -> None:
    assert by_name(name) is None


@pytest.mark.parametrize(("reason", "text"), [(reason, text) for reason, texts in TEXTS.items() for text in texts])
def test_a_text_that_is_never_carried_is_known_by_its_shape(reason: str, text: str) -> None:
    assert by_shape(text) == reason


@pytest.mark.parametrize("text", FINE_TEXTS)
def test_ordinary_text_and_record_numbers_are_let_through(text: str) -> None:
    assert by_shape(text) is None


def test_look_alike_characters_hide_nothing() -> None:
    assert by_shape("\uff11\uff12\uff13\uff14\uff15\uff16\uff21\uff22\uff17") == "FBI_NUMBER"
    assert by_shape("N\u200bCIC") == "NCIC"
    assert by_name("f\u200bbiNumber") == "FBI_NUMBER"


@given(st.from_regex(r"\A[0-9]{5,6}[A-Z]{1,2}[0-9]\Z"), st.sampled_from(["{}", "no. {}, seen", "({})", "x {}."]))
def test_every_fbi_number_is_found_in_a_sentence(number: str, sentence: str) -> None:
    assert by_shape(sentence.format(number)) == "FBI_NUMBER"


@given(st.from_regex(r"\A[0-9]{2,4}-[0-9]{4,8}\Z"))
def test_no_dashed_incident_number_is_taken_for_one(number: str) -> None:
    assert by_shape(number) is None


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    assert by_name(text) in {None, *WISHES}
    assert by_shape(text) in {None, *WISHES}


@pytest.mark.parametrize("piece", ["FBI ", "HIV a b c ", "1", "STATUS\u00a0", "SID #:", "A", "12345A"])
def test_long_hostile_text_costs_time_in_proportion_to_its_length(piece: str) -> None:
    # A repetition that backtracks would run into the test's time limit here.
    by_shape(piece * (1_000_000 // len(piece)))


def test_a_refusal_names_the_path_and_never_the_value() -> None:
    (by_field,) = refusals("person.localIds[0].fbiNumber", "whatever")
    (by_text,) = refusals("observations", "number 123456AB7")
    assert (by_field.path, by_text.path) == ("person.localIds[0].fbiNumber", "observations")
    assert by_field.wish == by_text.wish == WISHES["FBI_NUMBER"]
    assert refusals("narrative", "nothing of the kind") == ()
    assert refusals("person.sid[2]", "x")[0].wish == WISHES["STATE_ID_NUMBER"]
