"""What holds for every decision, whatever is held about a person (Hypothesis)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from services.consent.decide import LONGEST, Asker, Decision
from services.consent.domain import Consent, Revocation
from services.consent.held import Held, ScopeFact
from services.shared.sharing.need import mask
from services.shared.sharing.purposes import ALLOWED
from tests.support.clock import NOON
from tests.unit.consent.builders import (
    AGENCIES,
    CATEGORIES,
    DAY,
    HANDOFF,
    PARTICIPANT,
    REFERRAL,
    SUBJECT,
    a_draft,
    about,
    an_asker,
    decided,
    role_of,
    the_person,
)

_RECORDS = st.sampled_from([REFERRAL, HANDOFF, "con_1", ""])
_AGENCY = st.sampled_from(sorted(AGENCIES))
_SECONDS = st.integers(-90, 90)
_MOMENTS = st.one_of(st.none(), _SECONDS.map(lambda seconds: NOON + timedelta(seconds=seconds)))
_SOME_AGENCIES = st.lists(_AGENCY, min_size=1, max_size=3, unique=True).map(tuple)
_SOME_CATEGORIES = st.lists(st.sampled_from(CATEGORIES), min_size=1, unique=True).map(tuple)
_PURPOSES = st.lists(
    st.sampled_from(["DIVERSION_COORD", "CAREMGT", "TREAT", "HOUSING_PLACE", "HANDOFF"]),
    min_size=1,
    unique=True,
).map(tuple)

drafts = st.builds(
    a_draft,
    type=st.sampled_from(["NAMED", "TPO"]),
    source_agency_ids=_SOME_AGENCIES,
    recipient_agency_ids=_SOME_AGENCIES,
    categories=_SOME_CATEGORIES,
    purposes=_PURPOSES,
    signed_at=st.sampled_from([NOON - DAY, NOON, NOON + timedelta(seconds=30)]),
    expires_at=_MOMENTS,
)
revocations = st.builds(
    Revocation,
    st.just(NOON),
    st.one_of(st.just(()), _SOME_AGENCIES),
    st.one_of(st.just(()), _SOME_CATEGORIES),
)


@st.composite
def consents(draw: st.DrawFn, number: int = 1) -> Consent:
    taken = Consent(f"con_{number}", PARTICIPANT, draw(drafts), draw(_AGENCY), "2024")
    return reduce(Consent.revoked, draw(st.lists(revocations, max_size=2)), taken)


facts = st.builds(
    ScopeFact,
    st.sampled_from(["SITE", "INCIDENT", "ROUTED", "DISPATCHED", "ADDRESSED", "COMMUNITY"]),
    st.just(SUBJECT),
    st.sampled_from([REFERRAL, HANDOFF]),
    st.one_of(st.just(""), _AGENCY),
    st.sampled_from(["", "north"]),
    _MOMENTS,
    _MOMENTS,
    st.booleans(),
)
flags = st.builds(
    ScopeFact,
    st.just("SAFETY"),
    st.just(SUBJECT),
    st.just(PARTICIPANT),
    _AGENCY,
    from_at=_MOMENTS,
    until_at=_MOMENTS,
    closed=st.booleans(),
)


@st.composite
def helds(draw: st.DrawFn) -> Held:
    releases = [draw(consents(number)) for number in range(draw(st.integers(0, 3)))]
    return about(*releases, facts=draw(st.lists(facts, max_size=4)), safety=draw(st.lists(flags, max_size=1)))


@st.composite
def askers(draw: st.DrawFn) -> Asker:
    agency = draw(st.one_of(st.none(), _AGENCY))
    if agency is None:
        return the_person()
    return an_asker(agency, draw(st.sampled_from(ALLOWED[role_of(AGENCIES[agency].kind)])))


@st.composite
def questions(draw: st.DrawFn) -> tuple[Asker, str, str]:
    return draw(askers()), draw(_AGENCY), draw(_RECORDS)


def answer(question: tuple[Asker, str, str], held: Held, now: datetime = NOON) -> Decision:
    asker, source, record = question
    return decided(asker, held, source, record, now=now)


def with_consents(held: Held, *taken: Consent) -> Held:
    return about(*taken, facts=held.facts, safety=held.participant_facts)


@given(questions(), helds(), consents(9), revocations)
def test_a_revocation_never_widens(
    question: tuple[Asker, str, str], held: Held, consent: Consent, revocation: Revocation
) -> None:
    before = with_consents(held, *held.consents, consent)
    after = with_consents(held, *held.consents, consent.revoked(revocation))
    assert not answer(question, after).visible & ~answer(question, before).visible


@given(questions(), helds(), consents(9))
def test_a_release_shows_nothing_to_an_agency_that_it_does_not_name(
    question: tuple[Asker, str, str], held: Held, consent: Consent
) -> None:
    asker = question[0]
    if asker.agency_id in (*consent.draft.recipient_agency_ids, consent.taken_by_agency_id):
        return
    more = answer(question, with_consents(held, *held.consents, consent))
    assert more.visible == answer(question, with_consents(held, *held.consents)).visible


@given(questions(), helds(), consents(9))
def test_a_release_never_narrows(question: tuple[Asker, str, str], held: Held, consent: Consent) -> None:
    more = answer(question, with_consents(held, *held.consents, consent))
    assert not answer(question, held).visible & ~more.visible


@given(questions(), helds())
def test_each_ruling_that_cites_a_release_stays_within_it(question: tuple[Asker, str, str], held: Held) -> None:
    asker, source, _ = question
    for ruling in answer(question, held).rulings:
        if ruling.consent is not None:
            draft = ruling.consent.draft
            assert ruling.rule == "consent"
            assert not ruling.categories & ~mask(draft.categories)
            assert asker.agency_id in draft.recipient_agency_ids
            assert source in draft.source_agency_ids
            assert asker.purpose in draft.purposes
            assert ruling.consent.covers(NOON)


@given(questions(), helds())
def test_rulings_are_disjoint_and_make_up_the_visible(question: tuple[Asker, str, str], held: Held) -> None:
    decision = answer(question, held)
    assert sum(ruling.categories for ruling in decision.rulings) == decision.visible
    assert all(ruling.row for ruling in decision.rulings)


@given(questions(), helds(), st.integers(0, 59))
def test_nothing_held_until_its_end_shows_more_than_a_decision_made_then(
    question: tuple[Asker, str, str], held: Held, seconds: int
) -> None:
    """What an enforcement point may remember is never wider than what it would be told if it asked."""
    decision = answer(question, held)
    later = NOON + timedelta(seconds=seconds)
    assert NOON <= decision.until <= NOON + LONGEST
    if later < decision.until:
        assert not decision.visible & ~answer(question, held, later).visible
