"""Without the ledger or the decision nothing is read; what a source sends in is lost by neither."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import pytest

from services.command.demo import drafts, journey
from services.command.demo.client import Answer, Client
from services.command.demo.story import Person, Story
from services.command.exchange import Exchange
from services.shared.ids import new_id
from tests.faults.books import Books
from tests.faults.rms import Rms, records
from tests.faults.test_kill import check_each_once
from tests.faults.test_revocation_under_load import released, revoke, wait_until_seen
from tests.faults.waiting import listed, until

pytestmark = pytest.mark.slow
ABSENT = "ref_01940000-0000-7000-8000-000000000000"
DOWN = pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "hung"])


@contextmanager
def without(exchange: Exchange, process: str, number: int) -> Iterator[None]:
    """Take a process away: dead, or there and silent. It is back and ready afterwards."""
    exchange.kill(process, number, stay_down=number == signal.SIGKILL)
    try:
        yield
    finally:
        if number == signal.SIGSTOP:
            exchange.kill(process, signal.SIGCONT)
        else:
            exchange.restart(process)
    exchange.wait()


def referred(story: Story, name: str) -> Person:
    """Refer somebody and wait until the prosecutor has it."""
    person = Person("Testa", f"Sample-{name}", "1990-01-02", "sample-outreach")

    def refer() -> bool:
        # Right after an outage a channel may still wait before it connects again.
        with suppress(journey.StepError):
            return bool(journey.refer(story, person))
        return False

    until(refer, "the referral is taken")
    journey.review_of(story, person)
    return person


def reads(story: Story, person: Person) -> list[Answer]:
    """Read a record, what never was and a list: as whose it is, as who may, and as who may not."""
    officer = journey.officer(story)
    prosecutor = story.caller("prosecutor", "sample-city-attorney")
    stranger = story.caller("case_manager", "sample-second-outreach")
    paths = (f"/v1/referrals/{person.referral_id}", f"/v1/referrals/{ABSENT}", "/v1/referrals")
    # At once: who hangs is waited for.
    with ThreadPoolExecutor(9) as threads:
        asked = [threads.submit(each.get, path) for each in (officer, prosecutor, stranger) for path in paths]
        return [each.result() for each in asked]


def check_nothing_leaves(answers: Sequence[Answer], person: Person) -> None:
    """Check that all are refused, and that no answer tells anything: not even whether there is something."""
    assert [answer.status for answer in answers] == [503] * len(answers)
    for there, absent, _ in zip(*[iter(answers)] * 3, strict=True):
        assert {**there.body, "requestId": ""} == {**absent.body, "requestId": ""}
    for answer in answers:
        assert not any(fact.encode() in answer.raw for fact in drafts.known_facts(person))


def submitted(client: Client, name: str, key: str = "") -> Answer:
    """Send in a new referral."""
    person = Person("Testa", f"Sample-{name}", "1990-01-02", "sample-outreach")
    draft = drafts.referral(person, "ARREST_DIVERSION", [drafts.theft()], None)
    return client.post("/v1/referrals", draft, headers={"idempotency-key": key} if key else {})


def on_the_ledger(story: Story) -> Counter[str]:
    """Count the entries of each method, as the auditor is shown them."""
    rows = listed(story.caller("auditor"), "/v1/audit/entries", "entries")
    return Counter(row.get("method", "").rpartition("/")[2] for row in rows)


@DOWN
def test_without_the_ledger_nothing_is_read_and_every_write_is_taken(
    exchange: Exchange, story: Story, books: Books, tmp_path: Path, number: signal.Signals
) -> None:
    person = referred(story, f"Audit-{number.name}")
    books.settle()
    before, rms, sent = on_the_ledger(story), Rms(exchange), records(f"audit-{number.name}", 20)
    with without(exchange, "audit", number):
        check_nothing_leaves(reads(story, person), person)
        written = [submitted(journey.officer(story), f"Unrecorded-{number.name}-{each}") for each in range(3)]
        assert [each.status for each in written] == [200] * 3
        rms.push(sent)
        assert books.count("gateway", "ledger_spool") > 0
    check_each_once(story, books, rms, tmp_path)
    after = on_the_ledger(story)
    assert after["SubmitReferral"] == before["SubmitReferral"] + 3
    assert after["PushReferrals"] == before["PushReferrals"] + 1
    assert {each.status for each in reads(story, person)} == {200, 404}


@DOWN
def test_a_release_is_taken_back_while_the_ledger_is_away(
    exchange: Exchange, story: Story, books: Books, number: signal.Signals
) -> None:
    person, seen = released(story, f"Unrecorded-Revocation-{number.name}")
    wait_until_seen(story, seen)
    before = books.count("audit", "entries")
    with without(exchange, "audit", number):
        # That a release was taken back never waits for the ledger.
        assert revoke(story, person).status == 200
        assert books.count("consent", "ledger_spool") > 0
    assert not any(one.look(story.caller(one.role, one.agency)).shows for one in seen)
    books.settle()
    rows = listed(story.caller("auditor"), "/v1/audit/entries", "entries")
    kinds = [row["kind"] for row in rows if int(row["entry"]) >= before]
    assert kinds.count("ENTRY_KIND_REVOCATION") == 1


def test_while_a_decision_is_wanting_what_is_there_looks_like_what_is_not(exchange: Exchange, story: Story) -> None:
    # Somebody who has not looked yet, so that no decision for him is remembered.
    person, manager = referred(story, "Undecided"), story.caller("program_manager", "sample-office")
    with without(exchange, "consent", signal.SIGKILL):
        # At once: the session still lives, and what was decided before could still be told.
        paths = (f"/v1/referrals/{person.referral_id}", f"/v1/referrals/{new_id('ref')}")
        there, absent = (manager.get(path) for path in paths)
        assert (there.status, absent.status) == (503, 503)
        assert {**there.body, "requestId": ""} == {**absent.body, "requestId": ""}


@DOWN
def test_without_the_decision_nothing_is_read_and_no_write_is_half_stored(
    exchange: Exchange, story: Story, books: Books, tmp_path: Path, number: signal.Signals
) -> None:
    person, officer = referred(story, f"Consent-{number.name}"), journey.officer(story)
    rms, sent = Rms(exchange), records(f"consent-{number.name}", 20)
    books.settle()
    with without(exchange, "consent", number):
        # What was decided holds until the session has died.
        until(lambda: officer.get("/readyz").status == 503, "the session has died")
        stored = footprint(books)
        with ThreadPoolExecutor(3) as aside:
            reading = aside.submit(reads, story, person)
            writing = aside.submit(submitted, officer, f"Refused-{number.name}", f"key-{number.name}")
            pushing = aside.submit(rms.push, sent)
        check_nothing_leaves(reading.result(), person)
        assert writing.result().status == 503
        with pytest.raises(grpc.RpcError):
            pushing.result()
        assert rms.acknowledged == {}
        assert footprint(books) == stored
    until(lambda: submitted(officer, f"Refused-{number.name}", f"key-{number.name}").status == 200, "it is taken now")
    rms.push_through(sent)
    check_each_once(story, books, rms, tmp_path)
    assert {each.status for each in reads(story, person)} == {200, 404}


def footprint(books: Books) -> list[int]:
    """Count what a write leaves behind at referral and on the log."""
    tables = ("referrals", "outbox", "idempotency_key")
    return [*(books.count("referral", table) for table in tables), books.logged("referral").total()]
