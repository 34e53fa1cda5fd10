from __future__ import annotations

from pathlib import Path

from services.review.models import METADATA
from services.shared.db import make_engine
from services.shared.db.migrations import check, drift, upgrade


def test_the_migrations_make_the_tables_that_are_declared(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'review.db'}")
    assert check("review", engine) == ["0001", "0002"]
    assert upgrade("review", engine) == ["0001", "0002"]
    assert check("review", engine) == []
    assert drift("review", engine, METADATA) == []
    engine.dispose()
