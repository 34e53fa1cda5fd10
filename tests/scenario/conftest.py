"""One exchange for all stories that leave it whole, since starting one takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from services.command.demo import journey
from services.command.demo.client import Client
from services.command.demo.story import Person, Story
from services.command.exchange import Exchange
from tests.scenario.attempts import Tried


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A running exchange with the sample registry."""
    with Exchange(tmp_path_factory.mktemp("scenario") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def story(exchange: Exchange) -> Iterator[Story]:
    """A story in that exchange, without anybody in it yet."""
    told = Story(exchange)
    yield told
    told.close()


@pytest.fixture(scope="session")
def client(story: Story) -> Callable[..., Client]:
    """Makes the client of a role: `client(role, agency="", participant="")`. Clients are shared: leave them open."""
    return story.caller


@pytest.fixture(scope="session")
def tried(exchange: Exchange) -> Tried:
    """Looks at what came of wrong calls."""
    return Tried(exchange)


def on_the_way(story: Story, name: str, born: str, agency: str = "sample-outreach") -> Person:
    """Return somebody new whom a case manager took in: referred, handed over, intake complete."""
    person = Person(name, f"Sample-{name}", born, agency)
    journey.refer(story, person)
    journey.offer(story, person)
    journey.hand_over(story, person)
    journey.complete_intake(story, person)
    return person


@pytest.fixture(scope="session")
def alpha(story: Story) -> Person:
    """A participant, with a release to the city's prosecutor that stands and one to two others that was revoked."""
    person = on_the_way(story, "Alpha", "1980-04-04")
    journey.narrow_release(story, person)
    journey.release(story, person, "second", recipientAgencyIds=["sample-second-outreach", "sample-defender"])
    journey.done(
        "revoke", journey.case_manager(story, person).post(f"/v1/consents/{person.consents['second']}:revoke", {})
    )
    return person


@pytest.fixture(scope="session")
def beta(story: Story) -> Person:
    """Another participant of the same case agency."""
    return on_the_way(story, "Beta", "1981-05-05")
