"""Portal sessions: the short visit of one IT admin that pressing Start on a setup link begins."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from authio.clock import Clock
from authio.crypto import digest, new_token
from authio.errors import Forbidden
from authio.ids import new_id
from authio.models import portal_sessions
from authio.services.audit import Audit
from authio.services.setup_links import is_setup

LIFETIME = timedelta(hours=8)
IDLE = timedelta(hours=1)
KEPT = timedelta(days=30)
# How stale `seen_at` may be before it is written again, so that not every page view writes it.
_SEEN_EVERY = timedelta(minutes=1)

_t = portal_sessions.c
_INSERT = sa.insert(portal_sessions)
_BY_DIGEST = sa.select(portal_sessions).where(_t.digest == sa.bindparam("digest"))
_SEEN = sa.update(portal_sessions).where(_t.id == sa.bindparam("session")).values(seen_at=sa.bindparam("now"))
_RENEW = (
    sa.update(portal_sessions)
    .where(_t.id == sa.bindparam("session"))
    .values(
        digest=sa.bindparam("renewed"),
        connection_id=sa.bindparam("saved"),
        seen_at=sa.bindparam("now"),
    )
)


class PortalSessions:
    """Started, resumed by cookie, renewed, ended."""

    def __init__(self, connection: sa.Connection, clock: Clock, audit: Audit) -> None:
        self._connection, self._clock, self._audit = connection, clock, audit

    def start(self, link: Any, *, it_admin_email: str) -> tuple[Any, str]:
        """Begin a visit over an open link: ``(row, cookie value)``. It never outlives a setup link."""
        now = self._clock.now()
        cookie = new_token("")
        values = {
            "id": new_id("portal_session"),
            "project_id": link.project_id,
            "organization_id": link.organization_id,
            "link_id": link.id,
            "digest": digest(cookie),
            "it_admin_email": it_admin_email,
            "connection_id": None,
            "created_at": now,
            "seen_at": now,
            "expires_at": min(now + LIFETIME, link.expires_at) if is_setup(link) else now + LIFETIME,
            "ended_at": None,
        }
        self._connection.execute(_INSERT, values)
        row = SimpleNamespace(**values)
        self._audit.record(
            "portal_session.started",
            project_id=link.project_id,
            organization_id=link.organization_id,
            target=("setup_link", link.id),
            after={"portal_session_id": row.id, "it_admin_email": it_admin_email},
        )
        return row, cookie

    def resume(self, cookie: str | None) -> Any:
        """The visit of this cookie; Forbidden (``portal_session_missing``, ``portal_session_ended``)."""
        row = None
        if cookie and len(cookie) <= 128:
            row = self._connection.execute(_BY_DIGEST, {"digest": digest(cookie)}).one_or_none()
        if row is None:
            raise Forbidden("portal_session_missing")
        now = self._clock.now()
        if row.ended_at is not None or row.expires_at <= now or row.seen_at + IDLE <= now:
            raise Forbidden("portal_session_ended")
        return row

    def note_seen(self, row: Any) -> None:
        """Keep the visit from going idle."""
        now = self._clock.now()
        if now - row.seen_at >= _SEEN_EVERY:
            self._connection.execute(_SEEN, {"session": row.id, "now": now})

    def renew(self, row: Any, *, connection_id: str | None = None) -> str:
        """Give the visit a new cookie value, so that one seen before is worth nothing; note what it saved."""
        cookie = new_token("")
        self._connection.execute(
            _RENEW,
            {
                "session": row.id,
                "renewed": digest(cookie),
                "saved": connection_id or row.connection_id,
                "now": self._clock.now(),
            },
        )
        return cookie

    def forget(self) -> None:
        """Delete visits that lapsed long ago; the audit trail keeps what they did."""
        self._connection.execute(sa.delete(portal_sessions).where(_t.expires_at < self._clock.now() - KEPT))
