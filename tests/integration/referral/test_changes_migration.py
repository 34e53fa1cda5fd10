"""Rows of the release before are carried over; when they changed is as far as it is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from services.referral.models import METADATA
from services.review.models import METADATA as REVIEW
from services.shared.db import make_engine, migrations

THEN = "2026-02-01 10:00:00.000000"


def begun(area: str, folder: Path) -> Engine:
    """A database as the first revision made it."""
    engine = make_engine(f"sqlite:///{folder / area}.db")
    directory = migrations.scripts(area)

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return directory._upgrade_revs("0001", revision)

    with engine.begin() as connection:
        options = {**migrations._options(connection, area), "fn": steps}
        context = MigrationContext.configure(connection, opts=options)
        with Operations.context(context):
            context.run_migrations()
    return engine


def put(engine: Engine, table: str, **values: object) -> None:
    names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)  # noqa: S608


def asked(engine: Engine, query: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(query)).scalar()


def test_a_referral_area_is_carried_over(tmp_path: Path) -> None:
    engine = begun("referral", tmp_path)
    sealed = {"content": "{}", "narrative": b"x", "updated_at": THEN, "version": 1}
    owner = {"subject_id": "sub_1", "agency_id": "sample-police", "site_id": "seattle"}
    put(engine, "referrals", id="ref_1", system="sample-rms", record_id="R-1", **owner, **sealed)
    decided = {"referral_id": "ref_1", "office_id": "o", "value": "FILE", "version": 1, "decided_at": THEN}
    put(engine, "charge_decisions", charge_id="chg_1", **decided)
    put(engine, "confirmations", subject_id="sub_1", agency_id="a", intake_confirmed_at=THEN, version=1)
    assert migrations.upgrade("referral", engine)[:1] == ["0002"]
    assert migrations.drift("referral", engine, METADATA) == []
    assert asked(engine, "SELECT changes FROM referrals") is None
    assert asked(engine, "SELECT updated_at FROM referrals") == THEN
    assert asked(engine, "SELECT changed_at FROM charge_decisions") == THEN
    assert asked(engine, "SELECT changed_at FROM confirmations") == THEN
    engine.dispose()


def test_the_release_before_may_still_write(tmp_path: Path) -> None:
    engine = begun("referral", tmp_path)
    migrations.upgrade("referral", engine)
    sealed = {"content": "{}", "narrative": b"x", "updated_at": THEN, "version": 1}
    owner = {"subject_id": "sub_1", "agency_id": "sample-police", "site_id": "seattle"}
    put(engine, "referrals", id="ref_1", system="sample-rms", record_id="R-1", **owner, **sealed)
    assert asked(engine, "SELECT count(*) FROM referrals") == 1
    engine.dispose()


@pytest.mark.parametrize("is_told", [True, False])
def test_a_review_area_is_carried_over(tmp_path: Path, is_told: bool) -> None:
    engine = begun("review", tmp_path)
    if is_told:
        ids = {"office_id": "o", "referral_id": "ref_1", "subject_id": "sub_1", "source_agency_id": "p"}
        counts = {"referral_version": 1, "undecided": 1, "decided": 0, "is_withdrawn": False, "version": 1}
        put(engine, "reviews", id="rev_1", facts="{}", screening="{}", due_at=THEN, updated_at=THEN, **ids, **counts)
        put(engine, "charges", review_id="rev_1", charge_id="chg_1", position=0, facts="{}", is_referred=True)
    migrations.upgrade("review", engine)
    assert migrations.drift("review", engine, REVIEW) == []
    assert asked(engine, "SELECT changed_at FROM charges") == (THEN if is_told else None)
    engine.dispose()
