"""The words of a release: what they may hold, whatever the law asks for besides."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.consent.domain import Draft, Signature
from services.consent.validate import stopped, written
from services.shared.errors import LeadError

CANARY = "Canary7351"


def paths(draft: Draft) -> set[str]:
    found = list(written(draft))
    assert not any(CANARY in one.wish for one in found)
    return {one.path for one in found}


def test_plain_words_are_fine() -> None:
    signature = Signature("Testa Sample", "GUARDIAN", "order of a sample court")
    assert paths(Draft(signature=signature, expire_event="end of the programme\nor earlier")) == set()


@pytest.mark.parametrize("text", [f"{CANARY} SID WA12345678", "FBI 123456AB7", "a\0b", "a\x1bb", "a" * 301])
def test_numbers_of_cjis_control_characters_and_long_words_are_refused_wherever_they_stand(text: str) -> None:
    draft = Draft(signature=Signature(text, text, text), expire_event=text)
    assert paths(draft) == {"signature.signerName", "signature.relation", "signature.authority", "expireEvent"}


def test_nobody_signed_before_1900() -> None:
    assert paths(Draft(signed_at=datetime(1899, 12, 31, tzinfo=UTC))) == {"signedTime"}
    assert paths(Draft(signed_at=datetime(1900, 1, 1, tzinfo=UTC))) == set()


def test_a_revocation_names_agencies_that_the_release_names() -> None:
    stopped([], ("sample-police",))
    stopped(["sample-police"], ("sample-police", "sample-office"))
    with pytest.raises(LeadError) as raised:
        stopped(["sample-police", CANARY, "sample-office"], ("sample-police", "sample-office"))
    assert [one.path for one in raised.value.violations] == ["recipientAgencyIds[1]"]
    assert CANARY not in repr(raised.value)
