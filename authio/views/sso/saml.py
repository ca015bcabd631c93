"""Our own SAML metadata, one document per connection."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import NotFound
from authio.ids import with_ulid
from authio.protocols.saml import sp_metadata
from authio.services.connections import service_provider

# It follows from the connection's id alone and never changes, so whoever polls it may keep it for a while.
_KEPT_FOR = 3600


@view_config(route_name="sso.saml.metadata", request_method="GET")
def show_sp_metadata(request: Request) -> Response:
    """The service provider that a connection's identity provider is to trust; of drafts too."""
    connection_id = with_ulid("connection", request.matchdict["ulid"])
    if connection_id is None or request.services.connections.any_by_id(connection_id) is None:
        raise NotFound("connection_not_found")
    us = service_provider(request.registry.runtime.settings.base_url, connection_id)
    response = Response(
        sp_metadata(entity_id=us.entity_id, acs_url=us.acs_url),
        content_type="application/samlmetadata+xml",
        charset="utf-8",
    )
    response.cache_control = f"public, max-age={_KEPT_FOR}"
    return response
