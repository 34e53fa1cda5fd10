"""The baselines of `ingest_stream` and `lists`, and what they are seeded with: on an area's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lead.referral.v1.referral_service_pb2 import PushReferralsRequest
from sqlalchemy import func, select

from services.command.bench import streams
from services.command.bench.bare_pages import BarePages
from services.command.bench.bare_rows import Stored, inserted_per_second
from services.command.bench.seeding import AGENCIES, Seeds
from services.command.install import database_url
from services.command.layout import Layout
from services.consent.models import SCOPE_FACTS
from services.shared.clock import SystemClock
from services.shared.db import make_engine
from services.shared.db.migrations import upgrade

OFFICE = "sample-city-attorney"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.at(tmp_path)
    for area in ("referral", "consent"):
        engine = make_engine(database_url(layout.database(area)))
        upgrade(area, engine)
        engine.dispose()
    layout.area_key("referral").parent.mkdir()
    layout.area_key("referral").write_bytes(b"k" * 32)
    return layout


@pytest.fixture
def seeds(layout: Layout) -> Seeds:
    seeds = Seeds(layout, SystemClock())
    seeds.grow(40)
    return seeds


@pytest.fixture
def stored(layout: Layout, seeds: Seeds) -> Iterator[Stored]:
    stored = Stored(layout.database("referral"))
    yield stored
    stored.close()


def test_half_of_the_seeds_are_each_agencys_and_half_are_routed_to_an_office(stored: Stored) -> None:
    rows, routed = stored.of_system("bench-seed")
    assert len(rows) == len({row["id"] for row in rows}) == len({row["subject_id"] for row in rows}) == 40
    assert [sum(row["agency_id"] == agency for row in rows) for agency in AGENCIES] == [20, 20]
    assert sum(row["office_id"] == OFFICE for row in routed) == 20


def test_seeds_are_added_to_those_that_are_there(seeds: Seeds, stored: Stored) -> None:
    seeds.grow(48)
    rows, _ = stored.of_system("bench-seed")
    assert len({row["record_id"] for row in rows}) == seeds.count == 48


def test_consent_holds_what_is_stated_of_each_seed(layout: Layout, seeds: Seeds) -> None:
    engine = make_engine(database_url(layout.database("consent")))
    with engine.connect() as connection:
        query = select(SCOPE_FACTS.c.fact, func.count()).group_by(SCOPE_FACTS.c.fact)
        found = {row[0]: row[1] for row in connection.execute(query)}
    engine.dispose()
    assert found == {"SITE": 40, "INCIDENT": 40, "ROUTED": 40}


def test_the_baseline_inserts_the_same_rows(tmp_path: Path, stored: Stored) -> None:
    assert inserted_per_second(tmp_path / "bare.db", stored, "bench-seed") > 0
    copied = Stored(tmp_path / "bare.db")
    assert copied.of_system("bench-seed") == stored.of_system("bench-seed")
    copied.close()


def test_the_baseline_reads_an_agencys_own_rows_page_by_page(stored: Stored) -> None:
    rows, _ = stored.of_system("bench-seed")
    pages = BarePages(stored, "police_officer", AGENCIES[0], 6)
    assert pages.milliseconds(3) > 0
    assert pages.shown == sorted(row["id"] for row in rows if row["agency_id"] == AGENCIES[0])[:18]


def test_the_baseline_reads_what_is_routed_to_an_office(stored: Stored) -> None:
    _, routed = stored.of_system("bench-seed")
    pages = BarePages(stored, "prosecutor", OFFICE, 6)
    pages.milliseconds(2)
    pages.milliseconds(1)
    assert pages.shown == sorted(row["referral_id"] for row in routed if row["office_id"] == OFFICE)[:18]


def test_each_record_of_a_stream_has_a_key_of_its_own() -> None:
    sent = [PushReferralsRequest.FromString(streams._record("bench", number)) for number in (1, 2)]
    assert [each.referral.source.system for each in sent] == ["bench", "bench"]
    assert len({each.referral.source.record_id for each in sent}) == 2
