from __future__ import annotations

from pathlib import Path

from services.audit.models import METADATA
from services.shared.db.migrations import check, drift
from tests.integration.audit.desk import a_database


def test_migrations_make_the_tables_that_the_models_declare(tmp_path: Path) -> None:
    engine = a_database(tmp_path).engine
    assert check("audit", engine) == []
    assert drift("audit", engine, METADATA) == []
    engine.dispose()
