"""Setup links on the wire: ``admin_portal_token``. The token and its address are in the mint's answer only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authio.clock import wire_time
from authio.models.setup_link import state_at


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
