"""Words that packs and charges are written in: doors, roles, effects, charge levels."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

Door = Literal["ARREST_DIVERSION", "SOCIAL_CONTACT", "COMMUNITY"]
DOORS: tuple[Door, ...] = get_args(Door)

# The contract's roles, in its spelling.
Role = Literal[
    "police_officer",
    "police_rms",
    "police_liaison",
    "prosecutor",
    "defender",
    "case_manager",
    "case_supervisor",
    "provider_staff",
    "provider_system",
    "program_manager",
    "evaluator",
    "auditor",
    "participant",
    "operator",
]

# What a rule that is not met does to the screening.
Failing = Literal["PRESUMPTIVELY_INELIGIBLE", "PROGRAMME_REVIEW"]

# From the gravest down. A class may follow: FELONY_B.
LEVELS = ("FELONY", "GROSS_MISDEMEANOR", "MISDEMEANOR", "PETTY_MISDEMEANOR", "INFRACTION")

_SHORT = {
    "F": "FELONY",
    "GM": "GROSS_MISDEMEANOR",
    "M": "MISDEMEANOR",
    "PM": "PETTY_MISDEMEANOR",
    "I": "INFRACTION",
}


def level_word(given: str) -> str | None:
    """Return the level in this module's spelling (`FELONY`, `FELONY_B`), or None when it is none of them.

    Case, blanks, dashes and British spelling do not matter; `F`, `GM`, `M`, `PM` and `I` are understood.
    """
    word = "_".join(given.upper().replace("-", " ").replace("_", " ").split()).replace("MISDEMEANOUR", "MISDEMEANOR")
    word = _SHORT.get(word, word)
    return word if any(level_covers(level, word) for level in LEVELS) else None


def level_covers(wanted: str, word: str) -> bool:
    """Tell whether a charge of level `word` is of the wanted level: FELONY covers FELONY_B, not the other way."""
    return word == wanted or word.startswith(f"{wanted}_")


def statute_covers(wanted: str, given: str) -> bool:
    """Tell whether a cited statute is the wanted one or a part of it.

    `RCW 69.50.401` covers `69.50.401(1)`, `69.50.401 (2)(a)` and `rcw 69.50.401`, but never `69.50.4013`, since a
    longer number is another statute, nor `SMC 69.50.401`, since that is another book.
    """
    book, number = split_statute(wanted)
    cited_book, cited = split_statute(given)
    if book and cited_book and book != cited_book:
        return False
    return cited == number or cited.startswith(f"{number}(")


@lru_cache(maxsize=4096)
def split_statute(text: str) -> tuple[str, str]:
    """Split a citation into its book and its number: `SMC 12A.08.040` is ("SMC", "12A.08.040"); no book is ""."""
    words = text.upper().replace("§", " ").split()
    book = []
    while words and not any(letter.isdigit() for letter in words[0]):
        book.append(words.pop(0))
    # A book may carry its year: NMSA 1978.
    if book and len(words) > 1 and words[0].isdigit():
        words.pop(0)
    return " ".join(book), "".join(words)
