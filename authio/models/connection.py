"""Connections: one organization's single sign-on set-up."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa

from authio.db import Json, metadata
from authio.models.columns import ID_LENGTH, id_column, moment, owned_by


class ConnectionState(StrEnum):
    """Where a connection is in its life."""

    DRAFT = "draft"
    VALIDATING = "validating"
    ACTIVE = "active"
    INACTIVE = "inactive"


_PORTAL_DRAFT = sa.text("state = 'draft'")

_LOOKED_AFTER = sa.text("protocol = 'saml' AND state IN ('active', 'validating')")

connections = sa.Table(
    "connections",
    metadata,
    id_column(),
    owned_by("projects"),
    owned_by("organizations"),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("provider", sa.String(64), nullable=False),
    sa.Column("connector", sa.String(64), nullable=False),
    sa.Column("protocol", sa.String(10), nullable=False),
    sa.Column("connection_type", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    # Counts every change of what would be saved, so that a stale form is noticed.
    sa.Column("version", sa.Integer, nullable=False, default=1),
    # Sealed JSON: the answers by connector key, and the settings they resolved to.
    sa.Column("sealed_answers", sa.LargeBinary, nullable=True),
    sa.Column("sealed_settings", sa.LargeBinary, nullable=True),
    # The settings before the last change of a live connection, for the way back.
    sa.Column("sealed_previous", sa.LargeBinary, nullable=True),
    sa.Column("findings", Json, nullable=False, default=list),
    # A draft that changes a live connection names it, and speaks with its addresses.
    sa.Column("edits_id", sa.String(ID_LENGTH), nullable=True),
    # Our profile's field to the names that this organization's provider really sends.
    sa.Column("attribute_map", Json, nullable=False, default=dict, server_default="{}"),
    # Switches that are off unless somebody turned them on: see services/connections.py.
    sa.Column("options", Json, nullable=False, default=dict, server_default="{}"),
    sa.Column("it_admin_email", sa.String(320), nullable=True),
    sa.Column("setup_link_id", sa.String(ID_LENGTH), nullable=True),
    moment("created_at"),
    moment("updated_at"),
    moment("activated_at", nullable=True),
    # When certificates and metadata were last looked after, when they are next, and what went wrong.
    moment("refreshed_at", nullable=True),
    moment("refresh_due_at", nullable=True),
    sa.Column("refresh_failure", sa.String(60), nullable=True),
    # What the metadata address says now, where it is more than new certificates: it waits for a person.
    sa.Column("sealed_refreshed", sa.LargeBinary, nullable=True),
    # An organization has at most one draft: it belongs to the organization, not to a link.
    sa.Index(
        "uq_connections_draft",
        "organization_id",
        unique=True,
        sqlite_where=_PORTAL_DRAFT,
        postgresql_where=_PORTAL_DRAFT,
    ),
    sa.Index(None, "project_id", "id"),
    sa.Index(None, "organization_id", "id"),
    sa.Index(
        "ix_connections_refresh",
        "refresh_due_at",
        sqlite_where=_LOOKED_AFTER,
        postgresql_where=_LOOKED_AFTER,
    ),
)
