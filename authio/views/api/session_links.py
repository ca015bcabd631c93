"""Session links over the API: for somebody who is signed in to the vendor's product."""

from __future__ import annotations

from typing import Any

from authio.services.setup_links import SESSION_LINK_LIVES, Wanted
from authio.views.api.operations import Call, operation
from authio.wire.setup_link import setup_address


@operation("generate_portal_link")
def generate_link(call: Call) -> dict[str, Any]:
    """The link, which may be opened for five minutes. No other answer ever shows it."""
    services, body = call.services, call.body
    wanted = Wanted(
        intents=(body["intent"],),
        lifetime=SESSION_LINK_LIVES,
        return_url=body.get("return_url"),
        success_url=body.get("success_url"),
    )
    organization = services.organizations.get(call.project_id, body["organization"])
    _, token = services.setup_links.mint_session(
        organization, wanted, external_user_id=body.get("external_user_id")
    )
    return {"link": setup_address(services.parts.settings.base_url, token)}


@operation("revoke_portal_link")
def revoke_link(call: Call) -> None:
    """Links that were not opened yet stop working, and so do visits that were begun over others."""
    organization = call.services.organizations.get(call.project_id, call.body["organization"])
    call.services.setup_links.revoke_sessions(organization, call.body["external_user_id"])
