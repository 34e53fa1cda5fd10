from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.shared.events.embedded import KEPT, EmbeddedReader, EmbeddedWriter
from services.shared.events.log import START, Entry, LogUnavailableError
from tests.support.clock import FakeClock
from tests.support.keys import FakeConsent
from tests.unit.events.harness import Producer, Receiver, an_event
from tests.unit.events.sample import IDENTITY, TOPIC, a_change

ENTRY = Entry("sample", b"key", b"value", {})
# Appends, then dies without a goodbye.
_DIES = """
import os, sys
from pathlib import Path
from services.shared.clock import SystemClock
from services.shared.events.embedded import EmbeddedWriter
from services.shared.events.log import Entry
EmbeddedWriter(Path(sys.argv[1]), "sample", SystemClock()).append([Entry("sample", b"key", b"value", {})])
os._exit(9)
"""


def test_a_topic_is_written_by_its_own_area_only(tmp_path: Path) -> None:
    writer = EmbeddedWriter(tmp_path, "sample", FakeClock())
    with pytest.raises(ValueError, match="own area"):
        writer.append([ENTRY, Entry("other", b"", b"", {})])
    assert EmbeddedReader(tmp_path, ["sample"]).end_offset("sample") == START


@pytest.mark.parametrize("topic", ["../sample", "", "Sample", "a/b"])
def test_a_topic_is_one_word_and_no_path(tmp_path: Path, topic: str) -> None:
    with pytest.raises(ValueError, match="one lower-case word"):
        EmbeddedReader(tmp_path, [topic])


def test_what_was_appended_survives_a_sudden_death_of_its_writer(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", _DIES, str(tmp_path)], check=False)
    assert died.returncode == 9
    reader = EmbeddedReader(tmp_path, ["sample"])
    assert [record.value for record in reader.poll("sample", START, 10)] == [b"value"]
    EmbeddedWriter(tmp_path, "sample", FakeClock()).append([ENTRY])
    assert len(reader.poll("sample", START, 10)) == 2


def test_a_reader_outlives_its_writers_restart(tmp_path: Path) -> None:
    reader = EmbeddedReader(tmp_path, ["sample"])
    for count in (1, 2, 3):
        writer = EmbeddedWriter(tmp_path, "sample", FakeClock())
        writer.append([ENTRY])
        writer.close()
        assert reader.wait(1)
        assert len(reader.poll("sample", START, 10)) == count


def test_records_are_kept_four_hundred_days_and_offsets_never_come_again(tmp_path: Path) -> None:
    clock = FakeClock()
    writer, reader = EmbeddedWriter(tmp_path, "sample", clock), EmbeddedReader(tmp_path, ["sample"])
    writer.append([ENTRY])
    first = reader.end_offset("sample")
    clock.advance(KEPT.total_seconds() - 1)
    writer.append([])
    assert reader.end_offset("sample") == first
    clock.advance(24 * 3600 + 2)
    writer.append([])
    assert reader.poll("sample", START, 10) == []
    writer.append([ENTRY])
    assert reader.poll("sample", START, 10)[0].offset > first


def test_a_file_that_is_no_log_is_a_log_that_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "sample.log.db").write_bytes(b"rubbish" * 1000)
    reader = EmbeddedReader(tmp_path, ["sample"])
    with pytest.raises(LogUnavailableError):
        reader.poll("sample", START, 10)
    with pytest.raises(LogUnavailableError):
        EmbeddedWriter(tmp_path, "sample", FakeClock())
    assert not reader.wait(0)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    EmbeddedWriter(tmp_path, "sample", FakeClock()).append([ENTRY])
    reader = EmbeddedReader(tmp_path, ["sample"])
    reader.poll("sample", START, 1)
    with pytest.raises(Exception, match="readonly"):
        reader._files["sample"].execute("DELETE FROM record")


def test_the_whole_way_from_outbox_to_effect_over_files(tmp_path: Path) -> None:
    clock, consent = FakeClock(), FakeConsent()
    consent.allow(IDENTITY)
    producer = Producer(tmp_path, consent, clock, EmbeddedWriter(tmp_path / "log", TOPIC, clock))
    receiver = Receiver(tmp_path, consent, clock, EmbeddedReader(tmp_path / "log", [TOPIC]))
    producer.relay.start()
    receiver.loop.start()
    for version in range(1, 21):
        producer.put(an_event(a_change(name=f"v{version}"), version=version))
    assert producer.relay.flush(20)
    end = time.monotonic() + 20
    while len(receiver.effects()) < 20 and time.monotonic() < end:
        time.sleep(0.01)
    receiver.loop.stop()
    producer.relay.stop()
    assert [version for _, version, _ in receiver.effects()] == list(range(1, 21))
