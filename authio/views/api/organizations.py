"""Organizations over the API."""

from __future__ import annotations

from typing import Any

from authio.views.api.operations import Call, operation
from authio.wire.organization import domains_in, merged_metadata, organization_out

_COLUMNS = ("name", "external_id", "allow_profiles_outside_organization")


def _shown(call: Call, row: Any) -> dict[str, Any]:
    return organization_out(row, call.services.organizations.domains(row.id))


@operation("list_organizations")
def list_organizations(call: Call) -> dict[str, Any]:
    """One page, with one of the domains or the text in the name where that is asked for."""
    organizations = call.services.organizations
    page = organizations.page(
        call.project_id,
        call.cursor,
        domains=[domain.lower() for domain in call.query.get("domains", ())],
        search=call.query.get("search"),
    )
    domains = organizations.domains_of(row.id for row in page.rows)
    return call.listed(page, [organization_out(row, domains[row.id]) for row in page.rows])


@operation("create_organization")
def create_organization(call: Call) -> dict[str, Any]:
    """A new organization with its domains."""
    body = call.body
    row = call.services.organizations.create(
        call.project_id,
        name=body["name"],
        external_id=body.get("external_id"),
        metadata=body.get("metadata"),
        domains=domains_in(body) or (),
        allow_profiles_outside_organization=body.get("allow_profiles_outside_organization", False),
    )
    return _shown(call, row)


@operation("get_organization")
def get_organization(call: Call, organization_id: str) -> dict[str, Any]:
    """By its id."""
    return _shown(call, call.services.organizations.get(call.project_id, organization_id))


@operation("get_organization_by_external_id")
def get_organization_by_external_id(call: Call, external_id: str) -> dict[str, Any]:
    """By the id it has in the vendor's system."""
    return _shown(call, call.services.organizations.by_external_id(call.project_id, external_id))


@operation("update_organization")
def update_organization(call: Call, organization_id: str) -> dict[str, Any]:
    """What was sent changes; metadata is merged, and a set of domains replaces the one there is."""
    row = call.services.organizations.hold(call.project_id, organization_id)
    changes: dict[str, Any] = {name: call.body[name] for name in _COLUMNS if name in call.body}
    if "metadata" in call.body:
        changes["metadata"] = merged_metadata(row.metadata, call.body["metadata"])
    domains = domains_in(call.body)
    if domains is not None:
        changes["domains"] = domains
    return _shown(call, call.services.organizations.update(row, changes))


@operation("delete_organization")
def delete_organization(call: Call, organization_id: str) -> None:
    """With everything that is its own."""
    call.services.organizations.delete(call.services.organizations.hold(call.project_id, organization_id))
