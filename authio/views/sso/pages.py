"""Pages for people on their way in: what went wrong, and the ways onward that a redirect cannot take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pyramid.response import Response

from authio.errors import AuthioError
from authio.protocols.refusals import SignInRefused
from authio.views.portal.pages import CONTENT_SECURITY_POLICY, Frame
from authio.views.templates import our_templates
from authio.wire.error import error_out

_FAILED = "You could not be signed in"
_GENERAL = (
    "The answer of your identity provider could not be accepted. Go back to where you came from and sign in "
    "once more; if it happens again, your IT admin can see what is wrong."
)
_MESSAGES: Mapping[str, str] = {
    "login_session_missing": (
        "This browser did not begin the sign-in, took longer than ten minutes, or does not keep cookies. "
        "Go back to where you came from and sign in once more."
    ),
    "oidc_state_invalid": (
        "This browser did not begin the sign-in, took longer than ten minutes, or does not keep cookies. "
        "Go back to where you came from and sign in once more."
    ),
    "saml_replayed": (
        "This sign-in has been completed before. Go back to where you came from and sign in once more."
    ),
    "access_denied": "Your identity provider did not sign you in. Your IT admin can give you access.",
    "profile_not_allowed_outside_organization": (
        "Your e-mail address does not belong to the organization that you are signing in to."
    ),
    "connection_unlinked": "Single sign-on of your organization is not in use at the moment.",
    "saml_in_response_to": (
        "The sign-in did not begin here, or has ended. Open the product and sign in from there."
    ),
    "redirect_uri_mismatch": (
        "The address that you are to be sent back to is not registered. Whoever runs the product has to "
        "register it."
    ),
    "client_unknown": "The product that sent you here is not known. Its settings have to be mended.",
    "rate_limit_exceeded": "There were too many sign-ins from your network. Wait a minute and try again.",
}


def is_sign_in(request: Any) -> bool:
    """Whether *request* is for an address that browsers are at while somebody signs in."""
    route = getattr(request, "matched_route", None)
    return bool(route is not None and route.name.startswith("sso.") and route.name != "sso.saml.metadata")


def refusal_page(request: Any, refused: SignInRefused, *, attempt_id: str | None) -> Response:
    """An answer that signs nobody in: its code, and nothing of what it said."""
    status = refused.status if refused.status >= 400 else 403
    return _failure(
        request, refused.code, _MESSAGES.get(refused.code, _GENERAL), status=status, reference=attempt_id
    )


def sign_in_error(request: Any, error: AuthioError) -> Response:
    """*error* as a page, or as JSON for whoever prefers that."""
    return _failure(
        request,
        error.code,
        _MESSAGES.get(error.code, error.message),
        status=error.status,
        as_json=error_out(error, request.id),
    )


def onward_page(
    request: Any, href: str, *, to: str, message: str, project: str = "", at_once: bool
) -> Response:
    """A link to *href*, which the browser follows by itself if *at_once*."""
    return _page(
        request,
        "onward",
        title=f"Continue to {to}",
        project=project,
        href=href,
        message=message,
        label="Continue",
        at_once=at_once,
    )


def post_page(request: Any, action: str, fields: Mapping[str, str], *, project: str = "") -> Response:
    """A form with *fields* for the identity provider at *action*, sent by script or by its button."""
    response = _page(
        request,
        "post",
        title="Continue to your identity provider",
        project=project,
        action=action,
        fields=list(fields.items()),
        message="You are being taken to your identity provider.",
        label="Continue",
        onward=request.static_path("authio:static/onward.js"),
    )
    # Browsers hold every hop behind a form against this, and identity providers redirect onwards.
    parts = urlsplit(action)
    places = "https:" if parts.scheme == "https" else f"https: {parts.scheme}://{parts.netloc}"
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
        "form-action 'self'", f"form-action {places}"
    )
    return response


def _failure(
    request: Any,
    code: str,
    message: str,
    *,
    status: int,
    reference: str | None = None,
    as_json: Mapping[str, Any] | None = None,
) -> Response:
    if _prefers_json(request):
        body = as_json or {"message": message, "code": code, "request_id": request.id}
        return Response(json_body=dict(body), status=status)
    return _page(
        request,
        "error",
        status=status,
        title=_FAILED,
        code=code,
        message=message,
        reference=reference or request.id,
    )


def _page(
    request: Any, name: str, *, title: str, status: int = 200, project: str = "", **values: Any
) -> Response:
    templates = our_templates()
    html = templates[f"sso/{name}.pt"].render(
        request=request,
        frame=Frame(project=project),
        page=name,
        title=title,
        stages=[],
        icon_path=request.static_path("authio:static/icon.svg"),
        style=request.static_path("authio:static/portal.css"),
        script=request.static_path("authio:static/portal.js"),
        layout=templates["layout.pt"],
        **values,
    )
    response = Response(html, status=status, content_type="text/html", charset="utf-8")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _prefers_json(request: Any) -> bool:
    offers = request.accept.acceptable_offers(["text/html", "application/json"])
    return bool(offers) and offers[0][0] == "application/json"
