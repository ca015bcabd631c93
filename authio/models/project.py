"""Projects, and the API keys that speak for them."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa

from authio.db import metadata
from authio.models.columns import ID_LENGTH, id_column, moment, owned_by


class Activation(StrEnum):
    """When a saved connection becomes ``active``: at once, or after one real sign-in through it."""

    ON_SAVE = "on_save"
    AFTER_TEST = "after_test"


projects = sa.Table(
    "projects",
    metadata,
    id_column(),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("client_id", sa.String(ID_LENGTH), nullable=False, unique=True),
    sa.Column("activation", sa.String(20), nullable=False, default=Activation.ON_SAVE.value),
    # Numbers the events that belong to no organization.
    sa.Column("event_sequence", sa.BigInteger, nullable=False, default=0),
    moment("created_at"),
    moment("updated_at"),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    id_column(),
    owned_by("projects"),
    sa.Column("name", sa.String(200), nullable=False, default=""),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    # What a list shows so that a person can tell keys apart.
    sa.Column("ending", sa.String(8), nullable=False),
    moment("created_at"),
    moment("last_used_at", nullable=True),
    moment("revoked_at", nullable=True),
    sa.Index(None, "project_id", "id"),
)
