"""The portal's two cookies: the portal session, and the visitor that form tokens are bound to."""

from __future__ import annotations

import re
from typing import Any

from authio.crypto import new_token

_SESSION = "authio_portal"
_VISITOR = "authio_visitor"
_VISITOR_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def session_cookie(request: Any) -> str | None:
    """The value that proves a portal session, if the browser sent one."""
    value: str | None = request.cookies.get(_name(request, _SESSION))
    return value


def hand_session(request: Any, response: Any, value: str) -> None:
    """Give the browser a portal session's value; it forgets it when it closes."""
    _hand(request, response, _SESSION, value)


def visitor(request: Any) -> str:
    """A random value this browser holds from its first page on. It says nothing about who it is."""
    known: str | None = getattr(request, "_authio_visitor", None)
    if known is None:
        known = request.cookies.get(_name(request, _VISITOR), "")
        if not _VISITOR_SHAPE.fullmatch(known):
            known = new_token("")
            fresh = known
            request.add_response_callback(lambda request, response: _hand(request, response, _VISITOR, fresh))
        request._authio_visitor = known
    return known


def _name(request: Any, name: str) -> str:
    # The prefix makes browsers insist on Secure, on no Domain and on the path /, so that neither plain http
    # nor a neighbouring host can plant the cookie.
    return name if request.registry.runtime.settings.plain_http_cookies else f"__Host-{name}"


def _hand(request: Any, response: Any, name: str, value: str) -> None:
    response.set_cookie(
        _name(request, name),
        value,
        path="/",
        secure=not request.registry.runtime.settings.plain_http_cookies,
        httponly=True,
        samesite="Lax",
    )
