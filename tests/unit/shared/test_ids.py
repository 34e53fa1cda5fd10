"""Ids say their kind, sort by birth, and are never mistaken for another kind."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.ids import Ids, is_id, new_id

MILLISECONDS = st.integers(min_value=0, max_value=2**47)


def test_an_id_is_its_prefix_and_a_uuid_of_version_7() -> None:
    prefix, _, tail = new_id("ref").partition("_")
    parsed = uuid.UUID(tail)
    assert prefix == "ref"
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert str(parsed) == tail


def test_an_id_tells_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = Ids().uuid().int >> 80
    assert before <= made <= time.time_ns() // 1_000_000


@given(MILLISECONDS, st.integers(min_value=0, max_value=2**74 - 1))
def test_every_time_and_randomness_gives_a_well_formed_id(milliseconds: int, random: int) -> None:
    made = Ids(lambda: milliseconds, lambda bits: random & ((1 << bits) - 1)).uuid()
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == milliseconds
    assert is_id(f"ref_{made}", "ref")


@given(st.lists(MILLISECONDS, min_size=2, max_size=30))
def test_ids_rise_even_when_the_clock_goes_back(ticks: list[int]) -> None:
    clock = iter(ticks)
    ids = Ids(lambda: next(clock))
    made = [ids.new("ref") for _ in ticks]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_one_millisecond_rise_past_the_end_of_their_random_bits() -> None:
    ids = Ids(lambda: 5, lambda bits: (1 << bits) - 1)
    first, second, third = (ids.uuid() for _ in range(3))
    assert first.int >> 80 == 5
    assert first < second < third
    assert second.version == 7


def test_threads_share_one_maker_without_a_repeated_id() -> None:
    ids = Ids(lambda: 7)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: ids.new("evt"), range(2000)))
    assert len(set(made)) == 2000


@pytest.mark.parametrize("prefix", ["", "r", "REF", "ref_", "referrals", "r3f", "réf"])
def test_a_prefix_that_is_no_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        Ids().new(prefix)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ref",
        "ref_",
        "0198c1e2-5a3b-7cde-8f01-23456789abcd",
        "par_0198c1e2-5a3b-7cde-8f01-23456789abcd",
        "REF_0198c1e2-5a3b-7cde-8f01-23456789abcd",
        "ref_0198C1E2-5A3B-7CDE-8F01-23456789ABCD",
        "ref_0198c1e25a3b7cde8f0123456789abcd",
        "ref_0198c1e2-5a3b-4cde-8f01-23456789abcd",
        "ref_0198c1e2-5a3b-7cde-7f01-23456789abcd",
        "ref_0198c1e2-5a3b-7cde-8f01-23456789abcd:approve",
        "ref_0198c1e2-5a3b-7cde-8f01-23456789abcd\n",
        " ref_0198c1e2-5a3b-7cde-8f01-23456789abcd",
        "ref_0198c1e2-5a3b-7cde-8f01-23456789abc٣",  # an Arabic digit
    ],
)
def test_what_new_id_never_makes_is_no_id(text: str) -> None:
    assert is_id("ref_0198c1e2-5a3b-7cde-8f01-23456789abcd", "ref")
    assert not is_id(text, "ref")


@given(st.text())
def test_any_text_may_be_asked_about(text: str) -> None:
    assert not is_id(text, "ref") or text.startswith("ref_")
