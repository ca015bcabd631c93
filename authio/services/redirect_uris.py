"""Redirect URIs: where a project's products may have people sent back to, and which one a request names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from authio.clock import Clock
from authio.errors import Conflict, FieldError, NotFound, Unprocessable
from authio.ids import is_id, new_id
from authio.models import AttemptStatus, projects, redirect_uris, sign_in_attempts
from authio.protocols.redirect_uris import has_star, is_one_of, why_not
from authio.services.audit import Audit
from authio.services.pages import Cursor, Page, page

MOST = 100
"""Redirect URIs of one project: every sign-in reads all of them."""

_r, _a = redirect_uris.c, sign_in_attempts.c
_CLIENT = (
    sa.select(projects.c.id, projects.c.name, projects.c.client_id, _r.uri, _r.is_default)
    .select_from(projects)
    .outerjoin(redirect_uris, _r.project_id == projects.c.id)
)
_BY_CLIENT_ID = _CLIENT.where(projects.c.client_id == sa.bindparam("client"))
_BY_PROJECT = _CLIENT.where(projects.c.id == sa.bindparam("project"))


@dataclass(frozen=True)
class Client:
    """A project as its products name it in a browser: its client id, and where people may be sent back to."""

    project_id: str
    name: str
    client_id: str
    uris: tuple[str, ...]
    default_uri: str | None

    def takes(self, uri: str) -> bool:
        """Whether *uri*, as it came, is registered."""
        return any(is_one_of(uri, registered) for registered in self.uris)


class RedirectUris:
    """Registered per project, matched to the letter."""

    def __init__(self, connection: sa.Connection, clock: Clock, audit: Audit) -> None:
        self._connection, self._clock, self._audit = connection, clock, audit

    def client(self, client_id: str) -> Client | None:
        """Whoever calls itself *client_id*, with its redirect URIs; None if nobody does."""
        if not is_id("client", client_id):
            return None
        return _client(self._connection.execute(_BY_CLIENT_ID, {"client": client_id}).all())

    def client_of(self, project_id: str) -> Client | None:
        """The same for a project."""
        return _client(self._connection.execute(_BY_PROJECT, {"project": project_id}).all())

    def page(self, project_id: str, cursor: Cursor) -> Page:
        """One page of the project's redirect URIs."""
        return page(
            self._connection, sa.select(redirect_uris).where(_r.project_id == project_id), _r.id, cursor
        )

    def add(self, project_id: str, uri: str, *, is_default: bool = False) -> Any:
        """Register *uri*. The first one that a person can be sent to is the default, too.

        Unprocessable (``validation_failed``) for an address that may not be one, Conflict
        (``duplicate_redirect_uri``) for one that is there already.
        """
        # The project's row makes those who add at once take turns: one of them only is the default.
        self._connection.execute(
            sa.select(projects.c.id).where(projects.c.id == project_id).with_for_update()
        )
        present = self._connection.execute(
            sa.select(_r.uri, _r.is_default).where(_r.project_id == project_id)
        ).all()
        self._judge(uri, is_default=is_default, count=len(present))
        default = is_default or not (has_star(uri) or any(row.is_default for row in present))
        if default:
            self._connection.execute(
                sa.update(redirect_uris)
                .where(_r.project_id == project_id, _r.is_default)
                .values(is_default=False)
            )
        try:
            with self._connection.begin_nested():
                row = self._connection.execute(
                    sa.insert(redirect_uris)
                    .values(
                        id=new_id("redirect_uri"),
                        project_id=project_id,
                        uri=uri,
                        is_default=default,
                        created_at=self._clock.now(),
                    )
                    .returning(redirect_uris)
                ).one()
        except exc.IntegrityError:
            raise Conflict("duplicate_redirect_uri") from None
        self._audited("redirect_uri.added", row, after={"uri": uri, "default": default})
        return row

    def remove(self, project_id: str, redirect_uri_id: str) -> None:
        """Nobody gets there any more, on the way already or not; NotFound (``redirect_uri_not_found``)."""
        row = self._connection.execute(
            sa.delete(redirect_uris)
            .where(_r.project_id == project_id, _r.id == redirect_uri_id)
            .returning(redirect_uris)
        ).one_or_none()
        if row is None:
            raise NotFound("redirect_uri_not_found")
        self._let_lapse(project_id)
        self._audited("redirect_uri.removed", row, before={"uri": row.uri, "default": row.is_default})

    def remove_uri(self, project_id: str, uri: str) -> None:
        """As :meth:`remove`, by the address itself."""
        found = self._connection.execute(
            sa.select(_r.id).where(_r.project_id == project_id, _r.uri == uri)
        ).scalar_one_or_none()
        if found is None:
            raise NotFound("redirect_uri_not_found")
        self.remove(project_id, found)

    def _let_lapse(self, project_id: str) -> None:
        """Have the open sign-ins lapse that would end at an address which is not registered (any more)."""
        client, now = self.client_of(project_id), self._clock.now()
        is_open = (_a.project_id == project_id, _a.status == AttemptStatus.STARTED.value, _a.expires_at > now)
        under_way = self._connection.execute(
            sa.select(_a.redirect_uri).where(*is_open, _a.redirect_uri.is_not(None)).distinct()
        ).scalars()
        lost = [uri for uri in under_way if client is None or not client.takes(uri)]
        if lost:
            self._connection.execute(
                sa.update(sign_in_attempts).where(*is_open, _a.redirect_uri.in_(lost)).values(expires_at=now)
            )

    @staticmethod
    def _judge(uri: str, *, is_default: bool, count: int) -> None:
        reason = why_not(uri)
        if not reason and is_default and has_star(uri):
            reason = "An address with a * cannot be the default."
        if not reason and count >= MOST:
            reason = f"A project has at most {MOST} redirect URIs."
        if reason:
            raise Unprocessable(
                "validation_failed", errors=[FieldError("uri", "invalid_redirect_uri", reason)]
            )

    def _audited(self, action: str, row: Any, **states: Any) -> None:
        self._audit.record(action, project_id=row.project_id, target=("redirect_uri", row.id), **states)


def _client(rows: Sequence[Any]) -> Client | None:
    if not rows:
        return None
    first = rows[0]
    return Client(
        project_id=first.id,
        name=first.name,
        client_id=first.client_id,
        uris=tuple(row.uri for row in rows if row.uri is not None),
        default_uri=next((row.uri for row in rows if row.is_default), None),
    )
