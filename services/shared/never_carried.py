"""What the exchange never carries, known by field name and by shape (matrix, "Not carried at all").

FBI/UCN, SID and NCIC numbers and criminal-history content (privacy-law CJ-01), counselling and psychotherapy notes
(42 CFR 2.31(b), P2-35), HIV/STD results, informants and sources. Refused at ingest, before anything is stored.

`by_name` looks at what a field is called. `by_shape` looks at what free text or a person's local id says; it isn't
meant for identifiers of records (incident number, ORI, record id), for codes or for times, some of which look like an
FBI number or a SID.

Shapes:
- FBI/UCN: at most nine characters: 5 to 7 digits, one or two letters, one or two check digits (`123456AB7`); or any
  number of five and more characters behind the word FBI or UCN.
- SID: a state's two letters and 7 or 8 digits (`WA12345678`), unless it ends as an ORI does (`WA1234500`); or any
  number of five and more digits behind the word SID.
- NCIC: the word itself; a letter and nine digits behind the word NIC. Unlabelled it looks like many an RMS id.
- HIV/STD: the disease within a few words of a result. An outreach programme's name alone is let through.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from services.shared.errors import Violation

# Reason to wish. The wish is what the caller reads: it says what to leave out, never what was found.
WISHES = {
    "FBI_NUMBER": "no FBI or UCN number; it stays in CJIS systems",
    "STATE_ID_NUMBER": "no state identification number (SID); it stays in CJIS systems",
    "NCIC": "nothing from NCIC; it stays in CJIS systems",
    "CRIMINAL_HISTORY": "no criminal-history record; an attestation says CLEAR, DISQUALIFYING or NOT_CHECKED",
    "HIV_STD": "no HIV or STD result",
    "COUNSELING_NOTES": "no counselling or psychotherapy notes",
    "INFORMANT": "nothing about an informant or a source",
}

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# Matched against a field's words, lower case, one space between them: `personFBIId` is "person fbi id".
_NAMES = tuple(
    (reason, re.compile(pattern))
    for reason, pattern in (
        ("FBI_NUMBER", r"fbi|\bucn"),
        ("STATE_ID_NUMBER", r"\bsids?\b|\bsid(no|num|number)\b|\bstate (fingerprint|identification|id num|id no)"),
        ("NCIC", r"ncic|\bnic (no|num|number|id)\b|\bnicnumber\b"),
        ("CRIMINAL_HISTORY", r"\bcriminal ?history|\brap ?sheet|\bchri\b|\binterstate identification"),
        ("HIV_STD", r"\bhiv|\b(std|sti)s?\b(?! dev)|\b(std|sti)(test|result|status)"),
        ("COUNSELING_NOTES", r"psychotherap|\bcounsell?(ing|or)s? ?(session )?notes?\b"),
        ("INFORMANT", r"informant|\bconfidential source|\bsource (name|person|identity)s?\b|\bsourcename"),
    )
)

_STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|"
    "N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY]"
)
_ALONE = r"(?<![A-Z0-9])(?<![./\-])(?:{})(?!\.?[A-Z0-9])(?![/\-])"
# Every repetition is bounded, so that long hostile text costs time in proportion to its length.
_LABEL = r"[\s#:./\-]{0,4}(?:NO|NUM|NUMBER|NBR|ID)?[\s#:./\-]{0,4}"
_RESULT = r"(?:POSITIVE|NEGATIVE|REACTIVE|DIAGNOS\w{0,8}|RESULTS?|STATUS)\b"
_DISEASE = r"\b(?:HIV|AIDS|STDS?|STIS?|SYPHILIS|CHLAMYDIA|GONORRHO?EA)\b"
_GAP = r"\W{1,3}(?:\w{1,20}\W{1,3}){0,3}"

# Matched against text in upper case.
_SHAPES = tuple(
    (reason, re.compile(pattern))
    for reason, pattern in (
        ("FBI_NUMBER", _ALONE.format(r"(?=[0-9A-Z]{7,9}\b)[0-9]{5,7}[A-Z]{1,2}[0-9]{1,2}")),
        ("FBI_NUMBER", rf"\b(?:FBI|UCN){_LABEL}(?=[A-Z]{{0,8}}[0-9])[0-9A-Z]{{5,9}}\b"),
        ("STATE_ID_NUMBER", _ALONE.format(rf"(?:{_STATES})(?![0-9]{{5}}00\b)[0-9]{{7,8}}[A-Z]?")),
        ("STATE_ID_NUMBER", rf"\b(?:SID|STATE ID(?:ENTIFICATION)?)\b{_LABEL}[A-Z]{{0,2}}[0-9]{{5}}"),
        ("NCIC", rf"\bNCIC\b|\bNIC{_LABEL}[A-Z][0-9]{{9}}\b"),
        ("CRIMINAL_HISTORY", r"\bCHRI\b|\bRAP SHEET\b|\bCRIMINAL HISTORY RECORD"),
        ("HIV_STD", rf"\bHIV ?\+|{_DISEASE}{_GAP}{_RESULT}|{_RESULT}{_GAP}{_DISEASE}"),
        ("COUNSELING_NOTES", r"\bPSYCHOTHERAPY NOTE|\bCOUNSELL?ING (?:SESSION )?NOTE"),
        ("INFORMANT", r"\bINFORMANT|\bCONFIDENTIAL SOURCE"),
    )
)


@lru_cache(maxsize=4096)
def by_name(field_name: str) -> str | None:
    """Return the reason (a key of `WISHES`) why a field of this name is never carried, or None.

    Takes a bare name in camelCase, snake_case, kebab-case or an XML local name.
    """
    words = " ".join(_WORDS.findall(_plain(field_name))).lower()
    return next((reason for reason, pattern in _NAMES if pattern.search(words)), None)


def by_shape(text: str) -> str | None:
    """Return the reason (a key of `WISHES`) why this free text or local id is never carried, or None."""
    upper = _plain(text).upper()
    return next((reason for reason, pattern in _SHAPES if pattern.search(upper)), None)


def refusals(path: str, text: str) -> tuple[Violation, ...]:
    """Return a violation when the field's name (the last part of `path`) or its text must not come in, else ()."""
    name = re.split(r"[./]", path)[-1].partition("[")[0]
    reason = by_name(name) or by_shape(text)
    return (Violation(path, WISHES[reason]),) if reason else ()


def _plain(text: str) -> str:
    """Undo look-alikes: full-width letters and digits, and characters that don't show."""
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
