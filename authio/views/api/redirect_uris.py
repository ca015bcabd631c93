"""Redirect URIs over the API."""

from __future__ import annotations

from typing import Any

from authio.views.api.operations import Call, operation
from authio.wire.redirect_uri import redirect_uri_out


@operation("list_redirect_uris")
def list_redirect_uris(call: Call) -> dict[str, Any]:
    """One page."""
    page = call.services.redirect_uris.page(call.project_id, call.cursor)
    return call.listed(page, [redirect_uri_out(row) for row in page.rows])


@operation("create_redirect_uri")
def create_redirect_uri(call: Call) -> dict[str, Any]:
    """A new one."""
    row = call.services.redirect_uris.add(
        call.project_id, call.body["uri"], is_default=call.body.get("default", False)
    )
    return redirect_uri_out(row)


@operation("delete_redirect_uri")
def delete_redirect_uri(call: Call, redirect_uri_id: str) -> None:
    """Nobody is sent there any more."""
    call.services.redirect_uris.remove(call.project_id, redirect_uri_id)
