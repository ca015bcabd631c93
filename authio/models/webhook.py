"""Webhook endpoints, the deliveries owed to them, and each try at one."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa

from authio.db import Json, metadata
from authio.models.columns import ID_LENGTH, id_column, moment, owned_by


class DeliveryState(StrEnum):
    """``pending`` until a 2xx answer, or until the last retry has failed."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


_PENDING = sa.text("state = 'pending'")

webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    id_column(),
    owned_by("projects"),
    sa.Column("url", sa.String(2048), nullable=False),
    sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.String(20), nullable=False, default="enabled"),
    # Event types and patterns such as ``connection.*``.
    sa.Column("events", Json, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    sa.UniqueConstraint("project_id", "url"),
    sa.Index(None, "project_id", "id"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    id_column(),
    owned_by("projects"),
    sa.Column(
        "event_id", sa.String(ID_LENGTH), sa.ForeignKey("events.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column(
        "endpoint_id",
        sa.String(ID_LENGTH),
        sa.ForeignKey("webhook_endpoints.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("state", sa.String(20), nullable=False, default=DeliveryState.PENDING.value),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    moment("due_at"),
    # A worker that dies holding a delivery loses it when this moment passes.
    moment("leased_until", nullable=True),
    moment("created_at"),
    moment("finished_at", nullable=True),
    sa.Index("ix_deliveries_due", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
    sa.Index(None, "endpoint_id", "id"),
    sa.Index(None, "event_id"),
)

delivery_attempts = sa.Table(
    "delivery_attempts",
    metadata,
    id_column(),
    sa.Column(
        "delivery_id",
        sa.String(ID_LENGTH),
        sa.ForeignKey("deliveries.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("number", sa.Integer, nullable=False),
    moment("started_at"),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    # The HTTP status, or NULL with an error code where no answer came.
    sa.Column("status", sa.Integer, nullable=True),
    sa.Column("error", sa.String(40), nullable=True),
    sa.Column("answer", sa.LargeBinary(1024), nullable=False, default=b""),
    sa.Index(None, "delivery_id", "number", unique=True),
)
