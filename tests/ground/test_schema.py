"""The migrations lead to the tables that the code declares, on both databases, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from authio import migrations
from authio.clock import Clock
from authio.db import Database, after_commit, connection_of
from authio.errors import StartupError, Unavailable
from authio.ids import new_id
from authio.models import audit_events, metadata


@pytest.fixture
def database(database_url: str):
    made = Database(database_url)
    yield made
    made.dispose()


def test_the_migrations_make_exactly_the_declared_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_migrating_twice_at_once_is_harmless(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fresh.sqlite'}"

    def migrate(_: int) -> bool:
        database = Database(url)
        try:
            return migrations.migrate(database.engine)
        finally:
            database.dispose()

    with ThreadPoolExecutor(4) as pool:
        changed = list(pool.map(migrate, range(4)))

    assert changed.count(True) == 1


@pytest.mark.parametrize(
    "statement", [sa.delete(audit_events), sa.update(audit_events).values(action="forged")]
)
def test_SEC_113_the_audit_trail_refuses_to_be_changed(database: Database, statement: sa.Executable) -> None:
    row = {"id": new_id("audit_event"), "action": "x.y", "actor_type": "system", "created_at": Clock().now()}
    with database.begin(write=True) as session:
        connection_of(session).execute(sa.insert(audit_events).values(**row))

    with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.begin(write=True) as session:
        connection_of(session).execute(statement)

    with database.begin(write=False) as session:
        assert connection_of(session).execute(sa.select(audit_events.c.action)).scalar_one() == "x.y"


def test_SEC_121_acknowledged_writes_are_durable(database: Database) -> None:
    database.check_durability(allow_weak=False)

    with database.engine.connect() as connection:
        if database.is_sqlite:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_SEC_121_a_database_that_forgets_is_refused(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_sqlite:
        sa.event.listen(
            database.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=NORMAL").close()
        )
    else:
        sa.event.listen(
            database.engine, "connect", lambda raw, _: raw.execute("SET synchronous_commit=off").close()
        )
        sa.event.listen(database.engine, "connect", lambda raw, _: raw.commit())
    database.dispose()

    with pytest.raises(StartupError):
        database.check_durability(allow_weak=False)
    database.check_durability(allow_weak=True)


def test_after_commit_work_runs_once_committed_and_never_when_rolled_back(database: Database) -> None:
    ran: list[str] = []
    with database.begin(write=True) as session:
        connection_of(session).execute(sa.select(1))
        after_commit(session, lambda: ran.append("committed"))
        assert ran == []

    def fail() -> None:
        with database.begin(write=True) as session:
            connection_of(session).execute(sa.select(1))
            after_commit(session, lambda: ran.append("rolled back"))
            raise RuntimeError("not this time")

    with pytest.raises(RuntimeError):
        fail()

    assert ran == ["committed"]


def test_SEC_123_a_lost_database_is_told_apart_from_a_wrong_statement(tmp_path: Path) -> None:
    from authio.db import unavailable

    (tmp_path / "folder").mkdir()
    gone = Database(f"sqlite:///{tmp_path / 'nowhere' / 'x.sqlite'}")
    with pytest.raises(sa.exc.OperationalError) as away, gone.begin(write=True) as session:
        connection_of(session)
    answer = unavailable(away.value)
    assert isinstance(answer, Unavailable)
    assert answer.headers["Retry-After"].isdigit()

    assert unavailable(ValueError()) is None


def test_SEC_123_a_database_that_takes_no_writes_is_away_too(database: Database) -> None:
    from authio.db import unavailable

    read_only = "PRAGMA query_only=ON" if database.is_sqlite else "SET TRANSACTION READ ONLY"
    with database.engine.connect() as connection:
        connection.exec_driver_sql(read_only)
        with pytest.raises(sa.exc.DBAPIError) as refused:
            connection.execute(sa.delete(audit_events))

    assert unavailable(refused.value) is not None
