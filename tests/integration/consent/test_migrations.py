from __future__ import annotations

from pathlib import Path

from services.consent.models import METADATA
from services.shared.db.migrations import check, drift
from tests.integration.consent.desk import a_database


def test_migrations_make_the_tables_that_the_models_declare(tmp_path: Path) -> None:
    engine = a_database(tmp_path).engine
    assert check("consent", engine) == []
    assert drift("consent", engine, METADATA) == []
    engine.dispose()
