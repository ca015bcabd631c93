"""Setup links on the wire, ``admin_portal_token``. Token and address are in the mint's answer only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import colander

from authio.clock import wire_time
from authio.models.setup_link import state_at
from authio.protocols.addresses import parsed_or_none
from authio.wire.fields import (
    Email,
    Flag,
    Id,
    List,
    Matches,
    OneOf,
    Text,
    Whole,
    optional,
    refuse,
    required,
)
from authio.wire.page import PageQuery

SHORTEST_LIFE, USUAL_LIFE, LONGEST_LIFE = 300, 86_400, 2_592_000
INTENTS = ("sso",)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def setup_link_out(row: Any, now: datetime) -> dict[str, Any]:
    """The link without token and address, its state as of *now*."""
    body = {
        "object": "admin_portal_token",
        "id": row.id,
        "project_id": row.project_id,
        "organization_id": row.organization_id,
        "intents": row.intents,
        "state": state_at(row, now).value,
        "it_admin_email": row.it_admin_email,
        "return_url": row.return_url,
        "success_url": row.success_url,
        "locale": row.locale,
        "connection_id": row.connection_id,
        "expires_at": wire_time(row.expires_at),
        "created_at": wire_time(row.created_at),
    }
    optional = ("it_admin_email", "return_url", "success_url", "locale", "connection_id")
    return {key: value for key, value in body.items() if value is not None or key not in optional}


def minted_link_out(row: Any, now: datetime, *, token: str, url: str) -> dict[str, Any]:
    """The answer to a mint: the link with its token and address, shown this once."""
    body = setup_link_out(row, now)
    return {"object": body.pop("object"), "id": body.pop("id"), "token": token, "url": url, **body}


def setup_address(base_url: str, token: str) -> str:
    """Where a person opens the link of *token*."""
    return f"{base_url}/setup/{token}"


def browsable(node: Any, url: str) -> None:
    """An absolute https address, or http on a loopback address, for a vendor who is still developing."""
    address = parsed_or_none(url)
    is_local = address is not None and address.scheme == "http" and address.host in _LOOPBACK
    if address is None or not (address.scheme == "https" or is_local):
        refuse(node, "url_forbidden")


class SetupLinkIn(colander.MappingSchema):
    """The body that mints a setup link."""

    organization_id = required(Text(most=64), description="Whose single sign-on is to be set up.")
    project_id = optional(Text(most=64), description="The key's own project, or absent.")
    intents = optional(
        List(least=1, most=10),
        required(Text(most=40), name="intent", validator=OneOf(INTENTS, code="intent_not_available")),
        default=list(INTENTS),
        description="What the link is for.",
    )
    ttl_seconds = optional(
        Whole(SHORTEST_LIFE, LONGEST_LIFE, complaint="ttl_out_of_range"),
        default=USUAL_LIFE,
        description="How long the link lives.",
    )
    it_admin_email = optional(Email(), description="Prefills and fixes the address on the start page.")
    return_url = optional(
        Text(most=2048), validator=browsable, description="Where the way back to your product leads."
    )
    success_url = optional(
        Text(most=2048), validator=browsable, description="Where the IT admin goes when all is done."
    )
    locale = optional(
        Text(most=35),
        validator=Matches(
            r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*",
            "invalid_locale",
            "Must be a language tag such as en or pt-BR.",
        ),
        description="The language of the pages, as a BCP 47 tag.",
    )
    keep_existing = optional(
        Flag(), default=False, description="true: earlier links of the organization stay as they are."
    )


class SetupLinksQuery(PageQuery):
    """Which links are listed."""

    organization_id = optional(Id(), description="Of this organization.")
