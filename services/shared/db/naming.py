"""Names of constraints, so that migrations and IntegrityErrors can speak of them on either database."""

from __future__ import annotations

from sqlalchemy import MetaData

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """Return the empty MetaData that an area hangs its tables on.

    Tables name no schema: on PostgreSQL the connection's search path does (`make_engine`), on SQLite the file does.
    """
    return MetaData(naming_convention=CONVENTION)
