"""What the product gets: redirect URIs it registered, codes that are spent once, access tokens."""

from __future__ import annotations

import sqlalchemy as sa

from authio.db import metadata
from authio.models.columns import ID_LENGTH, id_column, moment, owned_by

redirect_uris = sa.Table(
    "redirect_uris",
    metadata,
    id_column(),
    owned_by("projects"),
    sa.Column("uri", sa.String(2048), nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False, default=False),
    moment("created_at"),
    sa.UniqueConstraint("project_id", "uri"),
)

authorization_codes = sa.Table(
    "authorization_codes",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    owned_by("projects"),
    sa.Column("attempt_id", sa.String(ID_LENGTH), nullable=False),
    sa.Column("connection_id", sa.String(ID_LENGTH), nullable=False),
    sa.Column("redirect_uri", sa.String(2048), nullable=False),
    sa.Column("code_challenge", sa.String(128), nullable=True),
    # Sealed JSON: the profile on the wire.
    sa.Column("sealed_profile", sa.LargeBinary, nullable=False),
    moment("expires_at"),
    moment("used_at", nullable=True),
    sa.Index(None, "expires_at"),
)

access_tokens = sa.Table(
    "access_tokens",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    owned_by("projects"),
    sa.Column("code_digest", sa.LargeBinary(32), nullable=False, index=True),
    sa.Column("sealed_profile", sa.LargeBinary, nullable=False),
    moment("expires_at"),
    moment("revoked_at", nullable=True),
    sa.Index(None, "expires_at"),
)

signing_keys = sa.Table(
    "signing_keys",
    metadata,
    id_column(),
    owned_by("projects"),
    # The key set that a project's products check tokens with: RSA, newest first.
    sa.Column("certificate", sa.Text, nullable=False),
    sa.Column("sealed_key", sa.LargeBinary, nullable=False),
    moment("created_at"),
    moment("retired_at", nullable=True),
    sa.Index(None, "project_id", "id"),
)
