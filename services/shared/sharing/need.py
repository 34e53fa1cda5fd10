"""What a caller must be allowed to see before a field may be shown: the need set (matrix "Need set").

A mask is an int with one bit per category, `1 << number` of the word in `lead.options.v1.Category`. The bit of
CATEGORY_UNSPECIFIED is `NEVER`: no mask of visible categories holds it, so what needs it is never shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from lead.options.v1.words_pb2 import AgencyKind, Category

NEVER = 1
"""The need of anything unlabelled or unknown: no caller can meet it."""

_CATEGORY = "CATEGORY_"
_KIND = "AGENCY_KIND_"

BITS: dict[str, int] = {name.removeprefix(_CATEGORY): 1 << number for name, number in Category.items() if number != 0}
"""Category word to its bit."""

KINDS: frozenset[str] = frozenset(
    {name.removeprefix(_KIND).lower() for name, number in AgencyKind.items() if number != 0} | {"none"}
)
"""What a source can be: the agency kinds, and `none` where a record comes from no agency."""

# Agencies whose records are no Part 2 records, whatever they say: label by source (42 CFR 2.12(a)).
_NEVER_PART2 = frozenset({"police", "prosecutor", "defender", "program_office"})

# Their rows carry conditions of their own.
_NEVER_ADDED = frozenset(
    {
        "CONSENT_RECORD",
        "DISCLOSURE_RECORD",
        "LINKED_RESEARCH",
        "DEIDENTIFIED",
        "FUNDING",
        "DIRECTORY",
        "STAFF",
        "SYSTEM",
    }
)


def mask(categories: Iterable[str]) -> int:
    """Return the mask of some category words; an unknown word brings `NEVER` in."""
    result = 0
    for word in categories:
        result |= BITS.get(word, NEVER)
    return result


def words(bits: int) -> tuple[str, ...]:
    """Return the category words in a mask, in the order of their numbers."""
    return tuple(word for word, bit in BITS.items() if bits & bit)


@lru_cache(maxsize=32768)
def need(category: str, row_category: str, source_kind: str, part2: str) -> int:
    """Return the mask that must be visible in full before a field labelled `category` is.

    `row_category` is the category of the record the field stands on, `""` for what is no record about a person;
    `source_kind` is the kind of its source agency or `none`; `part2` is YES, NO or UNKNOWN, and anything but NO counts
    as YES. SUD_PRESENCE is added because whatever comes from a Part 2 program says that someone is its patient
    (42 CFR 2.13(c)). STAFF also needs its record, as one may see a name only on a record one may see (matrix row 40).
    An unknown word gives `NEVER`.
    """
    if source_kind not in KINDS:
        return NEVER
    wanted = BITS.get(category, NEVER)
    if not row_category:
        return wanted
    if category == "STAFF" and row_category != "STAFF":
        return wanted | need(row_category, row_category, source_kind, part2)
    if category not in _NEVER_ADDED and part2 != "NO" and source_kind not in _NEVER_PART2:
        wanted |= BITS["SUD_PRESENCE"]
    return wanted | (0 if row_category in BITS else NEVER)
