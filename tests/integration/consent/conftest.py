from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.consent.desk import Office, an_office
from tests.support.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def office(tmp_path: Path, clock: FakeClock) -> Iterator[Office]:
    office = an_office(tmp_path, clock)
    yield office
    office.desk.db.engine.dispose()
