"""Releases and what is taken back from them."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consent.domain import Consent, Revocation, named
from services.shared.sharing.need import mask, words
from tests.support.clock import NOON
from tests.unit.consent.builders import CATEGORIES, DAY, a_consent, a_revocation

RECIPIENTS = ("prosecutor", "defender", "clinic")

revocations = st.builds(
    Revocation,
    st.just(NOON),
    st.lists(st.sampled_from(RECIPIENTS), unique=True).map(tuple),
    st.lists(st.sampled_from(CATEGORIES), unique=True).map(tuple),
)


@pytest.mark.parametrize(
    ("consent", "state"),
    [
        (a_consent(), "ACTIVE"),
        (a_consent(expires_at=None), "ACTIVE"),
        (a_consent(expires_at=NOON), "EXPIRED"),
        (a_consent(expires_at=NOON + timedelta(seconds=1)), "ACTIVE"),
        (a_consent(revocations=[a_revocation()]), "REVOKED"),
        (a_consent(expires_at=NOON, revocations=[a_revocation()]), "REVOKED"),
        (a_consent(revocations=[a_revocation(["clinic"])]), "ACTIVE"),
        (a_consent(revocations=[a_revocation(categories=["NEEDS"])]), "ACTIVE"),
        (a_consent(revocations=[a_revocation(categories=CATEGORIES)]), "REVOKED"),
        (a_consent(revocations=[a_revocation([one]) for one in ("prosecutor", "clinic")]), "REVOKED"),
    ],
)
def test_a_release_is_revoked_when_nobody_has_anything_left_of_it(consent: Consent, state: str) -> None:
    assert consent.state(NOON) == state


def test_a_release_stands_for_each_recipient_apart() -> None:
    consent = a_consent(recipient_agency_ids=RECIPIENTS, revocations=[a_revocation(["clinic"])])
    assert consent.state(NOON) == "ACTIVE"
    assert consent.state(NOON, ("clinic",)) == "REVOKED"
    assert consent.state(NOON, ("clinic", "defender")) == "ACTIVE"


def test_each_revocation_makes_a_version_that_decisions_cite() -> None:
    first = a_consent()
    second = first.revoked(a_revocation(categories=["NEEDS"]))
    third = second.revoked(a_revocation())
    assert [one.version for one in (first, second, third)] == [1, 2, 3]
    assert [len(one.revocations) for one in (first, second, third)] == [0, 1, 2]


def test_nothing_is_granted_to_who_is_not_named() -> None:
    assert a_consent().granted("clinic") == 0
    assert a_consent().granted("") == 0
    assert a_consent().granted("prosecutor") == mask(CATEGORIES)


@given(st.lists(revocations, max_size=4), revocations, st.sampled_from(RECIPIENTS))
def test_a_revocation_takes_just_what_it_names_from_whom_it_names(
    earlier: list[Revocation], last: Revocation, recipient: str
) -> None:
    before = reduce(Consent.revoked, earlier, a_consent(recipient_agency_ids=RECIPIENTS))
    after = before.revoked(last).granted(recipient)
    meant = not last.recipient_agency_ids or recipient in last.recipient_agency_ids
    taken = set(last.categories or CATEGORIES) if meant else set()
    assert set(words(after)) == set(words(before.granted(recipient))) - taken


@given(st.lists(revocations, max_size=4))
def test_the_order_of_revocations_does_not_matter(taken: list[Revocation]) -> None:
    def granted(one_by_one: list[Revocation]) -> list[int]:
        consent = reduce(Consent.revoked, one_by_one, a_consent(recipient_agency_ids=RECIPIENTS))
        return [consent.granted(recipient) for recipient in RECIPIENTS]

    assert granted(taken) == granted(taken[::-1])


@pytest.mark.parametrize(
    ("recipient", "source", "purpose", "serves"),
    [
        ("prosecutor", "outreach", "DIVERSION_COORD", True),
        ("prosecutor", "outreach", "DIVERSION_ELIG", False),
        ("prosecutor", "recovery", "DIVERSION_COORD", False),
        ("clinic", "outreach", "DIVERSION_COORD", False),
        ("prosecutor", "", "DIVERSION_COORD", False),
    ],
)
def test_a_release_serves_recipient_source_and_purpose_together(
    recipient: str, source: str, purpose: str, serves: bool
) -> None:
    assert a_consent().serves(recipient, "prosecutor", source, purpose) is serves


@pytest.mark.parametrize("kind", ["police", "prosecutor", "defender", "program_office", "court", "jail"])
def test_a_tpo_release_serves_no_justice_kind_even_for_treatment(kind: str) -> None:
    """P2-42."""
    consent = a_consent(type="TPO", purposes=("TREAT",))
    assert not consent.serves("prosecutor", kind, "outreach", "TREAT")
    assert consent.serves("prosecutor", "clinic", "outreach", "TREAT")


def test_a_release_covers_from_its_signature_to_before_its_end() -> None:
    consent = a_consent(signed_at=NOON, expires_at=NOON + DAY)
    times = [NOON - timedelta(microseconds=1), NOON, NOON + DAY - timedelta(microseconds=1), NOON + DAY]
    assert [consent.covers(at) for at in times] == [False, True, True, False]
    assert not a_consent(signed_at=None).covers(NOON)
    assert a_consent(expires_at=None).covers(NOON + 10_000 * DAY)


def test_an_agency_is_named_while_a_release_gives_it_anything() -> None:
    assert named([a_consent()], "prosecutor", NOON)
    assert not named([a_consent()], "clinic", NOON)
    assert not named([a_consent(expires_at=NOON)], "prosecutor", NOON)
    assert not named([a_consent(revocations=[a_revocation(["prosecutor"])])], "prosecutor", NOON)
    assert named([a_consent(expires_at=NOON), a_consent("con_2")], "prosecutor", NOON)
