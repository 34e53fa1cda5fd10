"""What every adapter of the log does alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.shared.events.embedded import EmbeddedReader, EmbeddedWriter
from services.shared.events.log import START, Entry, LogReader, LogWriter
from tests.support.clock import FakeClock
from tests.support.log import FakeLog

TOPICS = ("referral", "casework")


@dataclass
class Bus:
    writer: Callable[[str], LogWriter]
    reader: Callable[[], LogReader]


def fake_bus() -> Bus:
    log = FakeLog()
    return Bus(lambda _topic: log, log.reader)


def embedded_bus(folder: Path) -> Bus:
    return Bus(
        lambda topic: EmbeddedWriter(folder, topic, FakeClock()),
        lambda: EmbeddedReader(folder, TOPICS),
    )


@pytest.fixture(params=["fake", "embedded"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bus]:
    plain = fake_bus() if request.param == "fake" else embedded_bus(tmp_path / "log")
    opened: list[LogWriter | LogReader] = []

    def keep(thing: LogWriter | LogReader) -> LogWriter | LogReader:
        opened.append(thing)
        return thing

    yield Bus(lambda topic: keep(plain.writer(topic)), lambda: keep(plain.reader()))  # type: ignore[arg-type,return-value]
    for thing in opened:
        thing.close()


def entries(*words: str, topic: str = "referral") -> list[Entry]:
    return [Entry(topic, b"key", word.encode(), {"word": word.encode()}) for word in words]


def values(reader: LogReader, after: int = START, limit: int = 100, topic: str = "referral") -> list[str]:
    return [record.value.decode() for record in reader.poll(topic, after, limit)]


def test_what_was_appended_is_read_in_order_with_everything_it_had(bus: Bus) -> None:
    bus.writer("referral").append([Entry("referral", b"k\xff", b"v\x00", {"a": b"\xfe\x00", "b": b""})])
    (record,) = bus.reader().poll("referral", START, 10)
    assert (record.topic, record.key, record.value) == ("referral", b"k\xff", b"v\x00")
    assert dict(record.headers) == {"a": b"\xfe\x00", "b": b""}


def test_a_topic_that_nobody_wrote_to_is_empty(bus: Bus) -> None:
    reader = bus.reader()
    assert values(reader) == []
    assert reader.end_offset("referral") == START
    assert not reader.wait(0)


def test_reading_goes_on_behind_a_position_and_never_beyond_the_limit(bus: Bus) -> None:
    bus.writer("referral").append(entries("a", "b", "c", "d"))
    reader = bus.reader()
    first = reader.poll("referral", START, 3)
    assert [record.value for record in first] == [b"a", b"b", b"c"]
    assert values(reader, after=first[-1].offset) == ["d"]
    assert values(reader, after=first[0].offset, limit=1) == ["b"]


def test_offsets_rise_and_the_end_is_the_newest(bus: Bus) -> None:
    writer = bus.writer("referral")
    writer.append(entries("a", "b"))
    writer.append(entries("c"))
    reader = bus.reader()
    offsets = [record.offset for record in reader.poll("referral", START, 10)]
    assert offsets == sorted(set(offsets))
    assert offsets[0] > START
    assert reader.end_offset("referral") == offsets[-1]


def test_topics_do_not_mix(bus: Bus) -> None:
    bus.writer("referral").append(entries("a"))
    bus.writer("casework").append(entries("b", topic="casework"))
    reader = bus.reader()
    assert (values(reader), values(reader, topic="casework")) == (["a"], ["b"])


def test_readers_do_not_disturb_each_other(bus: Bus) -> None:
    bus.writer("referral").append(entries("a", "b"))
    one, other = bus.reader(), bus.reader()
    assert values(one) == values(other) == values(one) == ["a", "b"]


def test_waiting_ends_at_once_when_there_is_news_since_the_last_poll(bus: Bus) -> None:
    writer, reader = bus.writer("referral"), bus.reader()
    assert values(reader) == []
    writer.append(entries("a"))
    started = time.monotonic()
    assert reader.wait(30)
    assert time.monotonic() - started < 10
    assert values(reader) == ["a"]
    assert not reader.wait(0)


def test_waiting_ends_early_when_something_is_appended(bus: Bus) -> None:
    writer, reader = bus.writer("referral"), bus.reader()
    values(reader)
    timer = threading.Timer(0.05, lambda: writer.append(entries("a")))
    timer.start()
    assert reader.wait(30)
    timer.join()
    assert values(reader) == ["a"]


def test_waiting_ends_with_its_timeout(bus: Bus) -> None:
    bus.writer("referral").append(entries("a"))
    reader = bus.reader()
    values(reader)
    assert not reader.wait(0.05)


def test_waiting_can_be_ended_from_another_thread(bus: Bus) -> None:
    reader = bus.reader()
    values(reader)
    timer = threading.Timer(0.05, reader.wake)
    timer.start()
    started = time.monotonic()
    assert not reader.wait(30)
    timer.join()
    assert time.monotonic() - started < 10


def test_a_wake_before_the_wait_counts_once(bus: Bus) -> None:
    reader = bus.reader()
    values(reader)
    reader.wake()
    assert not reader.wait(30)
    assert not reader.wait(0.01)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.binary(max_size=8), min_size=1, max_size=4), max_size=6), limit=st.integers(1, 5))
def test_paging_through_gives_everything_once_in_order(bus: Bus, batches: list[list[bytes]], limit: int) -> None:
    writer, reader = bus.writer("referral"), bus.reader()
    position = reader.end_offset("referral")
    for batch in batches:
        writer.append([Entry("referral", b"key", value) for value in batch])
    found: list[bytes] = []
    while page := reader.poll("referral", position, limit):
        found += [record.value for record in page]
        position = page[-1].offset
    assert found == [value for batch in batches for value in batch]
