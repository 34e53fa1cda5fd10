"""One exchange for all stories that leave it whole, since starting one takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.command.demo import drafts, journey, services
from services.command.demo.chapters.providers import providers_release
from services.command.demo.client import Client, grpc_channel
from services.command.demo.story import Person, Story
from services.command.exchange import Exchange
from services.shared.ids import new_id
from tests.scenario.attempts import Tried
from tests.scenario.wire import Wire

# A quarter is published within seconds, not within a quarter of an hour.
_SETTINGS = {"outcomes": {"freeze_every_seconds": 1.0}}


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A running exchange with the sample registry."""
    with Exchange(tmp_path_factory.mktemp("scenario") / "data", settings=_SETTINGS) as running:
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


@pytest.fixture(scope="session")
def wire(exchange: Exchange) -> Iterator[Wire]:
    """Makes calls over gRPC."""
    with grpc_channel(exchange.grpc_target, exchange.ca_path) as channel:
        yield Wire(exchange, channel)


def on_the_way(story: Story, name: str, born: str, agency: str = "sample-outreach") -> Person:
    """Return somebody new whom a case manager took in: referred, handed over, intake complete."""
    person = Person(name, f"Sample-{name}", born, agency)
    journey.refer(story, person)
    journey.offer(story, person)
    journey.hand_over(story, person)
    journey.complete_intake(story, person)
    return person


def put_to_the_office(story: Story, person: Person) -> dict[str, Any]:
    """Report an arrest of somebody of the same name; returns the match that the programme office is asked about."""
    arrest = {
        "source": {"system": "sample-arrests", "recordId": new_id("evt"), "version": "1"},
        "kind": "JUSTICE_EVENT_KIND_ARREST",
        "time": drafts.ago(hours=3),
        "warrantKind": "WARRANT_KIND_NONE",
        "person": drafts.person_facts(person),
    }
    sent = story.caller("police_rms", drafts.POLICE).post("/v1/justiceEvents", {"events": [arrest]})
    journey.done("report an arrest", sent)
    office = story.caller("program_manager", "sample-office")

    def look() -> dict[str, Any] | None:
        found = office.pages("/v1/personMatches", "matches", state="MATCH_STATE_OPEN")
        return next((one for one in found if one.get("found", {}).get("familyName") == person.family_name), None)

    match = story.eventually(look)
    assert match is not None, "no match was put to the office"
    return match


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


@pytest.fixture(scope="session")
def gamma(story: Story) -> Person:
    """A participant whom every kind of provider was asked to take and took in, without any release."""
    person = on_the_way(story, "Gamma", "1982-06-06")
    for agency in drafts.PROVIDERS:
        services.ask(story, person, agency)
        services.enrol(story, person, agency, is_released=False)
    return person


@pytest.fixture(scope="session")
def delta(story: Story) -> Person:
    """A participant who lets all providers and the case agency work together; asked for and enrolled at the housing."""
    person = on_the_way(story, "Delta", "1983-07-07")
    journey.release(story, person, "providers", **providers_release(person))
    services.ask(story, person, "sample-housing")
    services.enrol(story, person, "sample-housing")
    return person
