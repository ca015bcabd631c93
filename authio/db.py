"""The database: engine, sessions, the two ways a transaction begins, and types both databases share."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool
from zope.sqlalchemy import register
from zope.sqlalchemy.datamanager import STATUS_CHANGED

from authio.clock import wire_time
from authio.errors import StartupError, Unavailable
from authio.faults import fault

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# No answer may take ten seconds, and a request waits twice at most: to note the key's use, and to act.
_TURN_SECONDS = 2.5
_BUSY_MS = 2_000
_LOCK_TIMEOUT = "4s"
_STATEMENT_TIMEOUT = "8s"
_POOL_SECONDS = 4
_READ_ONLY = "25006"


class UtcTime(sa.types.TypeDecorator[datetime]):
    """An aware moment in UTC, to the millisecond.

    On PostgreSQL a ``timestamptz``; on SQLite the text the wire shows, which sorts as time does.
    """

    impl = sa.String(24)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(sa.String(24))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return wire_time(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromisoformat(value)


class Json(sa.types.TypeDecorator[Any]):
    """A JSON value kept as text, so that both databases hand back the very characters that were stored."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else json.loads(value)


class Database:
    """One database and its connection pool.

    Rows are read and written with SQLAlchemy Core statements. Nobody but :meth:`begin` and pyramid_tm
    commits.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.engine = _engine(url, pool_size)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False, autoflush=False)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self, *, write: bool) -> Iterator[Transaction]:
        """One explicit transaction: committed when the block ends, rolled back when it raises.

        On SQLite a *write* takes the write lock at once (``BEGIN IMMEDIATE``), so that it never has to
        give up half-way because somebody else wrote first.
        """
        transaction = Transaction(self.engine, write=write)
        try:
            yield transaction
            transaction.commit()
        except BaseException:
            transaction.rollback()
            raise

    def joined(self, transaction_manager: Any, *, write: bool) -> Session:
        """A session that commits and rolls back with *transaction_manager* (pyramid_tm's)."""
        session = self._sessions(info={"write": write})
        # Core statements leave no trace that zope.sqlalchemy could see, so it is told to commit always.
        register(session, initial_state=STATUS_CHANGED, transaction_manager=transaction_manager)
        return session

    def check_durability(self, *, allow_weak: bool) -> None:
        """StartupError if acknowledged writes could be forgotten on power loss and that was not allowed."""
        with self.engine.connect() as connection:
            if self.is_sqlite:
                weak = connection.exec_driver_sql("PRAGMA synchronous").scalar_one() < 2
                weak = weak or connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() != "wal"
            else:
                weak = connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() in {"off", "local"}
        if weak and not allow_weak:
            told = (
                "The database may forget acknowledged writes: mend that, or set authio.allow_weak_durability."
            )
            raise StartupError([told])

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


class Transaction:
    """One transaction over one connection, which is taken from the pool when it is first asked for.

    Where nothing has to join pyramid_tm, a session of the ORM would only be a dearer way to the same.
    """

    def __init__(self, engine: sa.Engine, *, write: bool) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None
        self.info: dict[str, Any] = {"write": write}

    def connection(self) -> sa.Connection:
        """The connection, with the transaction begun."""
        if self._connection is None:
            options = {"authio_write": self.info["write"]}
            self._connection = self._engine.connect().execution_options(**options)
            self._connection.begin()
        return self._connection

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """What the statement comes to, within the transaction."""
        return self.connection().execute(statement, parameters)

    def commit(self) -> None:
        """Commit, let go of the connection, and do what waited for that."""
        if self._connection is not None:
            self._connection.commit()
            self._let_go()
        _run_after_commit(self)

    def rollback(self) -> None:
        """Undo what was done, and forget what waits for the commit. What follows begins anew."""
        self.info.pop("after_commit", None)
        if self._connection is not None:
            try:
                # Said aloud: a connection whose commit failed is given back as it is.
                self._connection.rollback()
            finally:
                self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


Unit = Session | Transaction
"""What statements run in, whichever of the two ways it began."""


def after_commit(unit: Unit, call: Callable[[], None]) -> None:
    """Run *call* once this transaction is committed; never if it is rolled back."""
    unit.info.setdefault("after_commit", []).append(call)


def _run_after_commit(unit: Unit) -> None:
    waiting = unit.info.pop("after_commit", ())
    if waiting:
        fault("commit.before-bell")
    for call in waiting:
        call()


def _forget_after_commit(session: Session, *_: Any) -> None:
    session.info.pop("after_commit", None)


def connection_of(unit: Unit) -> sa.Connection:
    """The connection of this transaction, begun on first use in the mode it was opened with."""
    if isinstance(unit, Transaction) or unit.in_transaction():
        return unit.connection()
    return unit.connection(execution_options={"authio_write": unit.info.get("write", True)})


def unavailable(error: BaseException) -> Unavailable | None:
    """What to answer when *error* means that the database is away, locked, full or read-only; else None."""
    if isinstance(error, exc.TimeoutError):
        return Unavailable("db_unavailable", headers={"Retry-After": "1"})
    if not isinstance(error, exc.DBAPIError):
        return None
    if getattr(error.orig, "sqlstate", None) == _READ_ONLY:
        return Unavailable("db_unavailable", headers={"Retry-After": "1"})
    if error.connection_invalidated or isinstance(error, (exc.OperationalError, exc.InterfaceError)):
        return Unavailable("db_unavailable", headers={"Retry-After": "1"})
    if isinstance(error.orig, sqlite3.DatabaseError) and not isinstance(
        error, (exc.IntegrityError, exc.DataError, exc.ProgrammingError)
    ):
        return Unavailable("db_unavailable", headers={"Retry-After": "1"})
    return None


def _engine(url: str, pool_size: int) -> sa.Engine:
    if url.startswith("sqlite"):
        engine = sa.create_engine(
            url,
            # An error's text is logged, and parameters are people's data.
            hide_parameters=True,
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_POOL_SECONDS,
            # We send BEGIN ourselves, in the mode the transaction asks for.
            connect_args={"timeout": _BUSY_MS / 1000, "isolation_level": None, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        turns = _Turns()
        event.listen(engine, "begin", turns.begin)
        event.listen(engine, "checkin", turns.end)
    else:
        engine = sa.create_engine(
            url,
            # An error's text is logged, and parameters are people's data.
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_POOL_SECONDS,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 4,
                # A server whose machine or network has gone away is given up, not waited for.
                "tcp_user_timeout": 8000,
                "keepalives_idle": 5,
                "keepalives_interval": 1,
                "keepalives_count": 3,
                "options": f"-c lock_timeout={_LOCK_TIMEOUT} -c statement_timeout={_STATEMENT_TIMEOUT}"
                " -c timezone=UTC",
            },
        )
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class _Turns:
    """Lets the writers of this process go one after the other.

    SQLite has room for one, and makes the others sleep and look again, ever more rarely: the database idles
    while they sleep, and now and then one sleeps for long. Queued here, the next one goes on at once. Writers
    of other processes are still SQLite's to keep apart.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def begin(self, connection: sa.Connection) -> None:
        """Begin in the mode that the transaction asks for."""
        if not connection.get_execution_options().get("authio_write", True):
            connection.exec_driver_sql("BEGIN")
            return
        # Who waits in vain goes to SQLite without a turn, and is told there what is in the way.
        connection.info["authio_turn"] = self._turn.acquire(timeout=_TURN_SECONDS)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def end(self, _: Any, record: Any) -> None:
        """The connection goes back to its pool: whatever became of the transaction, it is over."""
        if record.info.pop("authio_turn", False):
            self._turn.release()


event.listen(Session, "after_commit", _run_after_commit)
event.listen(Session, "after_soft_rollback", _forget_after_commit)
