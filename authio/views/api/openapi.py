"""The OpenAPI document, for whoever asks."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from authio.wire import openapi

_KEPT_FOR = 3600


@view_config(route_name="api.openapi", request_method="GET")
def show_openapi(request: Request) -> Response:
    """The document as it is committed under docs/; it holds nothing that needs a key."""
    response = Response(openapi.text().encode(), content_type="application/json", charset=None)
    response.cache_control = f"public, max-age={_KEPT_FOR}"
    return response
