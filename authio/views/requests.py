"""What every request gets, whatever face answers it: an id, common headers, and one line in the log."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW, INGRESS

from authio.ids import new_id
from authio.views.errors import answer_to

access = logging.getLogger("authio.access")

_COMMON = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ("Cache-Control", "no-store"),
)
_HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
_MASK = "***"
# Whatever looks like one of our secrets, wherever in a path somebody put it.
_SECRET = re.compile(r"\b(apl|sk|whsec)_[^/]+")


class LeanRequest(Request):
    """A request whose body, unless it is a large one, is kept in memory and not in a temporary file."""

    request_body_tempfile_limit = 1024 * 1024


def includeme(config: Configurator) -> None:
    """Put the tween around everything else, and ``request.id`` on every request."""
    config.set_request_factory(LeanRequest)
    config.add_request_method(_id, "id", reify=True)
    config.add_tween(
        "authio.views.requests.tween_factory", under=INGRESS, over=["pyramid_tm.tm_tween_factory", EXCVIEW]
    )


def _id(request: Request) -> str:
    """This request's id. Ours always: one that a caller brings could be anything, and anybody's."""
    # Kept where a second attempt at the same request finds it.
    return str(request.environ.setdefault("authio.request_id", new_id("request")))


def tween_factory(handler: Callable[[Request], Response], registry: Any) -> Callable[[Request], Response]:
    """Answers whatever went wrong outside of views, adds the headers and writes the log line."""
    headers = [*_COMMON, _HSTS] if registry.runtime.settings.secure else [*_COMMON]

    def tween(request: Request) -> Response:
        started = time.perf_counter()
        try:
            response = handler(request)
        except Exception as error:  # noqa: BLE001 - the outer edge: whatever it was, the caller gets an answer
            response = answer_to(request, error)
        response.headers["X-Request-ID"] = request.id
        for name, value in headers:
            response.headers.setdefault(name, value)
        if access.isEnabledFor(logging.INFO):
            access.info("%s", _line(request, response, time.perf_counter() - started))
        return response

    return tween


def _line(request: Request, response: Response, seconds: float) -> str:
    actor = request.__dict__.get("caller")
    return json.dumps(
        {
            "request": request.id,
            "method": request.method,
            "path": shown_path(request),
            "status": response.status_int,
            "ms": round(seconds * 1000, 1),
            "address": request.remote_addr,
            "actor": None if actor is None else actor.id,
        }
    )


def shown_path(request: Request) -> str:
    """The path without secrets: a token in it is masked. Query strings are never written down."""
    path = request.environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
    token = (getattr(request, "matchdict", None) or {}).get("token")
    if token:
        path = path.replace(token, _MASK)
    return _SECRET.sub(lambda found: f"{found[1]}_{_MASK}", path)
