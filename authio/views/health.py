"""Is this process able to work? For load balancers; without a credential, and without detail."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config


@view_config(route_name="health", request_method="GET")
def show_health(request: Request) -> Response:
    """200 while the database answers; else the error that every route would give, 503."""
    with request.registry.runtime.begin(write=False) as services:
        services.projects.reachable()
    return Response(b'{"status":"ok"}', content_type="application/json")
