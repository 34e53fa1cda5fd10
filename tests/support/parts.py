"""`Parts` of an area on a real SQLite file, with consent and the log faked at the edge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from sqlalchemy import MetaData

from services.shared.area import AreaConfig, Parts
from services.shared.db import Database, make_engine, migrations
from services.shared.events.log import Entry
from services.shared.events.publisher import Publisher
from services.shared.events.relay import Relay
from services.shared.identity import TlsFiles
from services.shared.ids import Ids
from services.shared.places import site_packs
from services.shared.sharing.assertion import Caller
from services.shared.sites import load_sites
from tests.support.clock import FakeClock
from tests.support.keys import FakeConsent as FakeKeys


class FakeConsent:
    """Consent's face towards an area: grants what the test says, remembers what it was told."""

    def __init__(self) -> None:
        self.granted: dict[str, frozenset[str]] = {}
        self.delivered: list[tuple[str, bytes]] = []
        self.agencies: Any = None

    def granted_subjects(self, caller: Caller) -> frozenset[str]:
        """Return the subjects granted to the caller's agency, or to the participant."""
        return self.granted.get(caller.agency_id or caller.participant_id, frozenset())

    def deliver(self, kind: str, body: bytes) -> None:
        """Take a statement."""
        self.delivered.append((kind, body))

    def registry(self) -> Any:
        """Return the registry that the test has set."""
        return self.agencies


class FakeWriter:
    """A log that keeps what was appended."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep."""
        self.entries.extend(entries)

    def close(self) -> None:
        """Nothing to close."""


def fake_parts(
    tmp_path: Path, area: str, metadata: MetaData, clock: FakeClock | None = None, *, migrate: bool = True
) -> Parts:
    """Return parts with a fresh database, its relay started; `parts.consent` is a FakeConsent."""
    clock = clock or FakeClock()
    url = f"sqlite:///{tmp_path / area}.db"
    engine = make_engine(url)
    if migrate:
        migrations.upgrade(area, engine)
    else:
        metadata.create_all(engine)
    db = Database(engine)
    consent = FakeConsent()
    ids = Ids()
    table = metadata.tables["outbox"]
    relay = Relay(db, table, FakeWriter(), consent.deliver, clock)
    relay.start()
    nowhere = tmp_path / "none"
    return Parts(
        area=area,
        config=AreaConfig(
            address="127.0.0.1:0",
            database_url=url,
            tls=TlsFiles(nowhere, nowhere, nowhere),
            assertion_key=nowhere,
        ),
        clock=clock,
        ids=ids,
        db=db,
        metadata=metadata,
        sites=load_sites(site_packs()),
        consent=cast(Any, consent),
        session=cast(Any, None),
        publisher=Publisher(area, table, FakeKeys().sealing(area), clock, ids),
        relay=relay,
    )
