"""The objects that answers are made of, as JSON Schema. Tests hold every real answer against them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authio.models import AttemptKind, AttemptStatus, ConnectionState, DomainState, LinkState

_EXAMPLE = "01JD8Z6R3V5T7X9B1D3F5H7K9M"
_TIME: Mapping[str, Any] = {
    "type": "string",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
    "examples": ["2026-01-15T12:00:00.000Z"],
}
_TEXT: Mapping[str, Any] = {"type": "string"}
_MAYBE: Mapping[str, Any] = {"type": ["string", "null"]}


def _id(prefix: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{prefix}_[0-9A-Z]{{26}}$", "examples": [f"{prefix}_{_EXAMPLE}"]}


def _one_of(words: Any) -> dict[str, Any]:
    return {"type": "string", "enum": [str(word) for word in words]}


def _object(
    name: str, fields: Mapping[str, Any], *, optional: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["object", *fields],
        "properties": {"object": {"const": name}, **fields, **(optional or {})},
        "additionalProperties": False,
    }


_STAMPS = {"created_at": _TIME, "updated_at": _TIME}

_LINK = {
    "id": _id("apt"),
    "project_id": _id("proj"),
    "organization_id": _id("org"),
    "intents": {"type": "array", "items": _one_of(["sso"])},
    "state": _one_of(LinkState),
    "expires_at": _TIME,
    "created_at": _TIME,
}
_LINK_OPTIONAL = {
    "it_admin_email": _TEXT,
    "return_url": _TEXT,
    "success_url": _TEXT,
    "locale": _TEXT,
    "connection_id": _id("conn"),
}
_ACTOR = {
    "type": "object",
    "required": ["id", "source", "name"],
    "properties": {
        "id": _TEXT,
        "source": _one_of(["api", "dashboard", "admin_portal", "system"]),
        "name": _MAYBE,
    },
}

OBJECTS: Mapping[str, dict[str, Any]] = {
    "Error": {
        "type": "object",
        "required": ["message", "code", "request_id"],
        "properties": {
            "message": {"type": "string", "description": "A sentence for people. It may change."},
            "code": {"type": "string", "description": "Stable; see the table of errors."},
            "request_id": _id("req"),
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "code", "message"],
                    "properties": {"field": _TEXT, "code": _TEXT, "message": _TEXT},
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
    },
    "OrganizationDomain": _object(
        "organization_domain",
        {
            "id": _id("org_domain"),
            "organization_id": _id("org"),
            "domain": _TEXT,
            "state": _one_of(DomainState),
            "verification_strategy": _one_of(["dns", "manual"]),
            **_STAMPS,
        },
    ),
    "Organization": _object(
        "organization",
        {
            "id": _id("org"),
            "name": _TEXT,
            "allow_profiles_outside_organization": {"type": "boolean"},
            "domains": {"type": "array", "items": {"$ref": "#/components/schemas/OrganizationDomain"}},
            "metadata": {"type": "object", "additionalProperties": _TEXT},
            "external_id": _MAYBE,
            **_STAMPS,
        },
    ),
    "Connection": _object(
        "connection",
        {
            "id": _id("conn"),
            "organization_id": _id("org"),
            "connection_type": {"type": "string", "examples": ["GenericSAML"]},
            "name": _TEXT,
            "state": _one_of(state for state in ConnectionState if state is not ConnectionState.DRAFT),
            "status": _one_of(["linked", "unlinked"]),
            "domains": {
                "type": "array",
                "items": _object("connection_domain", {"id": _id("conn_domain"), "domain": _TEXT}),
            },
            **_STAMPS,
        },
    ),
    "AdminPortalToken": _object("admin_portal_token", _LINK, optional=_LINK_OPTIONAL),
    "MintedAdminPortalToken": _object(
        "admin_portal_token",
        _LINK,
        optional={
            **_LINK_OPTIONAL,
            "token": {"type": "string", "description": "Shown in this answer, and never again."},
            "url": {"type": "string", "description": "What you send to the IT admin. Shown once too."},
        },
    ),
    "WebhookEndpoint": _object(
        "webhook_endpoint",
        {
            "id": _id("we"),
            "endpoint_url": _TEXT,
            "status": _one_of(["enabled", "disabled"]),
            "events": {"type": "array", "items": _TEXT},
            **_STAMPS,
        },
        optional={"secret": {"type": "string", "description": "Signs what is sent: whsec_ and base64."}},
    ),
    "PortalLink": {
        "type": "object",
        "properties": {
            "link": {"type": "string", "format": "uri", "description": "Opens the portal, for 5 minutes."}
        },
        "additionalProperties": False,
    },
    "RedirectUri": _object(
        "redirect_uri", {"id": _id("ruri"), "uri": _TEXT, "default": {"type": "boolean"}, **_STAMPS}
    ),
    "SignInAttempt": _object(
        "sign_in_attempt",
        {
            "id": _id("attempt"),
            "organization_id": _id("org"),
            "connection_id": _id("conn"),
            "kind": _one_of(AttemptKind),
            "protocol": _one_of(["saml", "oidc"]),
            "status": _one_of(AttemptStatus),
            "idp_initiated": {"type": "boolean"},
            "email": _MAYBE,
            "ip_address": _MAYBE,
            "user_agent": _MAYBE,
            "error": {
                "type": ["object", "null"],
                "required": ["code", "message", "found", "expected"],
                "properties": {"code": _TEXT, "message": _TEXT, "found": _MAYBE, "expected": _MAYBE},
                "additionalProperties": False,
            },
            "steps": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["step", "at"],
                    "properties": {"step": _one_of(["sent", "identified", "refused"]), "at": _TIME},
                },
                "description": "What was sent and what came back. Empty once the details are forgotten.",
            },
            "created_at": _TIME,
            "finished_at": {"type": ["string", "null"]},
        },
    ),
    "Event": _object(
        "event",
        {
            "id": _id("event"),
            "event": {"type": "string", "examples": ["connection.activated"]},
            "created_at": _TIME,
            "project_id": _id("proj"),
            "organization_id": {"type": ["string", "null"]},
            "sequence": {"type": "integer", "minimum": 1},
            "data": {"type": "object"},
        },
        optional={"context": {"type": "object", "properties": {"actor": _ACTOR}}},
    ),
}
"""Every object by its name in the OpenAPI document."""


def list_of(name: str) -> dict[str, Any]:
    """The list envelope around objects called *name*."""
    cursor = {"type": ["string", "null"]}
    return {
        "type": "object",
        "required": ["object", "data", "list_metadata"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}},
            "list_metadata": {
                "type": "object",
                "required": ["before", "after"],
                "properties": {"before": cursor, "after": cursor},
                "additionalProperties": False,
            },
        },
        "additionalProperties": False,
    }
