"""In whatever order, and however often, things are told: the same is counted."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lead.referral.v1 import referral_pb2
from polars.testing import assert_frame_equal

from services.outcomes.frames import Gathered, gathered
from services.shared.events.delivery import Delivery
from tests.integration.outcomes.bureau import EVALUATOR, SITE, Bureau, a_feed, a_link, a_referral, an_event
from tests.integration.outcomes.cohorts import T0, feeds, ten_people

_DECLINED = referral_pb2.REFERRAL_STATE_DECLINED
_SEEDS = st.integers(0, 2**32)


@contextmanager
def _fresh() -> Iterator[Bureau]:
    with tempfile.TemporaryDirectory() as folder:
        bureau = Bureau(Path(folder))
        try:
            yield bureau
        finally:
            bureau.close()


def _story(copies: int) -> list[Delivery[Any]]:
    """Return a cohort with corrections, in the order in which they were made."""
    later = T0 + timedelta(days=2)
    corrected = [a_referral(f"2x{n}", later, version=2, state=_DECLINED) for n in range(copies)]
    corrected += [an_event(f"1x{n}", T0 + timedelta(days=200), version=2) for n in range(copies)]
    same = [a_link(f"ref_8x{n}", f"stu_0x{n}", version=2, confirmed=True) for n in range(copies)]
    return [*feeds(), *ten_people(copies), *corrected, *same, a_feed(T0 + timedelta(days=1_000), version=2)]


def _shuffled(story: list[Delivery[Any]], seed: int) -> list[Delivery[Any]]:
    lots = random.Random(seed)
    again = [*story, *lots.sample(story, k=len(story) // 4)]
    lots.shuffle(again)
    return again


def _gathered(bureau: Bureau) -> Gathered:
    with bureau.db.read() as connection:
        return gathered(connection, EVALUATOR, SITE, 30)


@pytest.mark.slow
@settings(max_examples=8)
@given(_SEEDS)
def test_the_same_people_and_events_are_counted_in_any_order(seed: int) -> None:
    story = _story(1)
    with _fresh() as one, _fresh() as other:
        one.tell(*story)
        other.tell(*_shuffled(story, seed))
        wished, found = _gathered(one), _gathered(other)
    for name in ("people", "events", "feeds", "referrals"):
        assert_frame_equal(getattr(wished, name), getattr(found, name))


@pytest.mark.slow
@settings(max_examples=2)
@given(_SEEDS)
def test_the_report_is_the_same_to_the_byte_in_any_order(seed: int) -> None:
    story = _story(12)
    reports = []
    for told in (story, _shuffled(story, seed)):
        with _fresh() as bureau:
            bureau.tell(*told)
            reports.append(bureau.rearrest(definition="ARR_ALL").SerializeToString(deterministic=True))
    assert reports[0] == reports[1]
