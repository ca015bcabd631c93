"""Writers of one process take turns, so that SQLite never has to make one of them sleep."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from authio.db import Database, connection_of

WRITERS = 4


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Database]:
    """A database whose SQLite refuses a second writer at once instead of making it wait."""
    database = Database(f"sqlite:///{tmp_path / 'turns.sqlite'}", pool_size=WRITERS + 1)
    sa.event.listen(database.engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=0"))
    with database.begin(write=True) as session:
        connection_of(session).exec_driver_sql("CREATE TABLE tally (n INTEGER)")
        connection_of(session).exec_driver_sql("INSERT INTO tally VALUES (0)")
    yield database
    database.dispose()


def _count_up(database: Database, times: int = 1) -> None:
    for _ in range(times):
        with database.begin(write=True) as session:
            connection_of(session).exec_driver_sql("UPDATE tally SET n = n + 1")


def _tally(database: Database) -> int:
    with database.begin(write=False) as session:
        return int(connection_of(session).exec_driver_sql("SELECT n FROM tally").scalar_one())


def test_writers_of_one_process_never_meet_in_sqlite(impatient: Database) -> None:
    with ThreadPoolExecutor(WRITERS) as threads:
        for done in [threads.submit(_count_up, impatient, 50) for _ in range(WRITERS)]:
            done.result()
    assert _tally(impatient) == 50 * WRITERS


def test_a_reader_waits_for_no_turn(impatient: Database) -> None:
    with impatient.begin(write=True) as session:
        connection_of(session).exec_driver_sql("UPDATE tally SET n = 7")
        assert _tally(impatient) == 0
    assert _tally(impatient) == 7


def test_a_turn_ends_with_the_transaction_however_that_ends(impatient: Database) -> None:
    def fail() -> None:
        with impatient.begin(write=True) as session:
            connection_of(session).exec_driver_sql("UPDATE tally SET nothing = 1")

    began = time.monotonic()
    with pytest.raises(sa.exc.OperationalError, match="nothing"):
        fail()
    _count_up(impatient)
    assert time.monotonic() - began < 2.0, "nobody waits for a turn that nobody has"
    assert _tally(impatient) == 1


def test_a_writer_of_another_process_is_still_kept_apart_by_sqlite(impatient: Database) -> None:
    other = Database(str(impatient.engine.url))
    try:
        with other.begin(write=True) as session:
            connection_of(session).exec_driver_sql("UPDATE tally SET n = 1")
            with pytest.raises(sa.exc.OperationalError, match="locked"):
                _count_up(impatient)
        _count_up(impatient)
        assert _tally(impatient) == 2
    finally:
        other.dispose()
