from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.referral.exchange import Exchange


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    made = Exchange(tmp_path)
    yield made
    made.close()
