"""Consumers as the demo needs them: one that has taken its leases and waits, and one that starts over from nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.command.demo.replay import TOPICS, Opened, linked
from services.command.layout import Layout
from services.review.config import Config
from services.shared.config import load
from services.shared.events.embedded import EmbeddedReader
from services.shared.events.incoming import Incoming, from_record, open_event
from services.shared.events.keys import Lease, LeaseLostError, Leases
from services.shared.events.log import START

_MOST_RECORDS = 10_000
_REPLAY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Leased:
    """Keys that were released for the events of one record, and are about to be used."""

    leases: Leases
    lease: Lease
    events: tuple[Incoming, ...]
    subject_ids: frozenset[str]

    def may_commit(self) -> bool:
        """Tell whether what these keys opened may still have an effect."""
        try:
            with self.leases.committing(self.lease, self.subject_ids):
                return True
        except LeaseLostError:
            return False

    def opens_now(self) -> int:
        """Ask for the same keys again; returns how many of these events open."""
        return len(_opened(self.events, self.leases.take([event.ask() for event in self.events])))


@contextmanager
def leased(layout: Layout, record_id: str) -> Iterator[Leased]:
    """Hold a session under review's certificate, and leases on every event of a record in casework's topic.

    Raises NotReached, LeaseLostError, LeadError.
    """
    config = load(Config, layout.config("review"))
    with linked(config) as link:
        leases = Leases(link.consent, link.session, link.clock)
        events = _events(config)
        opened = _opened(events, leases.take([event.ask() for event in events]))
        mine = {event: subject for event, (record, subject) in opened.items() if record == record_id}
        chosen = tuple(event for event in events if event.envelope.event_id in mine)
        lease = leases.take([event.ask() for event in chosen])
        yield Leased(leases, lease, chosen, frozenset(mine.values()))


def replayed(layout: Layout) -> set[Opened]:
    """Start a second consumer process on the log from its first record; returns what it opened.

    Raises subprocess.SubprocessError when it fails or hangs.
    """
    with tempfile.TemporaryDirectory(prefix="leadx-replay-") as scratch:
        command = [sys.executable, "-m", "services.command.demo.replay", str(layout.config("review"))]
        command.append(str(Path(scratch) / "review.db"))
        done = subprocess.run(command, check=True, capture_output=True, timeout=_REPLAY_SECONDS)
    return {(str(event), str(name), str(record), str(word)) for event, name, record, word in json.loads(done.stdout)}


def _events(config: Config) -> list[Incoming]:
    reader = EmbeddedReader(config.log_folder, TOPICS)
    try:
        return [from_record(record) for record in reader.poll("casework", START, _MOST_RECORDS)]
    finally:
        reader.close()


def _opened(events: list[Incoming] | tuple[Incoming, ...], lease: Lease) -> dict[str, tuple[str, str]]:
    """Return record and subject of each event that opens, by event id."""
    found = {}
    for event, released in zip(events, lease.events, strict=True):
        opened = open_event(event, released)
        if opened is not None:
            found[event.envelope.event_id] = (opened.routing.record_id, opened.routing.subject_id)
    return found
