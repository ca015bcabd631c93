"""Events: things that happened, kept as the bytes that are sent."""

from __future__ import annotations

import sqlalchemy as sa

from authio.db import metadata
from authio.models.columns import ID_LENGTH, id_column, moment, owned_by

_WITHOUT_ORGANIZATION = sa.text("organization_id IS NULL")

events = sa.Table(
    "events",
    metadata,
    id_column(),
    owned_by("projects"),
    # No foreign key: what happened to an organization outlives it.
    sa.Column("organization_id", sa.String(ID_LENGTH), nullable=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("type", sa.String(80), nullable=False),
    # The envelope, serialised once. Every delivery and every list shows these bytes.
    sa.Column("body", sa.LargeBinary, nullable=False),
    moment("created_at"),
    sa.Index("uq_events_sequence", "organization_id", "sequence", unique=True),
    sa.Index(
        "uq_events_project_sequence",
        "project_id",
        "sequence",
        unique=True,
        sqlite_where=_WITHOUT_ORGANIZATION,
        postgresql_where=_WITHOUT_ORGANIZATION,
    ),
    sa.Index(None, "project_id", "id"),
)
