"""One exchange for all faults, since starting one takes seconds. Every test leaves it whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from services.command.demo.story import Story
from services.command.exchange import Exchange
from tests.faults.books import Books

_TOLD = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    with Exchange(tmp_path_factory.mktemp("faults") / "data") as exchange:
        yield exchange


@pytest.fixture
def exchange(running: Exchange) -> Iterator[Exchange]:
    """The exchange, whole before the test and after it."""
    running.wait()
    yield running
    running.wait()


@pytest.fixture
def story(exchange: Exchange) -> Iterator[Story]:
    """Callers of the public faces."""
    callers = Story(exchange)
    yield callers
    callers.close()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says a figure at the end of the run. None is asserted: they are this machine's."""
    return request.config.stash.setdefault(_TOLD, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(_TOLD, []):
        terminalreporter.write_line(line)


@pytest.fixture
def books(exchange: Exchange) -> Books:
    return Books(exchange.layout)
