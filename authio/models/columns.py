"""Columns that many tables have, so that they are the same in each."""

from __future__ import annotations

import sqlalchemy as sa

from authio.db import UtcTime

ID_LENGTH = 48


def id_column() -> sa.Column[str]:
    """The primary key: a prefixed identifier."""
    return sa.Column("id", sa.String(ID_LENGTH), primary_key=True)


def owned_by(table: str, *, nullable: bool = False) -> sa.Column[str]:
    """A reference to the owner of a row; deleting the owner deletes the row."""
    name = f"{table.removesuffix('s')}_id"
    return sa.Column(
        name, sa.String(ID_LENGTH), sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=nullable
    )


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A point in time."""
    return sa.Column(name, UtcTime, nullable=nullable)
