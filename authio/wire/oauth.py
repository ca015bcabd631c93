"""The OAuth face on the wire: what goes back to the product with the browser, and to its backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

AUTHORIZE_ERRORS: Final[Mapping[str, str]] = {
    "invalid_request": "A parameter is missing, repeated, or has a value that is not taken.",
    "unsupported_response_type": "response_type has to be code.",
    "invalid_connection_selector": "Name exactly one of connection, organization and provider.",
    "connection_invalid": "There is no such connection.",
    "organization_invalid": "There is no such organization, or it has no connection.",
    "ambiguous_connection_selector": "The organization has several connections. Name one of them.",
    "connection_unlinked": "The connection is not in use.",
    "domain_connection_selector_not_allowed": "Name the organization instead of a domain.",
    "connection_strategy_invalid": "There are several connections of this type. Name one of them.",
    "access_denied": "The identity provider did not sign the person in.",
    "signin_consent_denied": "The person did not consent to being signed in.",
    "oauth_failed": "The identity provider could not be asked who the person is.",
    "server_error": "The identity provider has failed.",
    "profile_not_allowed_outside_organization": "The e-mail address is outside the organization's domains.",
    "idp_initiated_sso_disabled": "Sign-in has to begin at the product. Send the person to sign in again.",
}
"""What a product is told by way of the browser, each with its fixed description."""

TOKEN_ERRORS: Final[Mapping[str, str]] = {
    "invalid_request": "A parameter is missing, repeated, or has a value that it cannot have.",
    "invalid_client": "The client is unknown, or has not proved itself.",
    "invalid_grant": "The code is unknown, expired, used before, or was made for something else.",
    "unsupported_grant_type": "grant_type has to be authorization_code.",
}
"""What a product's backend is answered with."""


class AuthorizeRefused(Exception):
    """A sign-in that does not begin. The product is told why: a key of :data:`AUTHORIZE_ERRORS`."""

    def __init__(self, error: str) -> None:
        self.error = error
        self.description = AUTHORIZE_ERRORS[error]
        super().__init__(error)


class TokenRefused(Exception):
    """A request for a token that is refused: ``error`` is a key of :data:`TOKEN_ERRORS`."""

    def __init__(self, error: str) -> None:
        self.error = error
        self.description = TOKEN_ERRORS[error]
        super().__init__(error)


def redirect_back(redirect_uri: str, **parameters: str | None) -> str:
    """*redirect_uri* with *parameters* that are not None added to whatever query it has."""
    given = {name: value for name, value in parameters.items() if value is not None}
    # A blank as %20: what was state comes back as state, whichever way the product decodes.
    query = urlencode(given, quote_via=quote, safe="")
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{query}"


def error_back(redirect_uri: str, error: str, *, state: str | None, **more: str) -> str:
    """*redirect_uri* with an error of :data:`AUTHORIZE_ERRORS` and its description."""
    return redirect_back(
        redirect_uri, error=error, error_description=AUTHORIZE_ERRORS[error], state=state, **more
    )


def token_error_out(error: str, request_id: str) -> dict[str, Any]:
    """The body of a refused request for a token. It has no ``code``: clients read that as something else."""
    return {
        "error": error,
        "error_description": TOKEN_ERRORS[error],
        "message": TOKEN_ERRORS[error],
        "request_id": request_id,
    }


def token_out(access_token: str, *, expires_in: int, profile: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a code."""
    return {
        "token_type": "Bearer",
        "access_token": access_token,
        "expires_in": expires_in,
        "profile": dict(profile),
    }
