"""Answers already given to POSTs that carried an ``Idempotency-Key``."""

from __future__ import annotations

import sqlalchemy as sa

from authio.db import metadata
from authio.models.columns import moment, owned_by

_SEALED = sa.text("sealed_body IS NOT NULL")

idempotency_records = sa.Table(
    "idempotency_records",
    metadata,
    owned_by("projects"),
    sa.Column("key", sa.String(255), nullable=False),
    # SHA-256 of method, path and body: the same key with another request is refused.
    sa.Column("request_digest", sa.LargeBinary(32), nullable=False),
    sa.Column("status", sa.Integer, nullable=True),
    # The whole answer, sealed, for ten minutes; afterwards the answer without its secrets.
    sa.Column("sealed_body", sa.LargeBinary, nullable=True),
    sa.Column("body", sa.LargeBinary, nullable=True),
    moment("created_at"),
    sa.PrimaryKeyConstraint("project_id", "key"),
    sa.Index(None, "created_at"),
    # Few at any time: what the sweep looks for every minute, whatever else has been kept for the day.
    sa.Index("ix_idempotency_records_sealed", "created_at", sqlite_where=_SEALED, postgresql_where=_SEALED),
)
