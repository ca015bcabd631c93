"""Our own SAML metadata, one document per connection."""

from __future__ import annotations

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import NotFound
from authio.ids import with_ulid
from authio.models import KeyUse
from authio.protocols.key_pairs import new_key_pair
from authio.protocols.saml import SamlSettings, sp_metadata
from authio.services import Services
from authio.services.connections import service_provider
from authio.services.targets import Options

# Whoever polls it may keep it for a while: keys change with days of overlap, everything else never.
_KEPT_FOR = 3600


@view_config(route_name="sso.saml.metadata", request_method="GET")
def show_sp_metadata(request: Request) -> Response:
    """The service provider that a connection's identity provider is to trust; of drafts too."""
    connection_id = with_ulid("connection", request.matchdict["ulid"])
    row = None if connection_id is None else request.services.connections.any_by_id(connection_id)
    if connection_id is None or row is None:
        raise NotFound("connection_not_found")
    options = Options.of(row)
    us = service_provider(request.registry.runtime.settings.base_url, connection_id)
    response = Response(
        sp_metadata(
            entity_id=us.entity_id,
            acs_url=us.acs_url,
            signing=_published(request, row, KeyUse.SIGNING) if row.protocol == "saml" else (),
            encryption=_published(request, row, KeyUse.ENCRYPTION) if options.encryption else (),
            signs_requests=options.sign_requests or _asks_for_signatures(request.services, row),
        ),
        content_type="application/samlmetadata+xml",
        charset="utf-8",
    )
    response.cache_control = f"public, max-age={_KEPT_FOR}"
    return response


def _published(request: Request, row: Any, use: KeyUse) -> list[str]:
    """The certificates of our published keys. The first key is made when somebody asks for it."""
    rows = request.services.sp_keys.published(row.id, use)
    if not rows:
        spare = new_key_pair(row.edits_id or row.id, now=request.registry.runtime.parts.clock.now())
        with request.begin(write=True) as services:
            rows = [services.sp_keys.ensure(row, use, spare=spare)]
    return [one.certificate for one in rows]


def _asks_for_signatures(services: Services, row: Any) -> bool:
    settings = services.parts.known.settings(row)
    return isinstance(settings, SamlSettings) and settings.want_authn_requests_signed
