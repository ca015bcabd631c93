"""The management API on one page: what can be asked, in which shape, and what is answered.

Routes, views, checks and the OpenAPI document are made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authio.wire.connection import ConnectionsQuery
from authio.wire.event import EventsQuery
from authio.wire.organization import OrganizationChangesIn, OrganizationIn, OrganizationsQuery
from authio.wire.page import PageQuery
from authio.wire.redirect_uri import RedirectUriIn
from authio.wire.session_link import SessionLinkIn, SessionLinkRevokedIn
from authio.wire.setup_link import SetupLinkIn, SetupLinksQuery
from authio.wire.sign_in import SignInAttemptsQuery
from authio.wire.webhook_endpoint import WebhookEndpointChangesIn, WebhookEndpointIn


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method on one path.

    ``answer`` names an object, or is None for an empty body. ``codes`` are the errors that only this
    operation has. ``once`` are keys whose values a repeated answer shows for ten minutes only.
    """

    name: str
    method: str
    path: str
    tag: str
    summary: str
    status: int = 200
    answer: str | None = None
    is_list: bool = False
    body: Any = None
    query: Any = None
    codes: tuple[str, ...] = ()
    once: frozenset[str] = frozenset()
    example: Mapping[str, Any] | None = field(default=None, compare=False)
    ours: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it is reached: what is only ours under ``/v1``, the rest at the root as well."""
        return (f"/v1{self.path}",) if self.ours else (self.path, f"/v1{self.path}")


_ORGANIZATIONS, _CONNECTIONS, _TOKENS = "Organizations", "Connections", "Admin Portal"
_ENDPOINTS, _EVENTS = "Webhook endpoints", "Events"
_SIGN_INS, _REDIRECTS = "Sign-ins", "Redirect URIs"
_TOKEN_PATH = "/sso/admin-portal/tokens"  # noqa: S105 - a path, not a secret

_ALL = (
    Operation(
        name="list_organizations",
        method="GET",
        path="/organizations",
        tag=_ORGANIZATIONS,
        summary="List organizations",
        answer="Organization",
        is_list=True,
        query=OrganizationsQuery,
    ),
    Operation(
        name="create_organization",
        method="POST",
        path="/organizations",
        tag=_ORGANIZATIONS,
        summary="Create an organization",
        status=201,
        answer="Organization",
        body=OrganizationIn,
        codes=("invalid_metadata", "external_id_already_used"),
        example={
            "name": "Acme Corporation",
            "external_id": "customer-42",
            "domain_data": [{"domain": "acme.example", "state": "verified"}],
        },
    ),
    Operation(
        name="get_organization",
        method="GET",
        path="/organizations/{organization_id}",
        tag=_ORGANIZATIONS,
        summary="Get an organization",
        answer="Organization",
        codes=("organization_not_found",),
    ),
    Operation(
        name="get_organization_by_external_id",
        method="GET",
        path="/organizations/external_id/{external_id}",
        tag=_ORGANIZATIONS,
        summary="Get an organization by your own id of it",
        answer="Organization",
        codes=("organization_not_found",),
    ),
    Operation(
        name="update_organization",
        method="PUT",
        path="/organizations/{organization_id}",
        tag=_ORGANIZATIONS,
        summary="Change an organization",
        answer="Organization",
        body=OrganizationChangesIn,
        codes=("organization_not_found", "invalid_metadata", "external_id_already_used"),
        example={"metadata": {"plan": "enterprise", "trial": None}},
    ),
    Operation(
        name="delete_organization",
        method="DELETE",
        path="/organizations/{organization_id}",
        tag=_ORGANIZATIONS,
        summary="Delete an organization with its domains, links and connections",
        status=202,
        codes=("organization_not_found",),
    ),
    Operation(
        name="list_connections",
        method="GET",
        path="/connections",
        tag=_CONNECTIONS,
        summary="List connections",
        answer="Connection",
        is_list=True,
        query=ConnectionsQuery,
    ),
    Operation(
        name="get_connection",
        method="GET",
        path="/connections/{connection_id}",
        tag=_CONNECTIONS,
        summary="Get a connection",
        answer="Connection",
        codes=("connection_not_found",),
    ),
    Operation(
        name="delete_connection",
        method="DELETE",
        path="/connections/{connection_id}",
        tag=_CONNECTIONS,
        summary="Delete a connection",
        status=204,
        codes=("connection_not_found",),
    ),
    Operation(
        name="create_admin_portal_token",
        method="POST",
        path=_TOKEN_PATH,
        tag=_TOKENS,
        summary="Mint a setup link",
        status=201,
        answer="MintedAdminPortalToken",
        body=SetupLinkIn,
        codes=(
            "project_not_found",
            "organization_not_found",
            "ttl_out_of_range",
            "intent_not_available",
            "url_forbidden",
        ),
        once=frozenset({"token", "url"}),
        example={
            "organization_id": "org_01JD8Z6R3V5T7X9B1D3F5H7K9M",
            "it_admin_email": "admin@acme.example",
            "ttl_seconds": 86400,
            "return_url": "https://app.example.com/settings",
        },
        ours=True,
    ),
    Operation(
        name="list_admin_portal_tokens",
        method="GET",
        path=_TOKEN_PATH,
        tag=_TOKENS,
        summary="List setup links",
        answer="AdminPortalToken",
        is_list=True,
        query=SetupLinksQuery,
        ours=True,
    ),
    Operation(
        name="get_admin_portal_token",
        method="GET",
        path=_TOKEN_PATH + "/{token_id}",
        tag=_TOKENS,
        summary="Get a setup link",
        answer="AdminPortalToken",
        codes=("token_not_found",),
        ours=True,
    ),
    Operation(
        name="revoke_admin_portal_token",
        method="DELETE",
        path=_TOKEN_PATH + "/{token_id}",
        tag=_TOKENS,
        summary="Revoke a setup link",
        status=204,
        codes=("token_not_found",),
        ours=True,
    ),
    Operation(
        name="generate_portal_link",
        method="POST",
        path="/portal/generate_link",
        tag=_TOKENS,
        summary="Make a session link for somebody who is signed in to your product",
        status=201,
        answer="PortalLink",
        body=SessionLinkIn,
        codes=("organization_not_found", "intent_not_available", "url_forbidden"),
        once=frozenset({"link"}),
        example={
            "organization": "org_01JD8Z6R3V5T7X9B1D3F5H7K9M",
            "intent": "sso",
            "return_url": "https://app.example.com/settings",
            "external_user_id": "user-7",
        },
    ),
    Operation(
        name="revoke_portal_link",
        method="POST",
        path="/portal/revoke_link",
        tag=_TOKENS,
        summary="End somebody's session links, and the visits over them",
        status=204,
        body=SessionLinkRevokedIn,
        codes=("organization_not_found",),
        example={"organization": "org_01JD8Z6R3V5T7X9B1D3F5H7K9M", "external_user_id": "user-7"},
    ),
    Operation(
        name="list_redirect_uris",
        method="GET",
        path="/redirect_uris",
        tag=_REDIRECTS,
        summary="List redirect URIs",
        answer="RedirectUri",
        is_list=True,
        query=PageQuery,
        ours=True,
    ),
    Operation(
        name="create_redirect_uri",
        method="POST",
        path="/redirect_uris",
        tag=_REDIRECTS,
        summary="Register a redirect URI",
        status=201,
        answer="RedirectUri",
        body=RedirectUriIn,
        codes=("duplicate_redirect_uri",),
        example={"uri": "https://app.example.com/callback", "default": True},
        ours=True,
    ),
    Operation(
        name="delete_redirect_uri",
        method="DELETE",
        path="/redirect_uris/{redirect_uri_id}",
        tag=_REDIRECTS,
        summary="Remove a redirect URI",
        status=204,
        codes=("redirect_uri_not_found",),
        ours=True,
    ),
    Operation(
        name="list_sign_in_attempts",
        method="GET",
        path="/sign_in_attempts",
        tag=_SIGN_INS,
        summary="List sign-in attempts",
        answer="SignInAttempt",
        is_list=True,
        query=SignInAttemptsQuery,
        ours=True,
    ),
    Operation(
        name="get_sign_in_attempt",
        method="GET",
        path="/sign_in_attempts/{attempt_id}",
        tag=_SIGN_INS,
        summary="Get a sign-in attempt",
        answer="SignInAttempt",
        codes=("sign_in_attempt_not_found",),
        ours=True,
    ),
    Operation(
        name="list_webhook_endpoints",
        method="GET",
        path="/webhook_endpoints",
        tag=_ENDPOINTS,
        summary="List webhook endpoints",
        answer="WebhookEndpoint",
        is_list=True,
        query=PageQuery,
    ),
    Operation(
        name="create_webhook_endpoint",
        method="POST",
        path="/webhook_endpoints",
        tag=_ENDPOINTS,
        summary="Create a webhook endpoint",
        status=201,
        answer="WebhookEndpoint",
        body=WebhookEndpointIn,
        codes=("duplicate_endpoint", "invalid_url", "invalid_request_parameters"),
        once=frozenset({"secret"}),
        example={
            "endpoint_url": "https://app.example.com/webhooks",
            "events": ["sso.connection.created", "connection.*"],
        },
    ),
    Operation(
        name="get_webhook_endpoint",
        method="GET",
        path="/webhook_endpoints/{endpoint_id}",
        tag=_ENDPOINTS,
        summary="Get a webhook endpoint",
        answer="WebhookEndpoint",
        codes=("webhook_endpoint_not_found",),
    ),
    Operation(
        name="update_webhook_endpoint",
        method="PATCH",
        path="/webhook_endpoints/{endpoint_id}",
        tag=_ENDPOINTS,
        summary="Change a webhook endpoint",
        answer="WebhookEndpoint",
        body=WebhookEndpointChangesIn,
        codes=(
            "webhook_endpoint_not_found",
            "duplicate_endpoint",
            "invalid_url",
            "invalid_request_parameters",
        ),
        example={"status": "disabled"},
    ),
    Operation(
        name="delete_webhook_endpoint",
        method="DELETE",
        path="/webhook_endpoints/{endpoint_id}",
        tag=_ENDPOINTS,
        summary="Delete a webhook endpoint",
        status=204,
        codes=("webhook_endpoint_not_found",),
    ),
    Operation(
        name="list_events",
        method="GET",
        path="/events",
        tag=_EVENTS,
        summary="List events, oldest first",
        answer="Event",
        is_list=True,
        query=EventsQuery,
    ),
)

OPERATIONS: Mapping[str, Operation] = {operation.name: operation for operation in _ALL}
"""Every operation by its name."""
