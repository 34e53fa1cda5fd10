"""Page tokens."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.casework.paging import place_of, token_of
from services.shared.errors import LeadError


@given(st.booleans(), st.datetimes(timezones=st.just(UTC)), st.text(max_size=40))
def test_a_place_survives_its_token(last: bool, time: datetime, row_id: str) -> None:
    assert place_of(token_of((last, time, row_id))) == (last, time, row_id)


def test_no_token_is_the_beginning() -> None:
    assert place_of("") is None


@given(st.text(min_size=1, max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(LeadError) as refused:
        place_of(text)
    assert [each.path for each in refused.value.violations] == ["pageToken"]


@pytest.mark.parametrize("content", [b"[1,2]", b'[true,"2026-03-02T12:00:00","x"]', b'["a","b","c"]', b"[" * 9000])
def test_a_token_of_another_list_is_refused(content: bytes) -> None:
    with pytest.raises(LeadError):
        place_of(base64.urlsafe_b64encode(content).decode().rstrip("="))
