"""The audit trail: one row per act, in the transaction of the act."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from authio.clock import Clock
from authio.ids import new_id
from authio.models import audit_events
from authio.services.actor import Actor

_INSERT = sa.insert(audit_events)
_USER_AGENT_LENGTH = 500


class Audit:
    """Writes what happened. It never reads, and nothing ever changes what it wrote."""

    def __init__(self, connection: sa.Connection, clock: Clock, actor: Callable[[], Actor]) -> None:
        self._connection, self._clock, self._actor = connection, clock, actor

    def record(
        self,
        action: str,
        *,
        project_id: str | None,
        organization_id: str | None = None,
        target: tuple[str, str] | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Remember *action* (``noun.past_participle``) on *target* = (noun, id).

        *before* and *after* hold what changed; a secret is never among it.
        """
        actor = self._actor()
        noun, target_id = target or (None, None)
        self._connection.execute(
            _INSERT,
            {
                "id": new_id("audit_event"),
                "project_id": project_id,
                "organization_id": organization_id,
                "action": action,
                "actor_type": actor.type.value,
                "actor_id": actor.id,
                "actor_name": actor.name,
                "target_type": noun,
                "target_id": target_id,
                "before": None if before is None else dict(before),
                "after": None if after is None else dict(after),
                "ip_address": actor.ip_address,
                "user_agent": (actor.user_agent or "")[:_USER_AGENT_LENGTH] or None,
                "request_id": actor.request_id,
                "created_at": self._clock.now(),
            },
        )
