"""Redirect URIs on the wire, both ways."""

from __future__ import annotations

from typing import Any

import colander

from authio.clock import wire_time
from authio.protocols.redirect_uris import LONGEST
from authio.wire.fields import Flag, Text, optional, required


def redirect_uri_out(row: Any) -> dict[str, Any]:
    """The RedirectUri object."""
    return {
        "object": "redirect_uri",
        "id": row.id,
        "uri": row.uri,
        "default": row.is_default,
        "created_at": wire_time(row.created_at),
        "updated_at": wire_time(row.created_at),
    }


class RedirectUriIn(colander.MappingSchema):
    """The body that registers a redirect URI."""

    uri = required(
        Text(most=LONGEST),
        description="An absolute https address, or http on a loopback address. One * may stand for the first "
        "label of the host, or for the port of a loopback address.",
    )
    default = optional(
        Flag(),
        default=False,
        description="true: people whose sign-in did not begin at your product are sent here.",
    )
