"""Signing in as the OpenAPI document has it: four addresses whose dialect is OAuth's, not the API's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from authio.wire.oauth import AUTHORIZE_ERRORS, TOKEN_ERRORS

TAG: Final = "Signing in"
_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_MAYBE: Final[Mapping[str, Any]] = {"type": ["string", "null"]}
_ANYTHING: Final[Mapping[str, Any]] = {"type": "object", "additionalProperties": True}
_ROLE: Final[Mapping[str, Any]] = {"type": "null", "description": "Taken by existing clients; always null."}


def _closed(fields: Mapping[str, Any], *, optional: Iterable[str] = ()) -> dict[str, Any]:
    left_out = set(optional)
    return {
        "type": "object",
        "required": [name for name in fields if name not in left_out],
        "properties": dict(fields),
        "additionalProperties": False,
    }


SCHEMAS: Final[Mapping[str, Any]] = {
    "Profile": _closed(
        {
            "object": {"const": "profile"},
            "id": {"type": "string", "description": "This person over this connection, for good."},
            "organization_id": _TEXT,
            "connection_id": _TEXT,
            "connection_type": _TEXT,
            "idp_id": {"type": "string", "description": "The identity provider's own name for the person."},
            "email": _TEXT,
            "first_name": _MAYBE,
            "last_name": _MAYBE,
            "name": _MAYBE,
            "groups": {"type": "array", "items": _TEXT},
            "custom_attributes": _ANYTHING,
            "raw_attributes": _ANYTHING,
            "role": _ROLE,
            "roles": _ROLE,
            "issuer": _TEXT,
            "email_domain_verified": {"type": "boolean"},
        }
    ),
    "Token": _closed(
        {
            "token_type": {"const": "Bearer"},
            "access_token": _TEXT,
            "expires_in": {"type": "integer"},
            "profile": {"$ref": "#/components/schemas/Profile"},
            "id_token": {"type": "string", "description": "For a sign-in that was begun with a nonce."},
        },
        optional=("id_token",),
    ),
    "TokenError": _closed(
        {
            "error": {"enum": sorted(TOKEN_ERRORS)},
            "error_description": _TEXT,
            "message": _TEXT,
            "request_id": _TEXT,
        }
    ),
    "ProfileError": _closed({"error": {"const": "Unauthorized"}, "message": _TEXT, "request_id": _TEXT}),
    "KeySet": _closed({"keys": {"type": "array", "items": {"type": "object"}}}),
}

_AUTHORIZE: Final[Mapping[str, tuple[bool, str]]] = {
    "client_id": (True, "The project's."),
    "redirect_uri": (True, "A registered one."),
    "response_type": (True, "code"),
    "connection": (False, "Over this connection."),
    "organization": (False, "Over this organization's only connection."),
    "provider": (False, "Over the project's only connection of this type."),
    "state": (False, "Comes back byte for byte."),
    "login_hint": (False, "The person's address; without a selector its domain selects."),
    "domain_hint": (False, "Handed on to OpenID providers."),
    "prompt": (False, "login: credentials are asked for in any case."),
    "nonce": (False, "Has an id_token come with the access token."),
    "code_challenge": (False, "PKCE."),
    "code_challenge_method": (False, "S256"),
}
_EXCHANGE: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["grant_type", "code"],
    "properties": {
        "grant_type": {"const": "authorization_code"},
        "code": _TEXT,
        "client_id": _TEXT,
        "client_secret": {"type": "string", "description": "An API key of the project."},
        "code_verifier": _TEXT,
        "redirect_uri": {"type": "string", "description": "If sent, the one that the code was made for."},
    },
}


def paths() -> dict[str, Any]:
    """The addresses, under ``/v1`` like all others; they are at the root as well."""
    return {
        "/v1/sso/authorize": {"get": _authorize()},
        "/v1/sso/token": {
            "post": {
                "operationId": "exchange_code",
                "summary": "Exchange a code for the profile",
                "tags": [TAG],
                "security": [{}, {"clientBasic": []}],
                "requestBody": {
                    "required": True,
                    "content": {
                        kind: {"schema": _EXCHANGE}
                        for kind in ("application/x-www-form-urlencoded", "application/json")
                    },
                },
                "responses": {"200": _answer("Done.", "Token"), "400": _answer("Refused.", "TokenError")},
            }
        },
        "/v1/sso/profile": {
            "get": {
                "operationId": "get_profile",
                "summary": "Get the profile that an access token stands for",
                "tags": [TAG],
                "security": [{"accessToken": []}],
                "responses": {
                    "200": _answer("Done.", "Profile"),
                    "401": _answer("The access token is missing or has ended.", "ProfileError"),
                },
            }
        },
        "/v1/sso/jwks/{client_id}": {
            "get": {
                "operationId": "get_key_set",
                "summary": "Get the keys that a project's ID tokens are signed with",
                "tags": [TAG],
                "security": [],
                "parameters": [{"name": "client_id", "in": "path", "required": True, "schema": _TEXT}],
                "responses": {
                    "200": _answer("Done.", "KeySet"),
                    "404": _answer("No project has this client_id.", "Error"),
                },
            }
        },
    }


SECURITY: Final[Mapping[str, Any]] = {
    "accessToken": {"type": "http", "scheme": "bearer", "description": "An access token, at_..."},
    "clientBasic": {"type": "http", "scheme": "basic", "description": "The client_id and an API key."},
}


def _authorize() -> dict[str, Any]:
    errors = "\n".join(f"- `{error}`: {meaning}" for error, meaning in AUTHORIZE_ERRORS.items())
    return {
        "operationId": "begin_sign_in",
        "summary": "Send the browser here to sign somebody in",
        "tags": [TAG],
        "security": [],
        "description": f"What can come back to redirect_uri as `error`:\n\n{errors}",
        "parameters": [
            {"name": name, "in": "query", "required": needed, "description": text, "schema": _TEXT}
            for name, (needed, text) in _AUTHORIZE.items()
        ],
        "responses": {
            "200": {"description": "A page that posts to the identity provider by itself."},
            "302": {
                "description": "To the identity provider; or back to redirect_uri, with error and state."
            },
            "400": {"description": "A page: no such client_id or redirect_uri, or state is too long."},
        },
    }


def _answer(description: str, schema: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }
