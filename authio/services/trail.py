"""The trail: what the audit rows tell to whoever may read them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from authio.models import audit_events
from authio.models.audit import ON_CONNECTIONS

_t = audit_events.c


class Trail:
    """Reads what :class:`~authio.services.audit.Audit` has written."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of_connection(self, project_id: str, connection_id: str, *, most: int) -> list[Any]:
        """The newest *most* acts on one connection. Sign-ins over it are not among them."""
        return list(
            self._connection.execute(
                sa.select(audit_events)
                .where(ON_CONNECTIONS, _t.target_id == connection_id, _t.project_id == project_id)
                .order_by(_t.id.desc())
                .limit(most)
            )
        )
