from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.casework.desk import Desk
from tests.integration.casework.linking import Linking


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.fixture
def linking(desk: Desk) -> Linking:
    return Linking(desk)
