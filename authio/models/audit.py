"""The audit trail: who did what, from where, in the transaction of the act. Rows are only ever added."""

from __future__ import annotations

import sqlalchemy as sa

from authio.db import Json, metadata
from authio.models.columns import ID_LENGTH, id_column, moment

ON_CONNECTIONS = sa.text("action >= 'connection.' AND action < 'connection/'")
"""The rows whose action begins with ``connection.``; in these words, by which a database knows the index."""

audit_events = sa.Table(
    "audit_events",
    metadata,
    id_column(),
    # No foreign keys: the trail outlives what it tells of. No project: an act before anybody was known.
    sa.Column("project_id", sa.String(ID_LENGTH), nullable=True),
    sa.Column("organization_id", sa.String(ID_LENGTH), nullable=True),
    sa.Column("action", sa.String(60), nullable=False),
    sa.Column("actor_type", sa.String(20), nullable=False),
    sa.Column("actor_id", sa.String(ID_LENGTH), nullable=True),
    sa.Column("actor_name", sa.String(320), nullable=True),
    sa.Column("target_type", sa.String(40), nullable=True),
    sa.Column("target_id", sa.String(ID_LENGTH), nullable=True),
    sa.Column("before", Json, nullable=True),
    sa.Column("after", Json, nullable=True),
    sa.Column("ip_address", sa.String(45), nullable=True),
    sa.Column("user_agent", sa.String(500), nullable=True),
    sa.Column("request_id", sa.String(ID_LENGTH), nullable=True),
    moment("created_at"),
    sa.Index(None, "project_id", "id"),
    sa.Index(None, "organization_id", "id"),
    # What was done to one connection. Who signed in over it is another story, and a longer one.
    sa.Index(
        "ix_audit_events_connection",
        "target_id",
        "id",
        sqlite_where=ON_CONNECTIONS,
        postgresql_where=ON_CONNECTIONS,
    ),
)
