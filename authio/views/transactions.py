"""How a request meets the database: by pyramid_tm, or by one explicit transaction on the hot routes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyramid.config import Configurator
from pyramid_retry import mark_error_retryable
from sqlalchemy import exc

from authio.services import Services
from authio.services.actor import Actor, ActorType

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Serialisation failure and deadlock: the same request, tried again, may well succeed.
_RETRYABLE_STATES = frozenset({"40001", "40P01"})


def includeme(config: Configurator) -> None:
    """Install pyramid_tm for all but the hot routes, and ``request.services`` and ``request.begin``."""
    config.add_settings({"tm.activate_hook": uses_pyramid_tm})
    config.include("pyramid_tm")
    config.add_request_method(_caller, "caller", reify=True)
    config.add_request_method(_services, "services", reify=True)
    config.add_request_method(_begin, "begin")


_SIGN_IN = re.compile(
    r"(?:/v1)?/sso/(?:authorize|token|profile|jwks/[^/]*|[^/]*/start|saml/[^/]*/acs|oidc/[^/]*/callback)/?"
)
"""The paths of a sign-in, from the product and back to it."""


def uses_pyramid_tm(request: Any) -> bool:
    """Whether pyramid_tm spans this request.

    It does not span what has to fetch from elsewhere before it writes (the portal's forms, answers of
    identity providers), because an open transaction never waits for somebody else's server, nor the mint
    and the steps of a sign-in, where its cost shows.
    """
    if _SIGN_IN.fullmatch(request.path_info):
        return False
    if request.method != "POST":
        return not request.path_info.startswith("/static/")
    path = request.path_info
    return not (path.startswith("/setup/") or path.endswith("/sso/admin-portal/tokens"))


def _caller(request: Any) -> Actor:
    """Who sends this request, before any credential was looked at."""
    return Actor(
        ActorType.ANONYMOUS,
        ip_address=request.remote_addr,
        user_agent=request.user_agent,
        request_id=request.id,
    )


def _services(request: Any) -> Services:
    """Services over the request's own transaction. Portal pages write, too: each view is an audit row."""
    runtime = request.registry.runtime
    write = request.method not in SAFE_METHODS or request.path_info.startswith("/setup/")
    return Services(runtime.database.joined(request.tm, write=write), runtime.parts, request.caller)


@contextmanager
def _begin(request: Any, *, write: bool) -> Iterator[Services]:
    """One explicit transaction, for routes that pyramid_tm does not span."""
    try:
        with request.registry.runtime.begin(write=write, actor=request.caller) as services:
            yield services
    except exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _RETRYABLE_STATES:
            mark_error_retryable(error)
        raise
