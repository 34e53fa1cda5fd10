from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.outcomes.bureau import Bureau


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    running = Bureau(tmp_path)
    yield running
    running.close()
