"""Organizations (one enterprise customer each) and their domains."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa

from authio.db import Json, metadata
from authio.models.columns import id_column, moment, owned_by


class DomainState(StrEnum):
    """What is known of an organization's claim to a domain."""

    PENDING = "pending"
    VERIFIED = "verified"
    FAILED = "failed"


organizations = sa.Table(
    "organizations",
    metadata,
    id_column(),
    owned_by("projects"),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("external_id", sa.String(128), nullable=True),
    sa.Column("metadata", Json, nullable=False, default=dict),
    sa.Column("allow_profiles_outside_organization", sa.Boolean, nullable=False, default=False),
    # The number of the organization's newest event. Its row lock is what keeps the numbers without gaps.
    sa.Column("event_sequence", sa.BigInteger, nullable=False, default=0),
    moment("created_at"),
    moment("updated_at"),
    sa.UniqueConstraint("project_id", "external_id"),
    sa.Index(None, "project_id", "id"),
)

organization_domains = sa.Table(
    "organization_domains",
    metadata,
    id_column(),
    owned_by("projects"),
    owned_by("organizations"),
    sa.Column("domain", sa.String(253), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("verification_strategy", sa.String(20), nullable=False),
    moment("created_at"),
    moment("updated_at"),
    sa.UniqueConstraint("organization_id", "domain"),
    sa.Index(None, "project_id", "domain"),
)
