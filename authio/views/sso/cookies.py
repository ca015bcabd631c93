"""The cookie that ties a sign-in to the browser that began it."""

from __future__ import annotations

import re
from typing import Any

from authio.crypto import new_token
from authio.services.attempts import LIFETIME

_NAME = "authio_sso"
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def browser_cookie(request: Any) -> str | None:
    """What this browser was given when it left for an identity provider, if it brings that back."""
    value = request.cookies.get(_name(request))
    return value if value is not None and _SHAPE.fullmatch(value) else None


def hand_browser_cookie(request: Any, response: Any) -> None:
    """Let the browser keep its value for as long as the newest of its sign-ins may take.

    One value serves all sign-ins that are under way in a browser, so that two tabs do not shut each other
    out. What tells the sign-ins apart is never in a cookie.
    """
    plain = request.registry.runtime.settings.plain_http_cookies
    response.set_cookie(
        _name(request),
        leaving_browser(request),
        path="/",
        max_age=int(LIFETIME.total_seconds()),
        secure=not plain,
        httponly=True,
        # Answers over SAML are posted from the identity provider's site. A browser takes None with Secure
        # only, so that on plain http it is Lax: enough for OpenID Connect, and for SAML within one site.
        samesite="Lax" if plain else "None",
    )


def leaving_browser(request: Any) -> str:
    """The value this browser is known by: the one it has, or a new one."""
    known: str | None = getattr(request, "_authio_browser", None)
    if known is None:
        known = request._authio_browser = browser_cookie(request) or new_token("")
    return known


def _name(request: Any) -> str:
    # As for the portal's cookies: with the prefix nobody else can plant one.
    return _NAME if request.registry.runtime.settings.plain_http_cookies else f"__Host-{_NAME}"
