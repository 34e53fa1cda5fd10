"""Live delivery through the public faces: cut and resumed, taken back in mid-stream, fed later, as a client sees it."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
import httpx
import pytest
from lead.events.v1.events_service_pb2 import SubscribeRequest
from lead.events.v1.events_service_pb2_grpc import EventServiceStub

from services.command.demo import drafts, journey
from services.command.demo.client import bearer, grpc_channel
from services.command.demo.story import Person, Story
from services.command.exchange import Exchange

pytestmark = pytest.mark.slow
OFFICE = "sample-city-attorney"
_PATIENCE_SECONDS = 30.0
# No fault of the feed: an event is on its way for so long that it can be told from one that never comes.
_QUIET_SECONDS = 2.0


@dataclass
class Follower:
    """A client of GET /v1/events that reads in a thread and remembers where it was, as a browser does."""

    events: list[dict[str, str]] = field(default_factory=list)
    last_id: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def take(self, line: str, block: dict[str, str]) -> dict[str, str]:
        """Take a line in; returns the block that it belongs to (HTML, "Server-sent events")."""
        if line:
            name, _, value = line.partition(": ")
            return {**block, name: value} if name else block
        with self._news:
            self.last_id = block.get("id", self.last_id)
            if "data" in block:
                self.events.append(block)
            self._news.notify_all()
        return {}

    def until(self, holds: Callable[[], bool], what: str, seconds: float = _PATIENCE_SECONDS) -> None:
        with self._news:
            assert self._news.wait_for(holds, seconds), f"not within {seconds:.0f} s: {what}"

    def told_of(self, record_id: str, kind: str = "ReferralRecorded") -> list[str]:
        """Return the ids of the events of a kind about a record, as often as they came."""
        with self._news:
            told = [json.loads(one["data"])["event"] for one in self.events if one["event"] == kind]
        return [one["id"] for one in told if one["recordId"] == record_id]

    def waits_for(self, record_id: str, kind: str = "ReferralRecorded") -> None:
        self.until(lambda: bool(self.told_of(record_id, kind)), f"{kind} of {record_id}")


@contextmanager
def following(exchange: Exchange, role: str, agency: str, last_id: str = "", query: str = "") -> Iterator[Follower]:
    """Follow from a cursor, or from now; leaving cuts the stream off."""
    token = exchange.token(role, agency=agency)
    headers = {"authorization": f"Bearer {token}", **({"last-event-id": last_id} if last_id else {})}
    trust = ssl.create_default_context(cafile=str(exchange.ca_path))
    follower = Follower()
    with httpx.Client(base_url=exchange.http_url, verify=trust, trust_env=False, timeout=_PATIENCE_SECONDS) as client:
        reading = threading.Thread(target=_read, args=(client, f"/v1/events{query}", headers, follower), daemon=True)
        reading.start()
        follower.until(lambda: bool(follower.last_id), "a first cursor")
        try:
            yield follower
        finally:
            client.close()
            reading.join(_PATIENCE_SECONDS)


def _read(client: httpx.Client, path: str, headers: dict[str, str], follower: Follower) -> None:
    block: dict[str, str] = {}
    try:
        with client.stream("GET", path, headers=headers) as answer:
            follower.status, follower.headers = answer.status_code, dict(answer.headers)
            for line in answer.iter_lines():
                block = follower.take(line, block)
    except (httpx.HTTPError, httpx.StreamError, OSError):
        # Cut off by whoever follows.
        return


def a_person(name: str) -> Person:
    return Person("Testa", f"Sample-{name}", "1990-01-02", "sample-outreach")


def test_a_stream_that_is_cut_goes_on_without_gap_or_repeat(exchange: Exchange, story: Story) -> None:
    with following(exchange, "prosecutor", OFFICE) as first:
        assert first.status == 200
        assert first.headers["content-type"].startswith("text/event-stream")
        ids = [journey.refer(story, a_person(f"Cut-{number}")) for number in range(3)]
        first.waits_for(ids[0])
        last_id = first.events[0]["id"]
    ids += [journey.refer(story, a_person(f"Cut-{number}")) for number in range(3, 6)]
    with following(exchange, "prosecutor", OFFICE, last_id) as second:
        second.waits_for(ids[-1])
    told = [json.loads(one["data"])["event"]["recordId"] for one in (first.events[0], *second.events)]
    assert [one for one in told if one in ids] == ids


def test_a_revocation_in_mid_stream_holds_the_next_event_back_and_a_later_grant_feeds_it(
    exchange: Exchange, story: Story
) -> None:
    person, other = a_person("Midstream"), a_person("Midstream-Other")
    journey.refer(story, person)
    journey.offer(story, person)
    journey.hand_over(story, person)
    journey.full_release(story, person)
    with following(exchange, "prosecutor", OFFICE) as stream:
        answer = story.caller("participant", participant=person.participant_id).post(
            f"/v1/consents/{person.consents['full']}:revoke", {}
        )
        assert answer.status == 200
        journey.complete_intake(story, person)
        # It lies behind the intake on the feed: that one was passed over by now.
        journey.refer(story, other)
        stream.waits_for(other.referral_id)
        with pytest.raises(AssertionError):
            stream.until(lambda: bool(stream.told_of(person.referral_id, "IntakeConfirmed")), "", _QUIET_SECONDS)
        journey.narrow_release(story, person)
        stream.waits_for(person.referral_id, "IntakeConfirmed")
        journey.refer(story, other)
        stream.waits_for(other.referral_id)
        assert len(stream.told_of(person.referral_id, "IntakeConfirmed")) == 1
        # What the prosecutor may know of it is the referral: no id of the participant.
        assert all(person.participant_id not in one["data"] for one in stream.events)


def test_who_is_away_while_a_release_is_signed_is_told_when_he_is_back(exchange: Exchange, story: Story) -> None:
    person = a_person("Away")
    journey.refer(story, person)
    journey.offer(story, person)
    journey.hand_over(story, person)
    with following(exchange, "prosecutor", OFFICE) as first:
        journey.complete_intake(story, person)
        marker = journey.refer(story, a_person("Away-Marker"))
        first.waits_for(marker)
        last_id = first.last_id
    journey.narrow_release(story, person)
    with following(exchange, "prosecutor", OFFICE, last_id) as second:
        second.waits_for(person.referral_id, "IntakeConfirmed")
        assert not first.told_of(person.referral_id, "IntakeConfirmed")


def test_an_event_is_read_where_it_says(exchange: Exchange, story: Story) -> None:
    with following(exchange, "prosecutor", OFFICE) as stream:
        referral = journey.refer(story, a_person("Read"))
        stream.waits_for(referral)
        [event] = [json.loads(one["data"])["event"] for one in stream.events if referral in one["data"]]
    assert story.caller("prosecutor", OFFICE).get(event["href"])["referral"]["id"] == referral


def test_both_faces_tell_the_same_and_share_their_cursors(exchange: Exchange, story: Story) -> None:
    with following(exchange, "police_officer", drafts.POLICE) as stream:
        start = stream.last_id
        referral = journey.refer(story, a_person("Faces"))
        stream.waits_for(referral)
    with grpc_channel(exchange.grpc_target, exchange.ca_path) as channel:
        beside = bearer(exchange.token("police_officer", agency=drafts.POLICE))
        call = EventServiceStub(channel).Subscribe(SubscribeRequest(cursor=start), metadata=beside, timeout=30)
        told = []
        for answer in call:
            if answer.HasField("event"):
                told.append(answer.event)
            if any(one.record_id == referral for one in told):
                break
        call.cancel()
    assert {one.id for one in told} >= set(stream.told_of(referral))


def test_a_cursor_of_somebody_else_is_refused_on_both_faces(exchange: Exchange, story: Story) -> None:
    with following(exchange, "prosecutor", OFFICE) as stream:
        cursor = stream.last_id
    answer = story.caller("police_officer", drafts.POLICE).get("/v1/events", cursor=cursor)
    assert answer.status == 400
    assert [one["path"] for one in answer["violations"]] == ["cursor"]
    with grpc_channel(exchange.grpc_target, exchange.ca_path) as channel:
        beside = bearer(exchange.token("police_officer", agency=drafts.POLICE))
        call = EventServiceStub(channel).Subscribe(SubscribeRequest(cursor=cursor), metadata=beside, timeout=30)
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("role", ["evaluator", "auditor", "operator"])
def test_who_reads_no_records_follows_none(story: Story, role: str) -> None:
    assert story.caller(role).get("/v1/events").status == 403
