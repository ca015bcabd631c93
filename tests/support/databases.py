"""A fresh database for each test: a copy of one that was migrated once, on SQLite or on PostgreSQL.

``AUTHIO_TEST_DATABASE`` names a PostgreSQL server, as the address of a database on it from which others may
be made; without it, databases are SQLite files. Tests commit for real, so nothing is shared and nothing is
rolled back.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import psycopg
import redis
from psycopg import sql
from sqlalchemy.engine import make_url


class Databases(Protocol):
    """Where fresh databases come from."""

    def fresh(self, folder: Path) -> str:
        """The URL of a migrated, empty database. One that is a file lies in *folder*, the test's own."""
        ...

    def drop(self, url: str) -> None:
        """Give a database back, whoever is still connected to it."""
        ...


@contextmanager
def databases(folder: Path, migrate: Callable[[str], None]) -> Iterator[Databases]:
    """Databases for one session. *migrate* brings an empty one to the newest schema; it is called once."""
    server = os.environ.get("AUTHIO_TEST_DATABASE")
    if server:
        with _postgresql_databases(server, migrate) as made:
            yield made
    else:
        yield _SqliteDatabases(folder, migrate)


class _SqliteDatabases:
    def __init__(self, folder: Path, migrate: Callable[[str], None]) -> None:
        self._template = folder / "template.sqlite"
        migrate(f"sqlite:///{self._template}")
        # The copy is of one file, so the write-ahead log has to be folded into it first.
        with sqlite3.connect(self._template) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def fresh(self, folder: Path) -> str:
        path = folder / f"authio-{uuid4().hex[:8]}.sqlite"
        shutil.copyfile(self._template, path)
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        """Nothing: the file goes with the test's folder."""


class _PostgresqlDatabases:
    def __init__(self, admin: psycopg.Connection, server: str, prefix: str) -> None:
        self._admin = admin
        self._server = make_url(server)
        self._prefix = prefix
        self._template = f"{prefix}_template"

    def url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)

    def make(self, *, template: str) -> str:
        name = f"{self._prefix}_{uuid4().hex[:8]}" if template != "template0" else self._template
        self._admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return self.url(name)

    def fresh(self, folder: Path) -> str:
        return self.make(template=self._template)

    def drop(self, url: str) -> None:
        name = make_url(url).database or ""
        self._admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def sign(self) -> None:
        """Hold a lock under our prefix for as long as this session lives, however it ends."""
        self._admin.execute("SELECT pg_advisory_lock(hashtext(%s))", (self._prefix,))

    def drop_orphans(self) -> None:
        """Drop what a session that was killed left behind: databases under a prefix that nobody holds."""
        names = self._admin.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (_PREFIX,)
        ).fetchall()
        for (name,) in names:
            prefix = name[: len(_PREFIX) + 10]
            row = self._admin.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (prefix,)).fetchone()
            if row == (True,):
                self.drop(self.url(name))
                self._admin.execute("SELECT pg_advisory_unlock(hashtext(%s))", (prefix,))

    def drop_all(self) -> None:
        names = self._admin.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (f"{self._prefix}_",)
        ).fetchall()
        for (name,) in names:
            self.drop(self.url(name))


_PREFIX = "authio_test_"


@contextmanager
def _postgresql_databases(server: str, migrate: Callable[[str], None]) -> Iterator[_PostgresqlDatabases]:
    address = make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as admin:
        made = _PostgresqlDatabases(admin, server, f"{_PREFIX}{uuid4().hex[:10]}")
        made.drop_orphans()
        made.sign()
        try:
            migrate(made.make(template="template0"))
            yield made
        finally:
            made.drop_all()


OWNER = "authio:test:owner"
"""The key that says whose a Redis database is while tests have it."""


def _is_orphaned(client: redis.Redis) -> bool:
    """Whether a session of ours took this database and was killed before it could give it back."""
    owner = client.get(OWNER)
    if not isinstance(owner, bytes):
        return False
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return True
    return False


@contextmanager
def redis_database(server: str) -> Iterator[str]:
    """The URL of a Redis database that was empty, is ours for the block, and is emptied after it."""
    address = make_url(server)
    for number in range(15, 0, -1):
        url = address.set(database=str(number)).render_as_string(hide_password=False)
        with redis.Redis.from_url(url) as client:
            if _is_orphaned(client):
                client.flushdb()
            # Only an empty database is taken, and of several runs only one gets it.
            if client.dbsize() or not client.set(OWNER, str(os.getpid()), nx=True):
                continue
            try:
                yield url
            finally:
                client.flushdb()
            return
    raise RuntimeError("every Redis database from 15 down to 1 is in use; the tests need an empty one")
