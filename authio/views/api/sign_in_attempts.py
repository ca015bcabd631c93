"""Sign-in attempts over the API, for a vendor who is asked why somebody cannot get in."""

from __future__ import annotations

from typing import Any

from authio.views.api.operations import Call, operation
from authio.wire.sign_in import sign_in_attempt_out


@operation("list_sign_in_attempts")
def list_sign_in_attempts(call: Call) -> dict[str, Any]:
    """One page, of one organization or connection, or that stand alike, where that is asked for."""
    query = call.query
    page = call.services.attempts.page(
        call.project_id,
        call.cursor,
        organization_id=query.get("organization_id"),
        connection_id=query.get("connection_id"),
        status=query.get("status"),
    )
    return call.listed(page, [sign_in_attempt_out(row) for row in page.rows])


@operation("get_sign_in_attempt")
def get_sign_in_attempt(call: Call, attempt_id: str) -> dict[str, Any]:
    """By its id."""
    return sign_in_attempt_out(call.services.attempts.get(call.project_id, attempt_id))
