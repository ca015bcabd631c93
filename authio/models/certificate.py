"""Certificates: the key pairs of our side of a SAML connection, and reminders about the other side's."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa

from authio.db import metadata
from authio.models.columns import id_column, moment, owned_by


class KeyUse(StrEnum):
    """What a key pair of ours is for."""

    SIGNING = "signing"
    ENCRYPTION = "encryption"


sp_keys = sa.Table(
    "sp_keys",
    metadata,
    id_column(),
    owned_by("connections"),
    sa.Column("use", sa.String(20), nullable=False),
    sa.Column("certificate", sa.Text, nullable=False),
    sa.Column("sealed_key", sa.LargeBinary, nullable=False),
    moment("created_at"),
    # Out of the metadata and no longer used for new messages; still opens what was encrypted before.
    moment("retired_at", nullable=True),
    sa.Index(None, "connection_id", "id"),
)

certificate_reminders = sa.Table(
    "certificate_reminders",
    metadata,
    owned_by("connections"),
    sa.Column("sha256", sa.String(64), nullable=False),
    # Days before the end: each threshold is told once.
    sa.Column("days", sa.Integer, nullable=False),
    moment("created_at"),
    sa.PrimaryKeyConstraint("connection_id", "sha256", "days"),
)
