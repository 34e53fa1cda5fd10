"""Page tokens: what was given out is read back, anything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.provider.paging import place_of, token_of
from services.shared.errors import LeadError
from services.shared.ids import Ids


def test_a_token_stands_for_the_row_it_was_made_of() -> None:
    row_id = Ids().new("enr")
    assert place_of(token_of(row_id)) == row_id
    assert place_of("") == ""


@given(st.text(min_size=1, max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(LeadError) as refused:
        place_of(text)
    assert [each.path for each in refused.value.violations] == ["pageToken"]
