"""Sign-in attempts on the wire, and what the events about them carry."""

from __future__ import annotations

from typing import Any

from authio.clock import wire_time
from authio.models import AttemptStatus
from authio.protocols.refusals import REFUSALS
from authio.wire.fields import Id, OneOf, Text, optional
from authio.wire.page import PageQuery

NOT_BACK = "sign_in_timed_out"
"""The code of an attempt from which nobody came back, if nothing else is known to have gone wrong."""
_NOT_BACK_MESSAGE = "Nobody came back from the identity provider in time."


def sign_in_attempt_out(row: Any) -> dict[str, Any]:
    """The SignInAttempt object. Nothing in it could be used to sign anybody in."""
    return {
        "object": "sign_in_attempt",
        "id": row.id,
        "organization_id": row.organization_id,
        "connection_id": row.connection_id,
        "kind": row.kind,
        "protocol": row.protocol,
        "status": row.status,
        "idp_initiated": row.is_idp_initiated,
        "email": row.email,
        "ip_address": row.ip_address,
        "user_agent": row.user_agent,
        "error": error_out(row) | {"found": row.found, "expected": row.expected} if _is_bad(row) else None,
        "steps": list(row.steps),
        "created_at": wire_time(row.created_at),
        "finished_at": None if row.finished_at is None else wire_time(row.finished_at),
    }


def error_out(row: Any) -> dict[str, Any]:
    """Why an attempt ended badly: a code of the closed list, and its sentence."""
    code = row.refusal or NOT_BACK
    known = REFUSALS.get(code)
    return {"code": code, "message": _NOT_BACK_MESSAGE if known is None else known.sentence}


def sign_in_event_out(row: Any, *, profile_id: str | None = None) -> dict[str, Any]:
    """What ``authentication.sso_*`` carries. ``session_id`` names the attempt."""
    data: dict[str, Any] = {
        "type": "sso",
        "status": row.status,
        "ip_address": row.ip_address,
        "user_agent": row.user_agent,
        "user_id": profile_id,
        "email": row.email,
        "sso": {
            "organization_id": row.organization_id,
            "connection_id": row.connection_id,
            "session_id": row.id,
        },
    }
    return data | {"error": error_out(row)} if _is_bad(row) else data


def _is_bad(row: Any) -> bool:
    return row.status in {AttemptStatus.FAILED.value, AttemptStatus.TIMED_OUT.value}


class SignInAttemptsQuery(PageQuery):
    """Which attempts are listed."""

    organization_id = optional(Id(), description="Of this organization.")
    connection_id = optional(Id(), description="Over this connection.")
    status = optional(
        Text(most=20),
        validator=OneOf(tuple(status.value for status in AttemptStatus)),
        description="That stand like this.",
    )
