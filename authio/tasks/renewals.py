"""Looking after live SAML connections: reminders of certificates that end, and metadata read anew."""

from __future__ import annotations

import logging

from authio.protocols.findings import Refused
from authio.protocols.saml import SamlSettings, read_metadata
from authio.services.connections import service_provider
from authio.services.fetching import fetcher
from authio.services.renewals import Look
from authio.tasks.environment import Environment

logger = logging.getLogger(__name__)

AT_ONCE = 100


def look_after_connections(environment: Environment, *connection_ids: str) -> None:
    """Look after these connections, or after all that are due."""
    if not connection_ids:
        with environment.begin(write=False) as services:
            connection_ids = tuple(services.renewals.due(AT_ONCE))
    for connection_id in connection_ids:
        try:
            _look_after(environment, connection_id)
        except Exception:
            # Its turn comes again within the hour; the others are not to wait for that.
            logger.exception("Connection %s could not be looked after.", connection_id)


def _look_after(environment: Environment, connection_id: str) -> None:
    with environment.begin() as services:
        look = services.renewals.begin(connection_id)
    if look is None or not look.settings.metadata_url:
        return
    try:
        found = _read(environment, look)
    except Refused as refused:
        with environment.begin() as services:
            services.renewals.unreadable(look, refused.findings[0].code)
        return
    with environment.begin() as services:
        services.renewals.read(look, found)


def _read(environment: Environment, look: Look) -> SamlSettings:
    """What the metadata address says now. No transaction is open meanwhile."""
    fetch = fetcher(environment.outbound)
    address = look.settings.metadata_url
    own = service_provider(environment.settings.base_url, look.row.id).entity_id
    return read_metadata(
        fetch(address).body,
        now=environment.clock.now(),
        own_entity_id=own,
        entity_id=look.settings.idp_entity_id,
        metadata_url=address,
        allow=environment.settings.outbound_allow,
    ).settings
