"""Signing people in

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from authio.db import Json, UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "assertion_uses",
        sa.Column("connection_id", sa.String(length=48), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "digest", name=op.f("pk_assertion_uses")),
    )
    with op.batch_alter_table("assertion_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assertion_uses_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "access_tokens",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("project_id", sa.String(length=48), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_profile", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("revoked_at", UtcTime, nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_access_tokens_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access_tokens")),
    )
    with op.batch_alter_table("access_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_tokens_code_digest"), ["code_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_access_tokens_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "authorization_codes",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("project_id", sa.String(length=48), nullable=False),
        sa.Column("attempt_id", sa.String(length=48), nullable=False),
        sa.Column("connection_id", sa.String(length=48), nullable=False),
        sa.Column("redirect_uri", sa.String(length=2048), nullable=False),
        sa.Column("code_challenge", sa.String(length=128), nullable=True),
        sa.Column("sealed_profile", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("used_at", UtcTime, nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_authorization_codes_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_authorization_codes")),
    )
    with op.batch_alter_table("authorization_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authorization_codes_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "profiles",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("project_id", sa.String(length=48), nullable=False),
        sa.Column("connection_id", sa.String(length=48), nullable=False),
        sa.Column("subject_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_profiles_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint(
            "connection_id", "subject_digest", name=op.f("uq_profiles_connection_id_subject_digest")
        ),
    )
    op.create_table(
        "redirect_uris",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("project_id", sa.String(length=48), nullable=False),
        sa.Column("uri", sa.String(length=2048), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_redirect_uris_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redirect_uris")),
        sa.UniqueConstraint("project_id", "uri", name=op.f("uq_redirect_uris_project_id_uri")),
    )
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("project_id", sa.String(length=48), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("retired_at", UtcTime, nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_signing_keys_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
    )
    with op.batch_alter_table("signing_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signing_keys_project_id_id"), ["project_id", "id"], unique=False)

    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("project_id", sa.String(length=48), nullable=False),
        sa.Column("organization_id", sa.String(length=48), nullable=False),
        sa.Column("connection_id", sa.String(length=48), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("protocol", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("is_idp_initiated", sa.Boolean(), nullable=False),
        sa.Column("handle_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("browser_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("sealed_secrets", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_answer", sa.LargeBinary(), nullable=True),
        sa.Column("redirect_uri", sa.String(length=2048), nullable=True),
        sa.Column("app_state", sa.Text(), nullable=True),
        sa.Column("code_challenge", sa.String(length=128), nullable=True),
        sa.Column("portal_session_id", sa.String(length=48), nullable=True),
        sa.Column("settings_version", sa.Integer(), nullable=False),
        sa.Column("steps", Json, nullable=False),
        sa.Column("refusal", sa.String(length=60), nullable=True),
        sa.Column("found", sa.Text(), nullable=True),
        sa.Column("expected", sa.Text(), nullable=True),
        sa.Column("sealed_profile", sa.LargeBinary(), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("ip_address", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=500), nullable=True),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("finished_at", UtcTime, nullable=True),
        sa.Column("forget_at", UtcTime, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_sign_in_attempts_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_sign_in_attempts_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
        sa.UniqueConstraint("handle_digest", name=op.f("uq_sign_in_attempts_handle_digest")),
    )
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sign_in_attempts_connection_id_id"), ["connection_id", "id"], unique=False
        )
        batch_op.create_index(
            "ix_sign_in_attempts_forget",
            ["forget_at"],
            unique=False,
            sqlite_where=sa.text("forget_at IS NOT NULL"),
            postgresql_where=sa.text("forget_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_sign_in_attempts_open",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("status = 'started'"),
            postgresql_where=sa.text("status = 'started'"),
        )
        batch_op.create_index(
            batch_op.f("ix_sign_in_attempts_project_id_id"), ["project_id", "id"], unique=False
        )

    op.create_table(
        "certificate_reminders",
        sa.Column("connection_id", sa.String(length=48), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
            name=op.f("fk_certificate_reminders_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "sha256", "days", name=op.f("pk_certificate_reminders")),
    )
    op.create_table(
        "sp_keys",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("connection_id", sa.String(length=48), nullable=False),
        sa.Column("use", sa.String(length=20), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("retired_at", UtcTime, nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_sp_keys_connection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sp_keys")),
    )
    with op.batch_alter_table("sp_keys", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sp_keys_connection_id_id"), ["connection_id", "id"], unique=False
        )

    # Defaults on the server, so that the release before this one can go on writing rows.
    for column in (
        sa.Column("sealed_previous", sa.LargeBinary(), nullable=True),
        sa.Column("edits_id", sa.String(length=48), nullable=True),
        sa.Column("attribute_map", Json, nullable=False, server_default="{}"),
        sa.Column("options", Json, nullable=False, server_default="{}"),
        sa.Column("refreshed_at", UtcTime, nullable=True),
        sa.Column("refresh_due_at", UtcTime, nullable=True),
        sa.Column("refresh_failure", sa.String(length=60), nullable=True),
        sa.Column("sealed_refreshed", sa.LargeBinary(), nullable=True),
    ):
        op.add_column("connections", column)
    op.create_index(
        "ix_connections_refresh",
        "connections",
        ["refresh_due_at"],
        sqlite_where=sa.text("protocol = 'saml' AND state IN ('active', 'validating')"),
        postgresql_where=sa.text("protocol = 'saml' AND state IN ('active', 'validating')"),
    )
    op.add_column(
        "setup_links", sa.Column("kind", sa.String(length=10), nullable=False, server_default="setup")
    )
    op.add_column("setup_links", sa.Column("external_user_id", sa.String(length=200), nullable=True))
    op.create_index(
        "ix_audit_events_connection",
        "audit_events",
        ["target_id", "id"],
        sqlite_where=sa.text("action >= 'connection.' AND action < 'connection/'"),
        postgresql_where=sa.text("action >= 'connection.' AND action < 'connection/'"),
    )


def downgrade() -> None:
    raise NotImplementedError("Sign-ins are not forgotten by going back; restore a backup instead.")
