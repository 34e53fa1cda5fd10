"""Engine, unit of work, column types and migrations: what a store needs to know about its database."""

from __future__ import annotations

from services.shared.db.engine import Database, make_engine
from services.shared.db.naming import new_metadata

__all__ = ["Database", "make_engine", "new_metadata"]
