"""After a revocation was acknowledged nothing succeeds on what it took back: under load, hung, or cut off."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from services.command.demo import drafts, journey
from services.command.demo.client import Answer, Client
from services.command.demo.story import Person, Story
from services.command.exchange import Exchange
from tests.faults.books import Books
from tests.faults.gateways import second_gateway
from tests.faults.struck import struck
from tests.faults.waiting import until

pytestmark = pytest.mark.slow
# Felonies: no other test here fills its queue, so that what is looked for is on the first page.
OFFICE, DEFENDER = "sample-county-prosecutor", "sample-defender"
READERS = 16
# A hung enforcement point is waited for until its session has died: five seconds, and the rest for a busy machine.
HUNG_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Look:
    """One read: when it was asked and answered, with what status, and whether it showed what the release opens."""

    asked: float
    answered: float
    status: int
    shows: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """A read of one role, and what in its answer rests on the release."""

    role: str
    agency: str
    path: str
    shows: Callable[[Answer], bool]
    query: Mapping[str, str] = field(default_factory=dict)

    def look(self, client: Client) -> Look:
        """Read once."""
        asked = time.monotonic()
        answer = client.get(self.path, **self.query)
        return Look(asked, time.monotonic(), answer.status, answer.status == 200 and self.shows(answer))


def released(story: Story, name: str) -> tuple[Person, tuple[Sight, ...]]:
    """Bring a person up to a confirmed intake and a full release; return what prosecutor and defender read on it."""
    person = signed(story, name)
    journey.complete_intake(story, person)
    return person, sights(story, person)


def signed(story: Story, name: str) -> Person:
    """Bring a person up to a full release; the intake is still to come."""
    person = Person("Testa", f"Sample-{name}", "1990-01-02", "sample-outreach")
    journey.refer(story, person, charges=[drafts.possession() | {"level": "CHARGE_LEVEL_FELONY"}])
    journey.offer(story, person)
    journey.hand_over(story, person)
    journey.full_release(story, person)
    return person


def sights(story: Story, person: Person) -> tuple[Sight, ...]:
    """Return four reads, one and many, of two roles."""
    review = journey.review_of(story, person, OFFICE)["id"]

    def confirmed(row: dict[str, object]) -> bool:
        return row["id"] == review and bool(row.get("confirmation"))

    return (
        Sight("prosecutor", OFFICE, f"/v1/reviews/{review}", lambda answer: confirmed(answer["review"])),
        Sight("prosecutor", OFFICE, "/v1/reviews", lambda answer: any(map(confirmed, answer.body.get("reviews", [])))),
        Sight("defender", DEFENDER, f"/v1/referrals/{person.referral_id}", lambda answer: True),
        Sight("defender", DEFENDER, "/v1/referrals", lambda answer: person.referral_id.encode() in answer.raw),
    )


def wait_until_seen(story: Story, seen: Sequence[Sight]) -> None:
    """Wait until every read shows what the release opens: the events behind it travel."""
    for one in seen:
        client = story.caller(one.role, one.agency)
        until(lambda one=one, client=client: one.look(client).shows, f"{one.role} sees {one.path}")  # type: ignore[misc]


def revoke(story: Story, person: Person) -> Answer:
    """The participant takes the full release back."""
    client = story.caller("participant", participant=person.participant_id)
    return client.post(f"/v1/consents/{person.consents['full']}:revoke", {})


@contextmanager
def hammering(story: Story, seen: Sequence[Sight], url: str = "", readers: int = READERS) -> Iterator[list[Look]]:
    """Read again and again from many threads; the looks taken are all there when it ends."""
    ending, looks = threading.Event(), list[Look]()

    def read(sight: Sight) -> list[Look]:
        token = story.exchange.token(sight.role, agency=sight.agency)
        client = Client(url or story.exchange.http_url, story.exchange.ca_path, token)
        taken = []
        try:
            while not ending.is_set():
                taken.append(sight.look(client))
        finally:
            client.close()
        return taken

    with ThreadPoolExecutor(readers) as threads:
        reading: list[Future[list[Look]]] = [
            threads.submit(read, seen[number % len(seen)]) for number in range(readers)
        ]
        try:
            yield looks
        finally:
            ending.set()
        for one in reading:
            looks += one.result()


def check_nothing_after(looks: Sequence[Look], sent: float, acknowledged: float, *, least: int) -> None:
    """Check that the release was used until it was taken back, and by nothing that was asked for afterwards."""
    before = [one for one in looks if one.answered < sent]
    after = [one for one in looks if one.asked > acknowledged]
    assert sum(one.shows for one in before) >= least
    assert len(after) >= least
    assert not any(one.shows for one in after)
    assert {one.status for one in looks} <= {200, 404, 503}


def told(times: Sequence[float], looks: Sequence[Look], late: Sequence[float]) -> str:
    """Return the figures of a run: how long revocations took, and what was under way meanwhile."""
    spread = "/".join(f"{1000 * each:.0f}" for each in sorted(times))
    statuses = dict(sorted(Counter(one.status for one in looks).items()))
    return (
        f"revocations under load acknowledged in {spread} ms; {len(looks)} reads by status {statuses}; "
        f"{len(late)} asked before were answered after, at most {1000 * max(late, default=0.0):.0f} ms later"
    )


def test_nothing_succeeds_on_a_release_after_its_revocation_was_acknowledged(
    story: Story, tell: Callable[[str], None]
) -> None:
    times, late, all_looks = list[float](), list[float](), list[Look]()
    for name in ("Load-One", "Load-Two", "Load-Three"):
        person, seen = released(story, name)
        wait_until_seen(story, seen)
        with hammering(story, seen) as looks:
            time.sleep(1.5)
            sent = time.monotonic()
            answer = revoke(story, person)
            acknowledged = time.monotonic()
            assert answer.status == 200
            time.sleep(1.5)
        check_nothing_after(looks, sent, acknowledged, least=READERS)
        times.append(acknowledged - sent)
        late += [one.answered - acknowledged for one in looks if one.asked < acknowledged < one.answered and one.shows]
        all_looks += looks
    tell(told(times, all_looks, late))


def test_a_hung_consumer_delays_a_revocation_and_opens_nothing_afterwards(
    exchange: Exchange, story: Story, books: Books, tell: Callable[[str], None]
) -> None:
    person = signed(story, "Hung")
    review = journey.review_of(story, person, OFFICE)
    opened = f"subject_id = '{subject_of(books, person)}'"
    # Keys released, the confirmation opened and written, the lease looked at once more before the commit: not yet.
    with struck(exchange, "review", "before-commit", signal.SIGSTOP) as hung:
        books.settle()
        hung.arm()
        journey.complete_intake(story, person)
        until(hung.is_struck, "review hangs with the confirmation in its hands")
        sent = time.monotonic()
        assert revoke(story, person).status == 200
        took = time.monotonic() - sent
        assert took < HUNG_SECONDS
        hung.go_on()
        until(lambda: books.applied("review") >= set(books.logged("casework")), "review has the event behind it")
        assert books.count("review", "confirmations", opened) == 0
        shown = story.caller("prosecutor", OFFICE).get(f"/v1/reviews/{review['id']}")
        assert shown.status == 200
        assert "confirmation" not in shown["review"]
    tell(f"review hung: revocation acknowledged after {took:.1f} s")


def subject_of(books: Books, person: Person) -> str:
    """Return the subject that review knows a referral's person by."""
    query = f"SELECT subject_id FROM reviews WHERE referral_id = '{person.referral_id}'"  # noqa: S608 - its own id
    return str(books.rows("review", query)[0][0])


@pytest.mark.parametrize("how", ["closed", "silent", "stopped"])
def test_a_gateway_cut_off_from_consent_lets_nothing_out_after_a_revocation(
    exchange: Exchange, story: Story, tell: Callable[[str], None], how: str
) -> None:
    person, seen = released(story, f"Cut-{how}")
    wait_until_seen(story, seen)
    with second_gateway(exchange) as second, hammering(story, seen, second.url, readers=4) as looks:
        time.sleep(1.0)
        sent = time.monotonic()
        second.cut_off(how)
        answer = revoke(story, person)
        acknowledged = time.monotonic()
        second.go_on()
        assert answer.status == 200
        assert acknowledged - sent < HUNG_SECONDS
        time.sleep(1.0)
    check_nothing_after(looks, sent, acknowledged, least=4)
    # Those it was stopped in the middle of. An answer that was on its way to the socket then still goes.
    interrupted = [one for one in looks if one.asked < sent and one.answered > acknowledged]
    assert interrupted or how != "stopped"
    late = sum(one.shows for one in interrupted)
    took = f"{acknowledged - sent:.1f} s"
    tell(f"gateway cut off, {how}: revocation acknowledged after {took}; {late} of {len(interrupted)} answers were out")
