"""Setup links, and the portal sessions that opening one starts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from authio.db import Json, metadata
from authio.models.columns import ID_LENGTH, id_column, moment, owned_by


class LinkKind(StrEnum):
    """A setup link is sent to a person and spent by a save; a session link leads into the portal."""

    SETUP = "setup"
    SESSION = "session"


class LinkState(StrEnum):
    """``open`` is the beginning; the other four are ends, and there is no way back."""

    OPEN = "open"
    CONSUMED = "consumed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REPLACED = "replaced"


setup_links = sa.Table(
    "setup_links",
    metadata,
    id_column(),
    owned_by("projects"),
    owned_by("organizations"),
    sa.Column("kind", sa.String(10), nullable=False, default=LinkKind.SETUP.value, server_default="setup"),
    # SHA-256 of the token. The token itself is in the answer to the mint, once, and nowhere else.
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("intents", Json, nullable=False),
    sa.Column("state", sa.String(20), nullable=False, default=LinkState.OPEN.value),
    sa.Column("it_admin_email", sa.String(320), nullable=True),
    sa.Column("return_url", sa.String(2048), nullable=True),
    sa.Column("success_url", sa.String(2048), nullable=True),
    # The vendor's name for the person, by which links and visits can be revoked.
    sa.Column("external_user_id", sa.String(200), nullable=True),
    sa.Column("locale", sa.String(35), nullable=True),
    sa.Column("connection_id", sa.String(ID_LENGTH), nullable=True),
    moment("expires_at"),
    moment("created_at"),
    moment("opened_at", nullable=True),
    moment("ended_at", nullable=True),
    sa.Index(None, "project_id", "id"),
    sa.Index(None, "organization_id", "id"),
    sa.Index(
        "ix_setup_links_open",
        "organization_id",
        "expires_at",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
    sa.Index(
        "ix_setup_links_expiring",
        "expires_at",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
)

portal_sessions = sa.Table(
    "portal_sessions",
    metadata,
    id_column(),
    owned_by("projects"),
    owned_by("organizations"),
    sa.Column(
        "link_id", sa.String(ID_LENGTH), sa.ForeignKey("setup_links.id", ondelete="CASCADE"), nullable=False
    ),
    # SHA-256 of the cookie's value.
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("it_admin_email", sa.String(320), nullable=False),
    # Set once the link is spent: from then on the visit may only see the done page.
    sa.Column("connection_id", sa.String(ID_LENGTH), nullable=True),
    moment("created_at"),
    moment("seen_at"),
    moment("expires_at"),
    moment("ended_at", nullable=True),
    sa.Index(None, "link_id"),
    sa.Index(None, "expires_at"),
)


def state_at(link: Any, now: datetime) -> LinkState:
    """The state of *link* as of *now*: an open link whose time has passed is expired, noted or not."""
    state = LinkState(link.state)
    if state is LinkState.OPEN and link.expires_at <= now:
        return LinkState.EXPIRED
    return state
