"""Moves of an enrolment, and what a record that is sent again is to the one that is held."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.provider.domain import enrolment as domain
from services.provider.domain.enrolment import ENDED, ENROLMENT_MOVES
from services.provider.domain.service import Total
from services.shared.errors import LeadError
from tests.support.clock import NOON
from tests.unit.provider.builders import BEGUN, a_draft, an_enrolment

STATUSES = ("ENROLLED", "ACTIVE", *ENDED)


@given(st.lists(st.sampled_from(STATUSES), max_size=6))
def test_any_row_of_changes_follows_the_state_table(statuses: list[str]) -> None:
    enrolment = an_enrolment()
    for status in statuses:
        before = enrolment
        if status == before.status:
            assert domain.changed(before, status, None, None, NOON) is before
        elif before.status in ENROLMENT_MOVES.get(status, {}):
            enrolment = domain.changed(before, status, None, None, NOON)
            assert (enrolment.status, enrolment.version) == (status, before.version + 1)
        else:
            with pytest.raises(LeadError) as refused:
                domain.changed(before, status, None, None, NOON)
            assert refused.value.reason == "ILLEGAL_MOVE"
    assert enrolment.status in STATUSES


def test_an_enrolment_may_end_at_once_and_never_begin_again() -> None:
    for status in ENDED:
        ended = domain.changed(an_enrolment(), status, None, NOON, NOON)
        with pytest.raises(LeadError) as refused:
            domain.changed(ended, "ACTIVE", None, None, NOON)
        assert refused.value.text.endswith("nothing.")


@given(st.sampled_from(STATUSES), st.sampled_from(STATUSES))
def test_a_newer_record_corrects_whatever_stands(before: str, after: str) -> None:
    held = an_enrolment(status=before, ended_at=NOON if before in ENDED else None)
    draft = a_draft(status=after, source_version=2)
    corrected = domain.corrected(held, draft, "second", held.service_id, NOON)
    assert (corrected.status, corrected.ended_at, corrected.version) == (after, None, held.version + 1)
    assert (corrected.id, corrected.subject_id) == (held.id, held.subject_id)


@pytest.mark.parametrize(
    ("held", "sent", "digest", "expected"),
    [
        (1, 1, "first", "UNCHANGED"),
        (1, 2, "second", "REPLACED"),
        (2, 1, "second", "STALE"),
        (1, 1, "second", "VERSION_REUSED"),
        (None, None, "first", "UNCHANGED"),
        (None, None, "second", "REPLACED"),
        (None, None, "seen", "STALE"),
        (None, 1, "second", "REPLACED"),
        (1, None, "second", "VERSION_MISSING"),
    ],
)
def test_a_record_that_comes_again_is_judged_by_version_or_by_content(
    held: int | None, sent: int | None, digest: str, expected: str
) -> None:
    before = an_enrolment(source_version=held)
    assert domain.judged(before, a_draft(source_version=sent), digest, {"first", "seen"}) == expected


@pytest.mark.parametrize(
    ("status", "said", "is_wrong"),
    [
        ("COMPLETED", {"ended_at": BEGUN - timedelta(seconds=1)}, True),
        ("COMPLETED", {"ended_at": BEGUN}, False),
        ("ACTIVE", {"ended_at": NOON}, True),
        ("COMPLETED", {}, False),
    ],
)
def test_an_end_is_not_before_the_start_and_only_of_what_has_ended(
    status: str, said: dict[str, Any], is_wrong: bool
) -> None:
    found = domain.times_violations(status, BEGUN, said.get("ended_at"))
    assert [each.path for each in found] == (["endTime"] if is_wrong else [])


def test_a_day_lies_within_the_enrolment_give_or_take_a_zone() -> None:
    ended = an_enrolment(status="COMPLETED", started_at=NOON - timedelta(days=5), ended_at=NOON)
    for day in (date(2026, 2, 24), date(2026, 3, 3)):
        assert domain.attended(ended, day, NOON).version == 2
    for day in (date(2026, 2, 23), date(2026, 3, 4)):
        with pytest.raises(LeadError):
            domain.attended(ended, day, NOON)


@given(st.integers(0, 1_000_000))
def test_a_total_is_told_in_fives_and_never_under_eleven(people: int) -> None:
    total = Total(start=date(2026, 1, 1), end=date(2026, 1, 31), people=people)
    if people < 11:
        assert (total.shown, total.is_suppressed) == (None, True)
    else:
        assert total.shown is not None
        assert total.shown % 5 == 0
        assert abs(total.shown - people) <= 2
