"""What an ending looks like in the browser: back to the product, to the test's page, or a page of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.httpexceptions import HTTPFound
from pyramid.response import Response

from authio.protocols.oidc_refused import OidcRefused
from authio.protocols.refusals import SignInRefused
from authio.services.sign_ins import Ending
from authio.views.sso.pages import refusal_page
from authio.wire.oauth import error_back, redirect_back

_TOLD: Mapping[str, str] = {
    "access_denied": "access_denied",
    "connection_unlinked": "connection_unlinked",
    "profile_not_allowed_outside_organization": "profile_not_allowed_outside_organization",
    "oidc_token_request": "oauth_failed",
}
"""Refusals that the product is told, by its name for them. Of all others only a page of ours speaks."""
_TOLD_IN_PARTICULAR: Mapping[tuple[str, str], str] = {
    ("access_denied", "consent_required"): "signin_consent_denied",
    ("access_denied", "server_error"): "server_error",
    ("access_denied", "temporarily_unavailable"): "server_error",
    ("access_denied", "invalid_request"): "oauth_failed",
    ("access_denied", "unauthorized_client"): "oauth_failed",
    ("access_denied", "unsupported_response_type"): "oauth_failed",
    ("access_denied", "invalid_scope"): "oauth_failed",
    ("oidc_jwks", "unreachable"): "oauth_failed",
    ("oidc_jwks", "malformed"): "oauth_failed",
    ("oidc_userinfo", "unreachable"): "oauth_failed",
    ("oidc_userinfo", "malformed"): "oauth_failed",
}


def arrive(request: Any, ending: Ending) -> Response:
    """The answer to the browser that brought the identity provider's."""
    if ending.is_test:
        return HTTPFound(f"{request.registry.runtime.settings.base_url}/setup/test/{ending.attempt_id}")
    if ending.refused is None:
        return HTTPFound(redirect_back(ending.redirect_uri, code=ending.code, state=ending.state))
    error = told_as(ending.refused)
    if error is None or not ending.redirect_uri:
        return refusal_page(request, ending.refused, attempt_id=ending.attempt_id)
    return HTTPFound(error_back(ending.redirect_uri, error, state=ending.state))


def told_as(refused: SignInRefused) -> str | None:
    """What the product hears of a refusal; None if the browser stays with us."""
    check = refused.check if isinstance(refused, OidcRefused) else ""
    return _TOLD_IN_PARTICULAR.get((refused.code, check), _TOLD.get(refused.code))
