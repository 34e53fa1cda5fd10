from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, Table, inspect, select

import services
from services.shared.db import Database, make_engine, migrations, new_metadata, revisions

FIRST = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "0001", None, None, None
def upgrade():
    op.create_table("thing", sa.Column("id", sa.Integer, primary_key=True))
"""
SECOND = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None
def upgrade():
    op.add_column("thing", sa.Column("size", sa.Integer))
"""
BROKEN = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None
def upgrade():
    op.add_column("thing", sa.Column("size", sa.Integer))
    op.execute("this is no SQL")
"""


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of migrations of an area `sample` that exists for this test only."""
    folder = tmp_path / "sample" / "migrations" / "versions"
    folder.mkdir(parents=True)
    (tmp_path / "sample" / "__init__.py").touch()
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "services.sample", raising=False)
    (folder / "0001_first.py").write_text(FIRST)
    return folder


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return make_engine(f"sqlite:///{tmp_path}/sample.db")


def test_upgrade_applies_what_is_pending_and_nothing_twice(versions: Path, engine: Engine) -> None:
    assert migrations.check("sample", engine) == ["0001"]
    assert migrations.upgrade("sample", engine) == ["0001"]
    (versions / "0002_second.py").write_text(SECOND)
    assert migrations.check("sample", engine) == ["0002"]
    assert migrations.upgrade("sample", engine) == ["0002"]
    assert migrations.upgrade("sample", engine) == []
    assert {column["name"] for column in inspect(engine).get_columns("thing")} == {"id", "size"}


def test_several_pending_scripts_run_oldest_first(versions: Path, engine: Engine) -> None:
    (versions / "0002_second.py").write_text(SECOND)
    assert migrations.upgrade("sample", engine) == ["0001", "0002"]


def test_a_failing_script_leaves_the_database_as_it_was(versions: Path, engine: Engine) -> None:
    migrations.upgrade("sample", engine)
    (versions / "0002_broken.py").write_text(BROKEN)
    with pytest.raises(Exception, match="syntax error"):
        migrations.upgrade("sample", engine)
    assert migrations.check("sample", engine) == ["0002"]
    assert [column["name"] for column in inspect(engine).get_columns("thing")] == ["id"]


def test_a_process_does_not_serve_before_its_migrations_are_done(versions: Path, engine: Engine) -> None:
    with pytest.raises(revisions.SchemaNotCurrent, match="leadx migrate sample"):
        revisions.require_current("sample", engine)
    migrations.upgrade("sample", engine)
    revisions.require_current("sample", engine)
    (versions / "0002_second.py").write_text(SECOND)
    with pytest.raises(revisions.SchemaNotCurrent):
        revisions.require_current("sample", engine)


@pytest.mark.parametrize("area", ["referral", "review", "casework", "consent", "audit", "gateway"])
def test_the_newest_file_name_is_alembics_one_head(area: str) -> None:
    assert migrations.scripts(area).get_heads() == [revisions.newest(area)]


def test_drift_between_tables_and_migrations_is_found(versions: Path, engine: Engine) -> None:
    migrations.upgrade("sample", engine)
    metadata = new_metadata()
    table = Table("thing", metadata, Column("id", Integer, primary_key=True))
    assert migrations.drift("sample", engine, metadata) == []
    table.append_column(Column("size", Integer))
    assert len(migrations.drift("sample", engine, metadata)) == 1


def test_a_migrated_database_can_be_written(versions: Path, engine: Engine) -> None:
    migrations.upgrade("sample", engine)
    table = Table("thing", new_metadata(), Column("id", Integer, primary_key=True))
    db = Database(engine)
    with db.write() as conn:
        conn.execute(table.insert().values(id=1))
    with db.read() as conn:
        assert conn.scalar(select(table.c.id)) == 1
