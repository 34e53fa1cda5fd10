"""What is sealed is padded, and comes back as it was; secrets are each for one use."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.provider.sealed import from_text, secrets_of, time_of, to_text
from tests.support.clock import NOON


@given(st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=300), max_size=5))
def test_values_come_back_and_their_length_is_rounded(values: dict[str, int | str | None]) -> None:
    text = to_text(values)
    assert from_text(text) == values
    assert len(text) % 256 == 0


def test_times_come_back_aware() -> None:
    assert time_of(from_text(to_text({"at": NOON}))["at"]) == NOON
    assert time_of(None) is None


def test_digests_tell_parts_apart_and_differ_by_key() -> None:
    one, other = secrets_of(b"a" * 32), secrets_of(b"b" * 32)
    assert one.digest("ab", "c") != one.digest("a", "bc")
    assert one.digest("a") != other.digest("a")
    assert one.idempotency != one.digests
