"""Migrations of one area, run from code: its scripts lie in `services/<area>/migrations/versions`.

There is no env.py and no alembic.ini: what they would say is the same for every area and stands here. All pending
scripts run in one transaction, on either database.
"""

from __future__ import annotations

import zlib
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, text

from services.shared.db.engine import Database
from services.shared.db.revisions import folder


def scripts(area: str) -> ScriptDirectory:
    """Return the area's migration scripts. Raises ModuleNotFoundError when there is no such area."""
    return ScriptDirectory(str(folder(area)))


def upgrade(area: str, engine: Engine) -> list[str]:
    """Bring the database to the newest revision; returns the revisions that were applied, in order."""
    directory = scripts(area)
    with engine.begin() as connection:
        _own_schema(connection, area)
        applied = _pending(directory, connection, area)
        if applied:
            _run(directory, connection, area)
    return applied


def check(area: str, engine: Engine) -> list[str]:
    """Return the revisions that are pending, oldest first; changes nothing."""
    with Database(engine).read() as connection:
        return _pending(scripts(area), connection, area)


def drift(area: str, engine: Engine, metadata: MetaData) -> list[str]:
    """Return what the declared tables have and the migrated database lacks, or the other way round. For tests."""
    with Database(engine).read() as connection:
        context = MigrationContext.configure(connection, opts={**_options(connection, area), "compare_type": False})
        return [repr(difference) for difference in compare_metadata(context, metadata)]


def _run(directory: ScriptDirectory, connection: Connection, area: str) -> None:
    def steps(revision: Any, _context: MigrationContext) -> Any:
        return directory._upgrade_revs("head", revision)  # noqa: SLF001 - what alembic's own upgrade command calls

    context = MigrationContext.configure(connection, opts={**_options(connection, area), "fn": steps})
    # Gives `from alembic import op` its meaning inside the scripts.
    with Operations.context(context):
        context.run_migrations()


def _pending(directory: ScriptDirectory, connection: Connection, area: str) -> list[str]:
    present = MigrationContext.configure(connection, opts=_options(connection, area)).get_current_heads()
    missing = directory.iterate_revisions("heads", present or "base")
    return [script.revision for script in missing if script.revision not in present][::-1]


def _options(connection: Connection, area: str) -> dict[str, Any]:
    # One transaction around everything is ours to open; alembic only needs to know that DDL takes part in it.
    options: dict[str, Any] = {"transactional_ddl": True, "version_table": "alembic_version"}
    if connection.dialect.name == "postgresql":
        options["version_table_schema"] = area
    return options


def _own_schema(connection: Connection, area: str) -> None:
    if connection.dialect.name != "postgresql":
        return
    # Two processes that start together migrate one after the other.
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": zlib.crc32(f"migrate/{area}".encode())})
    connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{area}"')
    connection.exec_driver_sql(f'SET LOCAL search_path TO "{area}"')
