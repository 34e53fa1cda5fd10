"""What is kept of a name or a number: keyed tokens, equal where the same is meant, and nothing without the key.

HMAC-SHA-256 under a key that is derived from the area's (RFC 5869). Another area key makes other tokens: an index is
rebuilt by a replay, not carried over.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LOCAL, RECORD = "LOCAL", "RECORD"
DAY, MONTH, YEAR = "DAY", "MONTH", "YEAR"
NAMES = (DAY, MONTH, YEAR)
"""Kinds of tokens of a name together with a birth date, by how much of the date is in them."""
_BY_PARTS = {1: YEAR, 2: MONTH, 3: DAY}
_INFO = b"lead.casework.person-index.v1"
# What systems write where they have no number.
_PLACEHOLDERS = frozenset({"", "0", "none", "null", "na", "unknown", "unk"})


@dataclass(frozen=True, slots=True)
class Named:
    """A person as one source wrote him; the birth date may be partial, and anything may be missing."""

    given_name: str = ""
    family_name: str = ""
    birth_date: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was written."""
        return not (self.given_name or self.family_name or self.birth_date)


@dataclass(frozen=True, slots=True)
class Marks:
    """All that matching knows of a record: its tokens with their kinds, and how many parts of the birth date it has."""

    tokens: frozenset[tuple[str, bytes]] = field(default_factory=frozenset)
    birth_parts: int = 0

    def shares(self, other: Marks, kind: str) -> bool:
        """Tell whether both have a token of this kind."""
        return any(one == kind for one, _ in self.tokens & other.tokens)

    def of(self, kind: str) -> frozenset[bytes]:
        """Return the tokens of one kind."""
        return frozenset(token for one, token in self.tokens if one == kind)


class Tokens:
    """Makes the tokens of one area."""

    def __init__(self, area_key: bytes) -> None:
        """Derive the key of the index from the area's 32 bytes."""
        self._key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(area_key)

    def marks(self, named: Named, local_ids: Iterable[tuple[str, str]] = (), records: Iterable[bytes] = ()) -> Marks:
        """Return the marks of a person; local ids as (agency, id), `records` as `record` gives them."""
        dated = tuple(self._dated(named))
        tokens = {
            *dated,
            *((LOCAL, self.local(*each)) for each in local_ids if not is_placeholder(each[1])),
            *((RECORD, each) for each in records),
        }
        return Marks(frozenset(tokens), len(dated))

    def local(self, agency_id: str, local_id: str) -> bytes:
        """Return the token of an agency's own number of a person. Two agencies' numbers never give the same."""
        return self._token(LOCAL, agency_id, unicodedata.normalize("NFKC", local_id).strip())

    def record(self, agency_id: str, system: str, record_id: str) -> bytes:
        """Return the token of a record's own name at its source."""
        return self._token(RECORD, agency_id, system, record_id)

    def _dated(self, named: Named) -> Iterator[tuple[str, bytes]]:
        # A name alone never matches; nor does half a name.
        given, family = plain(named.given_name), plain(named.family_name)
        if not (given and family and named.birth_date):
            return
        parts = named.birth_date.split("-")
        for count in range(1, len(parts) + 1):
            kind = _BY_PARTS[count]
            yield kind, self._token(kind, given, family, "-".join(parts[:count]))

    def _token(self, *words: str) -> bytes:
        # As JSON, so that no two lists of words run together to the same text.
        return hmac.digest(self._key, json.dumps(words).encode(), hashlib.sha256)


def plain(name: str) -> str:
    """Return a name as it is compared: compatible forms, case, accents, spaces and punctuation make no difference.

    So the parts of a hyphenated or double name run together: Sample-Test, Sample Test and SampleTest are one.
    """
    text = name
    for _ in range(2):
        # Folding makes letters that are to be taken apart again, once (Unicode 3.13, D146).
        text = unicodedata.normalize("NFKD", text).casefold()
    text = unicodedata.normalize("NFKD", text)
    return "".join(each for each in text if unicodedata.category(each)[0] in "LN" or unicodedata.category(each) == "Mc")


def is_placeholder(local_id: str) -> bool:
    """Tell whether a number is what systems write where they have none: it would make one person of many."""
    text = plain(local_id)
    return text in _PLACEHOLDERS or not text.strip("0")
