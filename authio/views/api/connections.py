"""Connections over the API. Drafts are not among them."""

from __future__ import annotations

from typing import Any

from authio.views.api.operations import Call, operation
from authio.wire.connection import connection_out


@operation("list_connections")
def list_connections(call: Call) -> dict[str, Any]:
    """One page, of one organization, type or domain where that is asked for."""
    query, services = call.query, call.services
    page = services.connections.page(
        call.project_id,
        call.cursor,
        organization_id=query.get("organization_id"),
        connection_type=query.get("connection_type"),
        domain=query["domain"].lower() if "domain" in query else None,
        search=query.get("search"),
    )
    domains = services.organizations.domains_of({row.organization_id for row in page.rows})
    return call.listed(page, [connection_out(row, domains[row.organization_id]) for row in page.rows])


@operation("get_connection")
def get_connection(call: Call, connection_id: str) -> dict[str, Any]:
    """By its id."""
    row = call.services.connections.get(call.project_id, connection_id)
    return connection_out(row, call.services.connections.domains(row))


@operation("delete_connection")
def delete_connection(call: Call, connection_id: str) -> None:
    """Nobody signs in over it any more."""
    call.services.connections.delete(call.project_id, connection_id)
