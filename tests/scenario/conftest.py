"""One exchange for all stories that leave it whole, since starting one takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.command.exchange import Exchange


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A running exchange with the sample registry."""
    with Exchange(tmp_path_factory.mktemp("scenario") / "data") as running:
        yield running
