"""Opens the decision log of an exchange, running or stopped, to read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".leadx"),
    show_default=True,
    help="Folder of the exchange; its config/consent.toml says where the database is.",
)


@contextmanager
def reading(data: Path) -> Iterator[Connection]:
    """Yield a connection that sees one state of consent's database and can't change it. Raises ClickException."""
    from sqlalchemy.exc import DBAPIError

    from services.shared.db import Database
    from services.shared.db.revisions import SchemaNotCurrent, require_current

    engine = _engine(data)
    try:
        require_current("consent", engine)
        with Database(engine).read() as connection:
            yield connection
    except SchemaNotCurrent as error:
        raise click.ClickException(f"{error}.") from None
    except DBAPIError as error:
        raise click.ClickException(f"The decision log can't be read ({type(error).__name__}).") from None
    finally:
        engine.dispose()


def _engine(data: Path) -> Engine:
    from sqlalchemy.engine import make_url

    from services.consent.config import Config
    from services.shared.config import ConfigError, load
    from services.shared.db import make_engine

    try:
        url = load(Config, data / "config" / "consent.toml").database_url
    except ConfigError as error:
        raise click.ClickException(f"{error}\nName the exchange's folder with --data.") from None
    parsed = make_url(url)
    # SQLite would make an empty database of a wrong name.
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise click.ClickException(f"There is no consent database at {parsed.database}.")
    return make_engine(url, schema="consent", pool_size=1)
