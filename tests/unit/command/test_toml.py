from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.command import toml

_KEYS = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
_PLAIN = st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(exclude_categories=["Cs"]))
_VALUES = _PLAIN | st.lists(st.text(st.characters(exclude_categories=["Cs"])))
_SECTION = st.dictionaries(_KEYS, _VALUES)


@given(st.dictionaries(_KEYS, _VALUES | _SECTION | st.lists(_SECTION, min_size=1)))
def test_what_is_written_is_read_back(values: dict[str, object]) -> None:
    assert tomllib.loads(toml.dumps(values)) == values


def test_a_path_is_a_text() -> None:
    assert toml.dumps({"ca": Path("a b/ca.crt")}) == 'ca = "a b/ca.crt"\n'


def test_other_kinds_are_refused() -> None:
    with pytest.raises(TypeError):
        toml.dumps({"a": object()})
