"""Setup links over the API: ``admin_portal_token``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from authio.services.setup_links import Wanted
from authio.views.api.operations import Call, operation
from authio.wire.setup_link import minted_link_out, setup_link_out

_PASSED_ON = ("it_admin_email", "return_url", "success_url", "locale", "keep_existing")


@operation("create_admin_portal_token", after_commit="mint.after-commit")
def mint_setup_link(call: Call) -> dict[str, Any]:
    """The link with its token and address. No other answer ever shows them."""
    services, body = call.services, call.body
    wanted = Wanted(
        intents=tuple(dict.fromkeys(body["intents"])),
        lifetime=timedelta(seconds=body["ttl_seconds"]),
        **{name: body[name] for name in _PASSED_ON if name in body},
    )
    organization = services.organizations.hold(call.project_id, body["organization_id"])
    link, token = services.setup_links.mint(organization, wanted)
    url = f"{services.parts.settings.base_url}/setup/{token}"
    return minted_link_out(link, services.parts.clock.now(), token=token, url=url)


@operation("list_admin_portal_tokens")
def list_setup_links(call: Call) -> dict[str, Any]:
    """One page, of one organization where that is asked for."""
    page = call.services.setup_links.page(
        call.project_id, call.cursor, organization_id=call.query.get("organization_id")
    )
    now = call.services.parts.clock.now()
    return call.listed(page, [setup_link_out(row, now) for row in page.rows])


@operation("get_admin_portal_token")
def get_setup_link(call: Call, token_id: str) -> dict[str, Any]:
    """By its id."""
    row = call.services.setup_links.get(call.project_id, token_id)
    return setup_link_out(row, call.services.parts.clock.now())


@operation("revoke_admin_portal_token")
def revoke_setup_link(call: Call, token_id: str) -> None:
    """The link stops working. Where it has ended already, nothing changes."""
    call.services.setup_links.revoke(call.project_id, token_id)
