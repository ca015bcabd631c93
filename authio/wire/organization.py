"""Organizations and their domains on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from authio.clock import wire_time


def organization_domain_out(row: Any) -> dict[str, Any]:
    """One domain of an organization."""
    return {
        "object": "organization_domain",
        "id": row.id,
        "organization_id": row.organization_id,
        "domain": row.domain,
        "state": row.state,
        "verification_strategy": row.verification_strategy,
        "created_at": wire_time(row.created_at),
        "updated_at": wire_time(row.updated_at),
    }


def organization_out(row: Any, domains: Iterable[Any]) -> dict[str, Any]:
    """The Organization object with its domains."""
    return {
        "object": "organization",
        "id": row.id,
        "name": row.name,
        "allow_profiles_outside_organization": row.allow_profiles_outside_organization,
        "domains": [organization_domain_out(domain) for domain in domains],
        "metadata": row.metadata,
        "external_id": row.external_id,
        "created_at": wire_time(row.created_at),
        "updated_at": wire_time(row.updated_at),
    }
