"""The schema's history. ``migrate`` brings a database to the newest revision, under a lock."""

from __future__ import annotations

from importlib.resources import files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from authio.errors import StartupError

# Any number, as long as every authio process asks for the same one.
_LOCK = 7_140_221_114


def config(connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration, without a file of its own."""
    made = Config()
    made.set_main_option("script_location", str(files("authio") / "migrations"))
    made.set_main_option("path_separator", "os")
    if connection is not None:
        made.attributes["connection"] = connection
    return made


def migrate(engine: sa.Engine) -> bool:
    """Bring the schema to the newest revision; whether anything had to be done. Two processes take turns.

    A schema that a newer release has made is left as it is.
    """
    with engine.begin() as connection:
        # SQLite's BEGIN IMMEDIATE is the lock there.
        if connection.dialect.name == "postgresql":
            # Nobody waits for an answer here, and a large table takes its time.
            connection.execute(sa.text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if not _is_behind(MigrationContext.configure(connection).get_current_revision()):
            return False
        command.upgrade(config(connection), "head")
    return True


def require(engine: sa.Engine) -> None:
    """StartupError if the schema lacks what this code needs.

    One that is ahead is fine: it is made so that the release before goes on working while a new one is rolled
    out, and that includes its restarts.
    """
    if _is_behind(current(engine)):
        raise StartupError(["The database is not at the newest schema. Run `authio migrate` first."])


def _is_behind(revision: str | None) -> bool:
    known = [script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()]
    return revision is None or revision in known[1:]


def newest() -> str | None:
    """The revision this code was written for."""
    return ScriptDirectory.from_config(config()).get_current_head()


def current(engine: sa.Engine) -> str | None:
    """The revision the database is at, or None before the first."""
    with engine.connect().execution_options(authio_write=False) as connection:
        return MigrationContext.configure(connection).get_current_revision()
