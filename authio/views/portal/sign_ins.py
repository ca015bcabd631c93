"""Recent sign-ins over the connection in use, and each of them step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import NotFound
from authio.models import AttemptStatus
from authio.plugin.diagnosis import what_happened
from authio.services import Services
from authio.views.portal.judging import our_side
from authio.views.portal.managing import managed
from authio.views.portal.pages import note_viewed, visit_page
from authio.views.portal.test import diagnose
from authio.views.portal.visits import Visit

RECENT = 50
"""How many the list has."""
STATES: Mapping[str, str] = {
    AttemptStatus.SUCCEEDED: "Signed in",
    AttemptStatus.FAILED: "Failed",
    AttemptStatus.TIMED_OUT: "Nobody came back",
    AttemptStatus.STARTED: "Under way",
}
"""How a sign-in stands, for people; in the order in which they are sorted by it."""
_BAD = frozenset({AttemptStatus.FAILED, AttemptStatus.TIMED_OUT})
_STEPS: Mapping[str, str] = {
    "sent": "We sent the person to the identity provider",
    "identified": "The identity provider's answer was accepted",
    "refused": "The identity provider's answer was refused",
}
_FACTS: Mapping[str, str] = {
    "binding": "Binding",
    "to": "Address",
    "signed": "Signed",
    "certificate": "Certificate that matched",
    "encrypted": "Encrypted",
    "authn_context": "How the person signed in there",
    "key": "Key that matched",
    "algorithm": "Algorithm",
    "userinfo": "Userinfo asked",
    "because": "Because",
}


@view_config(route_name="portal.sign_in", request_method="GET")
@managed
def show_sign_in(request: Any, visit: Visit) -> Response:
    """One sign-in, step by step: what was sent, what came back, what came of it."""
    services = request.services
    attempt = services.attempts.get(visit.project.id, request.matchdict["attempt"])
    if attempt.organization_id != visit.organization.id:
        raise NotFound("sign_in_attempt_not_found")
    note_viewed(services, visit.link, "sign-in")
    row = services.connections.any_by_id(attempt.connection_id)
    connector = services.parts.plugins.connector(row.connector) if row is not None else None
    sp = our_side(request, row) if row is not None else None
    return visit_page(
        request,
        visit,
        "sign-in",
        title=f"Sign-in: {STATES[attempt.status].lower()}",
        attempt=attempt,
        state=STATES[attempt.status],
        steps=[_told_step(step) for step in attempt.steps],
        diagnosis=diagnose(attempt, connector, sp) if attempt.status in _BAD else None,
        profile=services.attempts.profile(attempt),
        answer=services.attempts.answer(attempt).decode("utf-8", "replace"),
        may_edit=False,
        is_forgotten=attempt.forget_at is None,
    )


def _told_step(step: Mapping[str, Any]) -> dict[str, Any]:
    facts = [
        (label, _worded(step[name])) for name, label in _FACTS.items() if step.get(name) not in (None, "")
    ]
    return {"title": _STEPS.get(str(step.get("step")), ""), "at": step.get("at", ""), "facts": facts}


def _worded(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def recent_sign_ins(request: Any, services: Services, live: Any) -> dict[str, Any]:
    """The newest sign-ins, of one state or of all, by time or by state."""
    chosen = request.GET.get("state", "")
    chosen = chosen if chosen in STATES else ""
    by_state = request.GET.get("sort") == "state"
    rows = services.attempts.recent(live.project_id, live.id, status=chosen or None, most=RECENT)
    if by_state:
        order = list(STATES)
        rows.sort(key=lambda row: order.index(row.status))
    return {
        "rows": [
            {
                "id": row.id,
                "at": row.created_at,
                "state": STATES[row.status],
                "status": row.status,
                "email": row.email or "",
                "kind": "Test" if row.kind == "test" else "",
                "why": _why(row),
            }
            for row in rows
        ],
        "chosen": chosen,
        "by_state": by_state,
        "states": list(STATES.items()),
        "is_full": len(rows) == RECENT,
    }


def _why(row: Any) -> str:
    """Why a sign-in failed, in a sentence; nothing for one that did not."""
    if row.status != AttemptStatus.FAILED:
        return ""
    last = row.steps[-1] if row.steps else {}
    return what_happened(row.refusal, str(last.get("check", "")))
