"""Webhook endpoints on the wire, both ways."""

from __future__ import annotations

from typing import Any

import colander

from authio.clock import wire_time
from authio.wire.fields import List, OneOf, Text, optional, required

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


_URL = "Where events are posted to: an absolute https address."
_EVENTS = "Event types, beginnings such as connection.*, or * for all."


class WebhookEndpointIn(colander.MappingSchema):
    """The body that makes an endpoint."""

    endpoint_url = required(Text(most=LONGEST_URL), description=_URL)
    events = required(
        List(least=1, most=MOST_EVENTS), required(Text(most=80), name="event"), description=_EVENTS
    )


class WebhookEndpointChangesIn(colander.MappingSchema):
    """The body that changes one: what is absent stays as it is."""

    endpoint_url = optional(Text(most=LONGEST_URL), description=_URL)
    events = optional(
        List(least=1, most=MOST_EVENTS), required(Text(most=80), name="event"), description=_EVENTS
    )
    status = optional(
        Text(most=20),
        validator=OneOf(("enabled", "disabled")),
        description="enabled, or disabled: nothing is sent.",
    )
