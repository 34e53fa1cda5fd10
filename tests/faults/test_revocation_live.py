"""After a revocation was acknowledged no read of what providers do and no open stream shows anything that rested on it.

Both sides go on all the while: the provider enrols, which the case manager is told of by the release alone, and the
case manager asks, which the provider is told of by the release alone. What each does himself he may always see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from services.command.demo import journey, services
from services.command.demo.story import Person, Story
from services.command.exchange import Exchange
from tests.faults.followers import Follower
from tests.faults.gateways import second_gateway
from tests.faults.senders import Sender, asking, enrolling, served, take_back
from tests.faults.test_revocation_under_load import Sight, check_nothing_after, hammering, wait_until_seen

pytestmark = pytest.mark.slow
PROVIDER = "sample-clinic"
PACE = 0.05
LEAST = 4
# What is told before and after, of both sides.
SEVERAL = 3


@dataclass(frozen=True)
class Sides:
    """A person whom both sides go on about."""

    person: Person
    enrolled: Sender
    asked: Sender

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Enrol and ask all the while."""
        with self.enrolled.sending(PACE), self.asked.sending(PACE):
            yield

    def after(self, moment: float) -> set[str]:
        """What either side has begun after a moment of the monotonic clock."""
        begun = self.enrolled.begun | self.asked.begun
        return {one for one, at in tuple(begun.items()) if at > moment}


@dataclass(frozen=True)
class Watch:
    """A follower, what he is told of by the release alone, and what he may always be told of."""

    follower: Follower
    released: Sender
    own: Sender


def sides(story: Story, name: str) -> Sides:
    """Bring a person up to a release to the providers; one of them has answered, and goes on."""
    person = served(story, name, PROVIDER)
    staff = services.staff(story, PROVIDER)
    row = story.eventually(lambda: services.asked(person, PROVIDER, staff))
    assert row is not None
    journey.done("accept", services.move(staff, row, "accept", row["answer"]["etag"]))
    enrolled = enrolling(story, person, f"{name}-enrolled", PROVIDER)
    asked = asking(story, person, f"{name}-asked", PROVIDER)
    enrolled.send()
    asked.send()
    return Sides(person, enrolled, asked)


def sights(both: Sides) -> tuple[Sight, ...]:
    """What each side reads of the other by the release: enrolments, the provider's answer, the service referrals."""
    person, enrolled, asked = both.person, both.enrolled, both.asked
    manager, provider = ("case_manager", person.case_agency), ("provider_staff", PROVIDER)
    query, (first, *_) = {"participantId": person.participant_id}, enrolled.ids

    def lists(rows: str, ids: Sender) -> Callable[..., bool]:
        return lambda answer: any(row["id"] in ids.begun for row in answer.body.get(rows, []))

    return (
        Sight(*manager, f"/v1/enrollments/{first}", lambda answer: answer["enrollment"]["id"] == first),
        Sight(*manager, "/v1/enrollments", lists("enrollments", enrolled), query),
        Sight(
            *manager,
            "/v1/serviceReferrals",
            lambda answer: any("answer" in row for row in answer.body.get("serviceReferrals", [])),
            query,
        ),
        Sight(*provider, "/v1/serviceReferrals", lists("serviceReferrals", asked), query),
    )


def watches(exchange: Exchange, both: Sides, cursors: Collection[str] = ("", ""), url: str = "") -> list[Watch]:
    """Return who follows on both sides, each on one face: from now on, or from a cursor each."""
    of_manager, of_provider = cursors
    face = "sse" if url else "grpc"
    manager = Follower(exchange, "case_manager", both.person.case_agency, face, of_manager, url)
    provider = Follower(exchange, "provider_staff", PROVIDER, "sse", of_provider, url)
    return [Watch(manager, both.enrolled, both.asked), Watch(provider, both.asked, both.enrolled)]


@contextmanager
def following(watching: Collection[Watch]) -> Iterator[None]:
    """Follow with all of them."""
    with ExitStack() as stack:
        for one in watching:
            stack.enter_context(one.follower)
        yield


def wait_until_told(watching: Collection[Watch], what: Callable[[Watch], Collection[str]]) -> None:
    """Wait until each follower was told of several of these."""
    for one in watching:
        enough = lambda one=one: len(one.follower.records & set(what(one))) >= SEVERAL  # noqa: E731
        one.follower.until(enough, "several more are told")


def check_stream(one: Watch, acknowledged: float) -> None:
    """Check that nothing resting on the release was told that began after it was gone, nor behind what did.

    A stream is in order: behind the first of his own doings after the acknowledgement everything was sent after it.
    """
    told = [each.record_id for each in one.follower.told]
    assert not [each for each in told if one.released.begun.get(each, 0.0) > acknowledged]
    marker = next(place for place, each in enumerate(told) if one.own.begun.get(each, 0.0) > acknowledged)
    assert not set(told[marker:]) & one.released.ids


def test_nothing_of_a_provider_is_read_or_streamed_after_a_revocation(
    exchange: Exchange, story: Story, tell: Callable[[str], None]
) -> None:
    for name in ("Live-One", "Live-Two"):
        both = sides(story, name)
        seen, watching = sights(both), watches(exchange, both)
        wait_until_seen(story, seen)
        with following(watching):
            cursors, begun = [one.follower.cursor for one in watching], time.monotonic()
            with both.going_on(), hammering(story, seen, readers=8) as looks:
                wait_until_told(watching, lambda one: one.released.ids)
                time.sleep(1.0)
                sent = time.monotonic()
                answer = take_back(story, both.person)
                acknowledged = time.monotonic()
                assert answer.status == 200
                wait_until_told(watching, lambda one: one.own.ids & both.after(acknowledged))  # noqa: B023
                time.sleep(1.0)
        check_nothing_after(looks, sent, acknowledged, least=LEAST)
        for one in watching:
            check_stream(one, acknowledged)
        # Who comes back with the cursor of the beginning is told of his own doings, and of nothing else.
        again = watches(exchange, both, cursors)
        with following(again):
            for one in again:
                one.follower.until_told(one.own.ids & both.after(begun))
        assert not any(one.follower.records & one.released.ids for one in again)
        told = sum(each.record_id in one.released.ids for one in watching for each in one.follower.told)
        took = f"{1000 * (acknowledged - sent):.0f} ms"
        tell(f"release taken back in mid-stream in {took}; {told} events told before, {len(looks)} reads")


def test_a_gateway_that_stood_still_over_a_revocation_streams_nothing_of_it(exchange: Exchange, story: Story) -> None:
    both = sides(story, "Stood-Still")
    with second_gateway(exchange) as second:
        watching = watches(exchange, both, url=second.url)
        with following(watching), both.going_on():
            wait_until_told(watching, lambda one: one.released.ids)
            second.cut_off("stopped")
            answer = take_back(story, both.person)
            acknowledged = time.monotonic()
            second.go_on()
            assert answer.status == 200
            wait_until_told(watching, lambda one: one.own.ids & both.after(acknowledged))
    for one in watching:
        check_stream(one, acknowledged)
