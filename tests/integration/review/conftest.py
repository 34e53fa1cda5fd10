from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.review.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    running = Office(tmp_path)
    yield running
    running.close()
