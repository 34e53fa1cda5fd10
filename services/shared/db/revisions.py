"""Whether a database is as new as this release needs it: asked by every process before it serves.

Needs no alembic, whose import would cost each of them a third of a second: a script's file name begins with its
revision, and the newest one is what the database must name.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from services.shared.db.engine import Database


class SchemaNotCurrent(RuntimeError):  # noqa: N818 - it is a state to mend, reported as it reads
    """The database lacks revisions that this release needs; `leadx migrate` brings them."""


def folder(area: str) -> Path:
    """Return where an area's migrations lie. Raises ModuleNotFoundError when there is no such area."""
    package = "gateway" if area == "gateway" else f"services.{area}"
    return Path(str(resources.files(package))) / "migrations"


def newest(area: str) -> str:
    """Return the revision that this release needs."""
    return max(path.name.split("_")[0] for path in (folder(area) / "versions").glob("[0-9]*_*.py"))


def require_current(area: str, engine: Engine) -> None:
    """Raise SchemaNotCurrent unless the database is at the newest revision."""
    if not inspect(engine).has_table("alembic_version") or _present(engine) != newest(area):
        raise SchemaNotCurrent(f"{area}: migrations are pending; run `leadx migrate {area}`")


def _present(engine: Engine) -> str:
    with Database(engine).read() as connection:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")
