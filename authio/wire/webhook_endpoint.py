"""Webhook endpoints on the wire, both ways."""

from __future__ import annotations

from typing import Any

import colander

from authio.clock import wire_time

LONGEST_URL = 2048
MOST_EVENTS = 100


def webhook_endpoint_out(endpoint: Any) -> dict[str, Any]:
    """The WebhookEndpoint object. Its signing secret is part of it each time: SDKs read it there."""
    return {
        "object": "webhook_endpoint",
        "id": endpoint.id,
        "endpoint_url": endpoint.url,
        "secret": endpoint.secret,
        "status": endpoint.status,
        "events": list(endpoint.events),
        "created_at": wire_time(endpoint.created_at),
        "updated_at": wire_time(endpoint.updated_at),
    }


def _url(**options: Any) -> colander.SchemaNode:
    return colander.SchemaNode(
        colander.String(),
        name="endpoint_url",
        validator=colander.Length(min=1, max=LONGEST_URL),
        description="Where events are posted to: an absolute https address.",
        **options,
    )


def _events(**options: Any) -> colander.SchemaNode:
    return colander.SchemaNode(
        colander.Sequence(),
        colander.SchemaNode(colander.String(), name="event", validator=colander.Length(min=1, max=80)),
        name="events",
        validator=colander.Length(min=1, max=MOST_EVENTS),
        description="Event types, beginnings such as connection.*, or * for all.",
        **options,
    )


class WebhookEndpointIn(colander.MappingSchema):
    """The body that makes an endpoint."""

    endpoint_url = _url()
    events = _events()


class WebhookEndpointChangesIn(colander.MappingSchema):
    """The body that changes one: what is absent stays as it is."""

    endpoint_url = _url(missing=colander.drop)
    events = _events(missing=colander.drop)
    status = colander.SchemaNode(
        colander.String(),
        validator=colander.OneOf(("enabled", "disabled")),
        missing=colander.drop,
        description="enabled, or disabled: nothing is sent.",
    )
