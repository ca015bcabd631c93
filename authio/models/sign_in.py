"""Sign-in attempts, one row per try with each step of it; profiles, which outlive them."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa

from authio.db import Json, metadata
from authio.models.columns import ID_LENGTH, id_column, moment, owned_by


class AttemptStatus(StrEnum):
    """How a try stands. ``timed_out`` is noted when nobody came back in time."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"


class AttemptKind(StrEnum):
    """``LIVE`` leads to a code for the product; ``TEST`` to a page of the portal, and never to a code."""

    LIVE = "live"
    TEST = "test"


_STARTED = sa.text("status = 'started'")
_DETAILED = sa.text("forget_at IS NOT NULL")

sign_in_attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    id_column(),
    owned_by("projects"),
    owned_by("organizations"),
    sa.Column("connection_id", sa.String(ID_LENGTH), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("protocol", sa.String(10), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    # Began at the identity provider, not with us.
    sa.Column("is_idp_initiated", sa.Boolean, nullable=False, default=False),
    # SHA-256 of what the identity provider sends back: the AuthnRequest's ID, or OpenID Connect's state.
    sa.Column("handle_digest", sa.LargeBinary(32), nullable=True, unique=True),
    # SHA-256 of the browser's cookie: only the browser that began may finish.
    sa.Column("browser_digest", sa.LargeBinary(32), nullable=True),
    # Sealed JSON: the request's ID, nonce and PKCE verifier, and the request itself.
    sa.Column("sealed_secrets", sa.LargeBinary, nullable=True),
    # Sealed: what came back, as it came. Forgotten in time.
    sa.Column("sealed_answer", sa.LargeBinary, nullable=True),
    # The product's side: where to go back to, and what to bring along unchanged.
    sa.Column("redirect_uri", sa.String(2048), nullable=True),
    sa.Column("app_state", sa.Text, nullable=True),
    sa.Column("code_challenge", sa.String(128), nullable=True),
    # The visit of the portal that a test belongs to.
    sa.Column("portal_session_id", sa.String(ID_LENGTH), nullable=True),
    sa.Column("settings_version", sa.Integer, nullable=False, default=0),
    # What was sent and what came back, step by step, secrets left out. Personal data: forgotten in time.
    sa.Column("steps", Json, nullable=False, default=list),
    # Why it ended badly: a code of the closed list, what was found, and what was expected.
    sa.Column("refusal", sa.String(60), nullable=True),
    sa.Column("found", sa.Text, nullable=True),
    sa.Column("expected", sa.Text, nullable=True),
    # Sealed JSON: the profile that came of it.
    sa.Column("sealed_profile", sa.LargeBinary, nullable=True),
    sa.Column("email", sa.String(320), nullable=True),
    sa.Column("ip_address", sa.String(45), nullable=True),
    sa.Column("user_agent", sa.String(500), nullable=True),
    moment("created_at"),
    moment("expires_at"),
    moment("finished_at", nullable=True),
    # When its personal data goes; null once it is gone.
    moment("forget_at", nullable=True),
    sa.Index(None, "project_id", "id"),
    sa.Index(None, "connection_id", "id"),
    sa.Index("ix_sign_in_attempts_forget", "forget_at", sqlite_where=_DETAILED, postgresql_where=_DETAILED),
    sa.Index("ix_sign_in_attempts_open", "expires_at", sqlite_where=_STARTED, postgresql_where=_STARTED),
)

profiles = sa.Table(
    "profiles",
    metadata,
    id_column(),
    owned_by("projects"),
    sa.Column("connection_id", sa.String(ID_LENGTH), nullable=False),
    # SHA-256 of the identity provider's name for the person: the stable key, never the e-mail address.
    sa.Column("subject_digest", sa.LargeBinary(32), nullable=False),
    moment("created_at"),
    sa.UniqueConstraint("connection_id", "subject_digest"),
)

assertion_uses = sa.Table(
    "assertion_uses",
    metadata,
    sa.Column("connection_id", sa.String(ID_LENGTH), nullable=False),
    # SHA-256 of issuer and assertion ID.
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    moment("expires_at"),
    sa.PrimaryKeyConstraint("connection_id", "digest"),
    sa.Index(None, "expires_at"),
)
