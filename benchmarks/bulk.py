"""A million links, a million events and a million deliveries, made inside the database in a minute or so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

PER_ORGANIZATION = 100
"""Rows of each kind that an organization of the past has."""

# Identifiers of the past are a prefix and a number: shaped like any other, and older than all of them.
_SQLITE = {
    "series": "WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < {last})",
    "from": "FROM series",
    "id": "'{prefix}_' || printf('%026d', {number})",
    "digest": "randomblob(32)",
    "moment": "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-366 days', (n * 31536000.0 / {rows}) || ' seconds')",
    "bytes": "CAST({text} AS BLOB)",
    "false": "0",
}
_POSTGRESQL = {
    "series": "",
    "from": "FROM generate_series(0, {last}) AS series(n)",
    "id": "'{prefix}_' || lpad(({number})::text, 26, '0')",
    "digest": "sha256(n::text::bytea)",
    "moment": "date_trunc('milliseconds', now() - interval '366 days' + n * interval '1 year' / {rows})",
    "bytes": "convert_to({text}, 'UTF8')",
    "false": "false",
}
_TYPES = (
    "CASE n / {owners} % 5 WHEN 0 THEN 'admin_portal.link_created' WHEN 1 THEN 'admin_portal.link_opened' "
    "WHEN 2 THEN 'sso.connection.created' WHEN 3 THEN 'connection.activated' "
    "ELSE 'admin_portal.link_consumed' END"
)


def load(database: str, *, project_id: str, rows: int) -> None:
    """Make *rows* links, events and deliveries of the project, spread over the last year.

    All of it is history: links that are spent, events that were delivered. So no worker has anything to do.
    """
    address = make_url(database)
    is_sqlite = address.drivername.startswith("sqlite")
    words = _SQLITE if is_sqlite else _POSTGRESQL
    # What is timed next is not to pay for what was loaded: the last statements see to that.
    if is_sqlite:
        opened: Any = sqlite3.connect(address.database or "", isolation_level=None)
        before, after = (
            ["PRAGMA synchronous=OFF", "PRAGMA cache_size=-400000"],
            ["PRAGMA wal_checkpoint(TRUNCATE)"],
        )
    else:
        plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
        opened = psycopg.connect(plain, autocommit=True)
        before, after = [], ["VACUUM ANALYZE", "CHECKPOINT"]
    with closing(opened) as connection:
        for statement in [*before, *_statements(words, project_id=project_id, rows=rows), *after]:
            connection.execute(statement)


def _statements(words: Mapping[str, str], *, project_id: str, rows: int) -> Iterator[str]:
    for table, count, columns in _history(words, project_id=project_id, rows=rows):
        names = ", ".join(f'"{name}"' for name in columns)
        yield (
            f"{words['series'].format(last=count - 1)} INSERT INTO {table} ({names}) "
            f"SELECT {', '.join(columns.values())} {words['from'].format(last=count - 1)}"
        )


def _history(
    words: Mapping[str, str], *, project_id: str, rows: int
) -> list[tuple[str, int, Mapping[str, str]]]:
    """Each table with how many rows it gets, and a SQL expression over ``n`` for each of its columns."""
    owners = max(1, rows // PER_ORGANIZATION)
    moment = words["moment"].format(rows=rows)
    type_ = _TYPES.format(owners=owners)

    def id_of(prefix: str, number: str = "n") -> str:
        return words["id"].format(prefix=prefix, number=number)

    project = f"'{project_id}'"
    owner = id_of("org", f"n % {owners}")
    body = (
        f"""'{{"object":"event","id":"' || {id_of("event")} || '","event":"' || {type_} """
        f"""|| '","data":{{"note":"{"x" * 400}"}}}}'"""
    )
    organizations = {
        "id": id_of("org"),
        "project_id": project,
        "name": "'Organization ' || n",
        "metadata": "'{}'",
        "allow_profiles_outside_organization": words["false"],
        "event_sequence": str(PER_ORGANIZATION),
        "created_at": moment,
        "updated_at": moment,
    }
    links = {
        "id": id_of("apt"),
        "project_id": project,
        "organization_id": owner,
        "digest": words["digest"],
        "intents": "'[\"sso\"]'",
        "state": "'consumed'",
        "expires_at": moment,
        "created_at": moment,
        "opened_at": moment,
        "ended_at": moment,
    }
    # Disabled, so that what is minted later is compared with a project that has no endpoint.
    endpoints = {
        "id": id_of("we"),
        "project_id": project,
        "url": "'https://hooks.example.com/authio'",
        "sealed_secret": words["bytes"].format(text="'none'"),
        "status": "'disabled'",
        "events": "'[\"*\"]'",
        "created_at": moment,
        "updated_at": moment,
    }
    events = {
        "id": id_of("event"),
        "project_id": project,
        "organization_id": owner,
        "sequence": f"n / {owners} + 1",
        "type": type_,
        "body": words["bytes"].format(text=body),
        "created_at": moment,
    }
    deliveries = {
        "id": id_of("dlv"),
        "project_id": project,
        "event_id": id_of("event"),
        "endpoint_id": id_of("we", "0"),
        "state": "'delivered'",
        "attempts": "1",
        "due_at": moment,
        "created_at": moment,
        "finished_at": moment,
    }
    return [
        ("organizations", owners, organizations),
        ("setup_links", rows, links),
        ("webhook_endpoints", 1, endpoints),
        ("events", rows, events),
        ("deliveries", rows, deliveries),
    ]
