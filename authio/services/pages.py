"""Pages of a list: cursors over time-ordered ids, so that page 1 and page 10,000 cost the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True)
class Cursor:
    """Which page is wanted.

    ``after`` and ``before`` are ids, not necessarily of rows that still exist. ``order`` is ``desc``
    (newest first) or ``asc``. One row more than ``limit`` is read, to learn whether there are more.
    """

    limit: int = 10
    order: str = "desc"
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True)
class Page:
    """The rows of one page, and whether there are others on either side of it."""

    rows: list[Any]
    has_before: bool
    has_after: bool


def page(
    connection: sa.Connection, statement: sa.Select[Any], key: sa.ColumnElement[str], cursor: Cursor
) -> Page:
    """The page of *statement* that *cursor* asks for, in the order of *key*."""
    descending = cursor.order == "desc"
    if cursor.after is not None:
        statement = statement.where(key < cursor.after if descending else key > cursor.after)
    if cursor.before is not None:
        statement = statement.where(key > cursor.before if descending else key < cursor.before)
    # Going back from a cursor, the rows nearest to it are wanted, so they are read the other way round.
    backwards = cursor.before is not None and cursor.after is None
    ordered = statement.order_by(key.desc() if descending is not backwards else key.asc()).limit(
        cursor.limit + 1
    )
    rows = list(connection.execute(ordered))
    more = len(rows) > cursor.limit
    rows = rows[: cursor.limit]
    if backwards:
        return Page(rows[::-1], has_before=more, has_after=True)
    return Page(rows, has_before=cursor.after is not None, has_after=more)
