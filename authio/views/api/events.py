"""The Events API: the same events that webhooks carry, oldest first."""

from __future__ import annotations

import json
from typing import Any

from authio.views.api.operations import Call, operation
from authio.wire.page import list_out


@operation("list_events")
def list_events(call: Call) -> dict[str, Any]:
    """What happened after a cursor. A cursor that is kept goes on working: new events appear behind it."""
    query = call.query
    page = call.services.events.page(
        call.project_id,
        types=query["events"],
        limit=query["limit"],
        after=query.get("after"),
        organization_id=query.get("organization_id"),
        range_start=query.get("range_start"),
        range_end=query.get("range_end"),
    )
    events = [json.loads(row.body) for row in page.rows]
    return list_out(events, before=None, after=events[-1]["id"] if events and page.has_after else None)
