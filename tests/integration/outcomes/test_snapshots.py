"""Published figures: frozen once, when every feed is complete for the quarter, and never changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from services.outcomes.domain import Figure
from services.outcomes.freezing import Freezer
from services.outcomes.models import SNAPSHOTS
from services.shared.errors import Code, LeadError
from tests.integration.outcomes.bureau import (
    APPROVAL,
    EVALUATOR,
    JAIL,
    MANAGER,
    OFFICER,
    RESEARCHER,
    Bureau,
    a_caller,
    a_feed,
    an_event,
)
from tests.integration.outcomes.cohorts import T0, feeds, ten_people

pytestmark = pytest.mark.slow

_ASKED = {"definition": "ARR_ALL", "population": "ITT", "window": "6m"}


def _figures(site_id: str) -> Iterator[Figure]:
    yield Figure(kind="funnel", site_id=site_id)
    yield Figure(kind="rearrest", site_id=site_id, **_ASKED)


def _freezer(bureau: Bureau) -> Freezer:
    return Freezer(bureau.desk, _figures)


def _stored(bureau: Bureau) -> list[dict[str, Any]]:
    with bureau.db.read() as connection:
        query = select(SNAPSHOTS).order_by(SNAPSHOTS.c.site_id, SNAPSHOTS.c.quarter)
        return [dict(row) for row in connection.execute(query).mappings()]


@pytest.fixture
def frozen(bureau: Bureau) -> Bureau:
    bureau.tell(*feeds(), *ten_people())
    freezer = _freezer(bureau)
    freezer.look()
    assert freezer.look() == 1
    return bureau


def test_everybody_else_reads_the_newest_snapshot(frozen: Bureau) -> None:
    report = frozen.rearrest(OFFICER, **_ASKED)
    assert report.snapshot_id == "2026-Q4"
    assert report.as_of_time.ToDatetime(tzinfo=UTC) == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert report.frozen_time.ToDatetime(tzinfo=UTC) == frozen.clock.now()
    assert frozen.funnel(OFFICER).snapshot_id == "2026-Q4"


@pytest.mark.parametrize("role", ["prosecutor", "case_manager", "auditor", "program_manager", "evaluator"])
def test_every_role_reads_the_same_bytes(frozen: Bureau, role: str) -> None:
    wished = frozen.rearrest(OFFICER, **_ASKED)
    assert frozen.rearrest(a_caller(role, "sample-any", "any"), **_ASKED, snapshot="2026-Q4") == wished
    assert frozen.rearrest(a_caller(role, "sample-any", "any"), **_ASKED, snapshot="latest") == wished


def test_a_snapshot_is_told_by_its_digest(frozen: Bureau) -> None:
    (row,) = _stored(frozen)
    report = frozen.rearrest(OFFICER, **_ASKED)
    assert report.digest == row["digest"] == hashlib.sha256(row["content"].encode()).hexdigest()
    content = json.loads(row["content"])
    assert row["content"] == json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert set(content["reports"]) == {"funnel", "rearrest/ARR_ALL/ITT/6m"}
    assert (row["agency_id"], row["approval_id"]) == (EVALUATOR, APPROVAL)


def test_what_is_told_later_changes_the_live_report_and_never_the_snapshot(frozen: Bureau) -> None:
    before = frozen.rearrest(OFFICER, **_ASKED), frozen.rearrest(RESEARCHER, **_ASKED)
    frozen.tell(*(an_event(f"1x{n}", T0 + timedelta(days=9), version=2, withdrawn=True) for n in range(15)))
    _freezer(frozen).look()
    _freezer(frozen).look()
    assert frozen.rearrest(OFFICER, **_ASKED) == before[0]
    assert frozen.rearrest(RESEARCHER, **_ASKED) != before[1]
    assert len(_stored(frozen)) == 1


def test_a_quarter_is_frozen_once_by_whomever(frozen: Bureau) -> None:
    other = _freezer(frozen)
    assert [other.look() for _ in range(3)] == [0, 0, 0]


def test_the_next_quarter_follows_when_every_feed_is_complete_for_it(frozen: Bureau) -> None:
    freezer = _freezer(frozen)
    frozen.clock.advance(timedelta(days=70).total_seconds())
    frozen.tell(a_feed(frozen.clock.now(), version=2))
    assert [freezer.look() for _ in range(2)] == [0, 0]
    frozen.tell(a_feed(frozen.clock.now(), JAIL, version=2))
    assert [freezer.look() for _ in range(2)] == [0, 1]
    assert frozen.rearrest(OFFICER, **_ASKED).snapshot_id == "2027-Q1"
    assert frozen.rearrest(OFFICER, **_ASKED, snapshot="2026-Q4").snapshot_id == "2026-Q4"


def test_a_feed_that_declares_the_future_freezes_nobodys_future(bureau: Bureau) -> None:
    bureau.tell(a_feed(bureau.clock.now() + timedelta(days=400)), *ten_people(1))
    freezer = _freezer(bureau)
    freezer.look()
    freezer.look()
    assert [row["quarter"] for row in _stored(bureau)] == ["2026-Q4"]


def test_nothing_is_frozen_without_an_approval(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people(1))
    bureau.approved = {}
    freezer = _freezer(bureau)
    assert [freezer.look() for _ in range(3)] == [0, 0, 0]


def test_nothing_is_frozen_before_anybody_was_referred(bureau: Bureau) -> None:
    bureau.tell(*feeds())
    freezer = _freezer(bureau)
    assert [freezer.look() for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("snapshot", ["", "latest", "2026-Q4", "2031-Q1"])
def test_where_there_is_none_the_answer_is_always_the_same(bureau: Bureau, snapshot: str) -> None:
    bureau.tell(*feeds(), *ten_people(1))
    with pytest.raises(LeadError) as refused:
        bureau.rearrest(OFFICER, snapshot=snapshot or None)
    assert refused.value.code is Code.NOT_FOUND


def test_a_snapshot_that_was_tampered_with_is_not_shown(frozen: Bureau) -> None:
    with frozen.db.write() as connection:
        content = SNAPSHOTS.c.content
        changed = connection.execute(select(content)).scalar_one().replace("60", "65")
        connection.execute(update(SNAPSHOTS).values(content=changed))
    with pytest.raises(ValueError, match="not what was frozen"):
        frozen.rearrest(MANAGER, **_ASKED, snapshot="latest")


def test_a_process_that_ends_freezes_nothing_by_halves(bureau: Bureau) -> None:
    bureau.tell(*feeds(), *ten_people(1))
    freezer = _freezer(bureau)
    freezer.look()
    freezer.stop()
    assert freezer.look() == 0
    assert _stored(bureau) == []
