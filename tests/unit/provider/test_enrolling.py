"""Records that come together are judged as if they had come one by one."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.provider.domain.answer import Answer
from services.provider.domain.enrolment import Draft, Enrolment
from services.provider.domain.request import Request
from services.provider.enrolling import Book, Known, Outcome, Provider, Sent
from services.shared.errors import Violation
from tests.support.clock import NOON
from tests.unit.provider.builders import (
    PARTICIPANT,
    REFERRAL,
    SERVICE,
    SUBJECT,
    TREATMENT,
    a_draft,
    a_request,
    a_service,
    an_answer,
    an_enrolment,
)

STRANGER = "par_stranger"


class Shelf:
    """What would lie in the database; one book at a time is worked through and stored."""

    def __init__(self, *enrolments: Enrolment, request: Request | None = None) -> None:
        self.enrolments = {each.record_id: each for each in enrolments}
        self.contents = {each.id: {each.digest} for each in enrolments}
        self.pair: tuple[Request, Answer] = (request or a_request(), an_answer())
        self._numbers = itertools.count(1)

    def book(self) -> Book:
        pairs = {REFERRAL: self.pair}
        known = Known(
            enrolments=dict(self.enrolments),
            contents={key: set(each) for key, each in self.contents.items()},
            services={SERVICE: a_service()},
            named=pairs,
            asked=pairs,
        )
        provider = Provider(
            agency_id=TREATMENT,
            agency_kind="sud_treatment",
            subject_of=lambda each: SUBJECT if each == PARTICIPANT else "",
        )
        return Book(known, provider, lambda _: f"enr_{next(self._numbers)}", NOON)

    def put(self, *sent: Sent) -> list[Outcome]:
        """Judge records together, and store what came of them."""
        book = self.book()
        outcomes = [book.put(each) for each in sent]
        self.enrolments |= dict(book.added) | {each.record_id: each for _, each in book.changed}
        for enrolment_id, digest in book.contents:
            self.contents.setdefault(enrolment_id, set()).add(digest)
        for request, _, after in book.answered:
            self.pair = (request, after)
        return outcomes


def sent(draft: Draft, digest: str = "") -> Sent:
    said = f"{draft.status}/{draft.source_version}/{draft.started_at}"
    return Sent(draft=draft, key=draft.record_id, digest=digest or said)


DRAFTS = st.builds(
    lambda record_id, version, status: sent(a_draft(record_id=record_id, source_version=version, status=status)),
    st.sampled_from(("R-1", "R-2")),
    st.none() | st.integers(1, 3),
    st.sampled_from(("ENROLLED", "ACTIVE", "COMPLETED")),
)


@given(st.lists(DRAFTS, max_size=8))
def test_together_or_one_by_one_comes_to_the_same(records: list[Sent]) -> None:
    together, apart = Shelf(), Shelf()
    at_once = together.put(*records)
    one_by_one = [outcome for each in records for outcome in apart.put(each)]
    assert [each.word for each in at_once] == [each.word for each in one_by_one]
    assert [each.violations for each in at_once] == [each.violations for each in one_by_one]
    for key, one in together.enrolments.items():
        # Stored once, it has fewer versions; it says the same.
        assert replace(one, version=1) == replace(apart.enrolments[key], version=1)
    assert (together.pair[1].state, together.pair[1].enrollment_id) == (
        apart.pair[1].state,
        apart.pair[1].enrollment_id,
    )


@given(st.lists(DRAFTS, max_size=8))
def test_the_same_records_again_change_nothing(records: list[Sent]) -> None:
    shelf = Shelf()
    shelf.put(*records)
    before = dict(shelf.enrolments), shelf.pair
    again = shelf.put(*records)
    assert (dict(shelf.enrolments), shelf.pair) == before
    assert {each.word for each in again} <= {"UNCHANGED", "STALE", "REJECTED"}


def test_all_that_does_not_exist_for_the_provider_is_named_at_once() -> None:
    draft = a_draft(service_referral_id="", participant_id=STRANGER, service_id="srv_other")
    (outcome,) = Shelf().put(sent(draft))
    assert [each.path for each in outcome.violations] == ["serviceId", "participantId"]


def test_a_record_that_is_wrong_is_looked_up_all_the_same_and_not_taken() -> None:
    wrong = replace(sent(a_draft(service_referral_id="srf_x")), wrong=(Violation("status", "one of them"),))
    shelf = Shelf()
    (outcome,) = shelf.put(wrong)
    assert (outcome.word, outcome.enrolment) == ("REJECTED", None)
    assert [each.path for each in outcome.violations] == ["serviceReferralId"]
    assert shelf.enrolments == {}


def test_a_correction_may_name_the_referral_that_was_not_named_before_but_no_other() -> None:
    held = an_enrolment(service_referral_id="")
    shelf = Shelf(held)
    (outcome,) = shelf.put(sent(a_draft(), "second"))
    assert (outcome.word, shelf.pair[1].enrollment_id) == ("REPLACED", held.id)
    (refused,) = shelf.put(sent(a_draft(service_referral_id="srf_other"), "third"))
    assert [each.path for each in refused.violations] == ["serviceReferralId"]


def test_a_question_that_is_over_takes_no_new_enrolment_and_keeps_the_old_one() -> None:
    over = a_request(state="CANCELLED")
    (refused,) = Shelf(request=over).put(sent(a_draft()))
    assert [each.path for each in refused.violations] == ["serviceReferralId"]
    (outcome,) = Shelf(an_enrolment(), request=over).put(sent(a_draft(status="COMPLETED"), "second"))
    assert outcome.word == "REPLACED"


def test_a_record_of_the_exchange_alone_is_new_each_time() -> None:
    shelf = Shelf()
    first, second = shelf.put(sent(a_draft(system="", record_id="")), sent(a_draft(system="", record_id="")))
    assert first.word == second.word == "CREATED"
    assert first.enrolment is not None
    assert second.enrolment is not None
    assert first.enrolment.id != second.enrolment.id
