"""Connections on the wire. No secret, key or identity provider detail is part of the object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from authio.clock import wire_time
from authio.ids import PREFIXES, ulid_of
from authio.models import ConnectionState
from authio.wire.fields import Text, optional
from authio.wire.page import PageQuery

# Clients know one of them by another spelling than the object has.
SPELLINGS = {"GithubOAuth": "GitHubOAuth"}


def connection_out(row: Any, domains: Iterable[Any]) -> dict[str, Any]:
    """The Connection object; *domains* are the organization's domain rows."""
    return {
        "object": "connection",
        "id": row.id,
        "organization_id": row.organization_id,
        "connection_type": row.connection_type,
        "name": row.name,
        "state": row.state,
        "status": "linked" if row.state == ConnectionState.ACTIVE else "unlinked",
        "domains": [
            {
                "object": "connection_domain",
                "id": f"{PREFIXES['connection_domain']}_{ulid_of(domain.id)}",
                "domain": domain.domain,
            }
            for domain in domains
        ],
        "created_at": wire_time(row.created_at),
        "updated_at": wire_time(row.updated_at),
    }


def connection_event_out(row: Any, domains: Iterable[Any]) -> dict[str, Any]:
    """What ``connection.activated`` and ``connection.deactivated`` carry: the object and its external key."""
    return {**connection_out(row, domains), "external_key": ulid_of(row.id)}


def created_event_out(row: Any, domains: Iterable[Any]) -> dict[str, Any]:
    """What ``sso.connection.created`` carries: who set it up, with which provider, over which link."""
    return {
        **connection_out(row, domains),
        "provider": row.provider,
        "it_admin_email": row.it_admin_email,
        "admin_portal_token_id": row.setup_link_id,
    }


def connection_deleted_out(row: Any) -> dict[str, Any]:
    """What ``connection.deleted`` carries: the object as it was, without status and domains."""
    body = connection_out(row, ())
    return {key: value for key, value in body.items() if key not in {"status", "domains"}}


class ConnectionsQuery(PageQuery):
    """Which connections are listed."""

    organization_id = optional(Text(most=64), description="Of this organization.")
    connection_type = optional(
        Text(most=40), preparer=lambda name: SPELLINGS.get(name, name), description="Of this type."
    )
    domain = optional(Text(most=253), description="Of an organization with this domain.")
    search = optional(Text(), description="With this in the name.")
