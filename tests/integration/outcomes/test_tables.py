from __future__ import annotations

from pathlib import Path

from services.outcomes.models import METADATA
from services.shared.db import make_engine
from services.shared.db.migrations import check, drift, upgrade


def test_the_migrations_make_the_tables_that_are_declared(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'outcomes.db'}")
    assert check("outcomes", engine) == ["0001"]
    assert upgrade("outcomes", engine) == ["0001"]
    assert check("outcomes", engine) == []
    assert drift("outcomes", engine, METADATA) == []
    engine.dispose()


def test_no_column_is_for_who_somebody_is() -> None:
    words = ("name", "birth", "phone", "address", "local", "account", "system")
    columns = [f"{table.name}.{column.name}" for table in METADATA.sorted_tables for column in table.columns]
    assert [each for each in columns if any(word in each.split(".")[1] for word in words)] == []
