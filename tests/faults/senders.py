"""Systems that call what the loop is made of and, after a cut, go on with what was not acknowledged.

Each names its records as their source does, or gives an idempotency key: sent again, nothing may change.
"""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from services.command.demo import drafts, journey, services
from services.command.demo.chapters.providers import providers_release
from services.command.demo.client import Answer, Client
from services.command.demo.story import Person, Story
from tests.faults.rms import POLICE
from tests.faults.waiting import until

PROVIDER, SYSTEM, OFFICE = "sample-housing", "faulty-records", "sample-office"
_PATIENCE_SECONDS = 90.0
_TAKEN = {"CREATED", "UNCHANGED"}
_ROWS = 4


@dataclass(frozen=True, slots=True)
class Call:
    """One request, and how to read what its answer acknowledges: ids by the sender's own names."""

    send: Callable[[Client], Answer]
    read: Callable[[Answer], Mapping[str, str]]


class Sender:
    """Sends calls in order, each one until it is acknowledged. Acknowledged ids by the sender's own names."""

    def __init__(self, client: Client, call: Callable[[int], Call]) -> None:
        self._client, self._call = client, call
        self.acknowledged: dict[str, str] = {}
        # When what has these ids was sent first, by the monotonic clock.
        self.begun: dict[str, float] = {}
        self.cuts = 0
        self._next = 0

    @property
    def ids(self) -> set[str]:
        """All ids that were acknowledged."""
        return set(self.acknowledged.values())

    def send(self, many: int = 1, pace: float = 0.0) -> None:
        """Send the next calls, one every `pace` seconds. What was acknowledged before keeps its id."""
        for _ in range(many):
            call, begun = self._call(self._next), time.monotonic()
            answer = until(lambda call=call: self._tried(call), "a call is taken", _PATIENCE_SECONDS)  # type: ignore[misc]
            read = call.read(answer)
            self.acknowledged |= read
            self.begun |= dict.fromkeys(read.values(), begun)
            self._next += 1
            time.sleep(pace)

    @contextmanager
    def sending(self, pace: float) -> Iterator[None]:
        """Send all the while, one call every `pace` seconds."""
        over = threading.Event()

        def send() -> None:
            while not over.wait(pace):
                self.send()

        with ThreadPoolExecutor(1) as aside:
            sending = aside.submit(send)
            try:
                yield
            finally:
                over.set()
            sending.result()

    def _tried(self, call: Call) -> Answer | None:
        try:
            answer = call.send(self._client)
        except httpx.TransportError:
            self.cuts += 1
            return None
        if answer.status == 503:
            self.cuts += 1
            return None
        assert answer.status == 200, (answer.status, answer.body)
        return answer


def served(story: Story, name: str, agency: str = PROVIDER) -> Person:
    """Bring a person up to a release between the case agency and the providers, one of whom is asked for a service."""
    person = Person("Testa", f"Sample-{name}", "1990-01-02", "sample-outreach")
    journey.refer(story, person)
    journey.offer(story, person)
    journey.hand_over(story, person)
    journey.complete_intake(story, person)
    services.ask(story, person, agency)
    journey.release(story, person, "providers", **providers_release(person))
    return person


def take_back(story: Story, person: Person) -> Answer:
    """The participant takes back what he released to the providers."""
    client = story.caller("participant", participant=person.participant_id)
    return client.post(f"/v1/consents/{person.consents['providers']}:revoke", {})


def enrolling(story: Story, person: Person, name: str, agency: str = PROVIDER) -> Sender:
    """A provider that enrols the person again and again, one record a call."""
    facts, client = _enrolled(story, person, agency), story.caller("provider_system", agency)

    def call(number: int) -> Call:
        key = f"{name}-{number:04d}"
        body = {**facts, "source": {"system": SYSTEM, "recordId": key}}
        return Call(lambda it: it.post("/v1/enrollments", body), lambda answer: {key: answer["enrollment"]["id"]})

    return Sender(client, call)


def filing(story: Story, person: Person, name: str, rows: int = _ROWS) -> Sender:
    """A provider that sends its enrolments of the person as CSV files of so many rows."""
    facts, client = _enrolled(story, person, PROVIDER), story.caller("provider_system", PROVIDER)

    def call(number: int) -> Call:
        keys = [f"{name}-{number:04d}-{row:03d}" for row in range(rows)]
        status = str(facts["status"]).removeprefix("ENROLLMENT_STATUS_")
        file = _csv([{**facts, "status": status, "system": SYSTEM, "recordId": key} for key in keys])
        return Call(
            lambda it: it.send("/v1/enrollments:batch", file, "text/csv"),
            lambda answer: _each(keys, answer["results"], "BATCH_OUTCOME_", "enrollmentId"),
        )

    return Sender(client, call)


def asking(story: Story, person: Person, name: str, agency: str = PROVIDER) -> Sender:
    """A case manager who asks the provider for its service again and again."""
    body = {"serviceId": services.service(story, agency), "participantId": person.participant_id}

    def call(number: int) -> Call:
        key = f"{name}-{number:04d}"
        return Call(
            lambda it: it.post("/v1/serviceReferrals", body, headers={"idempotency-key": key}),
            lambda answer: {key: answer["serviceReferral"]["id"]},
        )

    return Sender(journey.case_manager(story, person), call)


def reporting(story: Story, name: str, local_id: Callable[[int], str]) -> Sender:
    """A records system that reports arrests in twos: of whom it knows by this number, and of a stranger.

    They are acknowledged as `<name>-0000-known` and `<name>-0000-stranger`.
    """

    def call(number: int) -> Call:
        known, stranger = _arrest(f"{name}-{number:04d}-known"), _arrest(f"{name}-{number:04d}-stranger")
        known["person"] = {"localId": local_id(number)}
        stranger["person"] = drafts.person_facts(Person("Ignota", f"Sample-{name}-{number:04d}", "1985-05-05", ""))
        keys = [each["source"]["recordId"] for each in (known, stranger)]
        return Call(
            lambda it: it.post("/v1/justiceEvents", {"events": [known, stranger]}),
            lambda answer: _each(keys, answer["results"], "JUSTICE_EVENT_OUTCOME_", "justiceEventId"),
        )

    return Sender(story.caller("police_rms", POLICE), call)


def registering(story: Story, name: str) -> Sender:
    """A programme office that registers those strangers as comparisons, whether their arrests have come or not."""

    def call(number: int) -> Call:
        key = f"{name}-{number:04d}-stranger"
        index = {"agencyId": POLICE, "system": SYSTEM, "recordId": key}
        body = {"siteId": drafts.SITE, "arm": "ARM_COMPARISON", "indexEvent": index}
        return Call(lambda it: it.post("/v1/evaluationEntries", body), lambda answer: {key: answer["entry"]["id"]})

    return Sender(story.caller("program_manager", OFFICE), call)


def _enrolled(story: Story, person: Person, agency: str) -> dict[str, str]:
    return {
        "serviceId": services.service(story, agency),
        "participantId": person.participant_id,
        "status": "ENROLLMENT_STATUS_ENROLLED",
        "startTime": drafts.ago(minutes=1),
    }


def _arrest(key: str) -> dict[str, Any]:
    return {
        "source": {"system": SYSTEM, "recordId": key, "version": "1"},
        "kind": "JUSTICE_EVENT_KIND_ARREST",
        "time": "2026-01-02T12:00:00Z",
        "offenceTime": "2026-01-02T11:00:00Z",
        "warrantKind": "WARRANT_KIND_NONE",
        "incidentNumber": key,
    }


def _csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def _each(keys: Sequence[str], results: Sequence[Mapping[str, Any]], prefix: str, name: str) -> dict[str, str]:
    """Return the ids of what was taken, in the order in which it was sent. Each must have been taken."""
    outcomes = {str(each["outcome"]).removeprefix(prefix) for each in results}
    assert outcomes <= _TAKEN, results
    return {key: str(each[name]) for key, each in zip(keys, results, strict=True)}
