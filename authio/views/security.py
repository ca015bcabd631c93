"""Who is asking: the API key behind a request of the management API."""

from __future__ import annotations

import logging
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from authio.db import unavailable
from authio.errors import Unauthorized
from authio.services.actor import Actor, ActorType

logger = logging.getLogger(__name__)

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="authio"'}


def includeme(config: Configurator) -> None:
    """``request.api_key``: the live key this request was sent with, or Unauthorized."""
    config.add_request_method(_api_key, "api_key", reify=True)


def _api_key(request: Request) -> Any:
    """The key's row. From here on the key is who acts.

    It is looked up anew for every request, so that a revoked key is worthless at once, and in a
    transaction of its own, so that whoever has none never gets to hold a lock.
    """
    secret = _bearer(request)
    runtime = request.registry.runtime
    with runtime.begin(write=False) as services:
        try:
            key = services.projects.key_of(secret)
        except Unauthorized as refused:
            refused.headers.update(_CHALLENGE)
            raise
        stale = services.projects.is_use_stale(key)
    request.caller = Actor(
        ActorType.API_KEY,
        id=key.id,
        name=key.name or None,
        ip_address=request.remote_addr,
        user_agent=request.user_agent,
        request_id=request.id,
    )
    if stale:
        _note_used(request, key)
    return key


def _bearer(request: Request) -> str:
    """What stands behind ``Bearer``. Several credentials in one request are no credential.

    The header is read as it came: a server joins two of them with a comma, which is in no key.
    """
    scheme, _, secret = request.environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthorized("missing_api_key", headers=_CHALLENGE)
    return secret.strip()


def _note_used(request: Request, key: Any) -> None:
    """Write down the use, at most once a minute. A database that takes no writes still answers reads."""
    try:
        with request.registry.runtime.begin(write=True) as services:
            services.projects.note_used(key)
    except Exception as error:
        if unavailable(error) is None:
            raise
        logger.warning("%s: the use of an API key could not be written down.", request.id)
