"""Links into the portal: setup links, minted, opened, spent, and their four ends; and session links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from authio.clock import Clock
from authio.crypto import digest, new_token
from authio.errors import Gone, NotFound
from authio.faults import fault
from authio.ids import new_id
from authio.models import LinkKind, LinkState, portal_sessions, setup_links
from authio.models.setup_link import state_at
from authio.services.audit import Audit
from authio.services.events import Events
from authio.services.pages import Cursor, Page, page
from authio.wire.setup_link import setup_link_out

TOKEN_PREFIX = "apl_"  # noqa: S105 - a prefix, not a secret
LONGEST_TOKEN = 128
SESSION_LINK_LIVES = timedelta(minutes=5)
"""How long a session link may be opened. What it opens lives longer."""

_t = setup_links.c
_INSERT = sa.insert(setup_links)
_BY_DIGEST = sa.select(setup_links).where(_t.digest == sa.bindparam("digest"))
_BY_ID = sa.select(setup_links).where(_t.project_id == sa.bindparam("project"), _t.id == sa.bindparam("link"))
_OF_A_ROW = sa.select(setup_links).where(_t.id == sa.bindparam("link"))
_NOTE_OPENED = (
    sa.update(setup_links)
    .where(_t.id == sa.bindparam("link"), _t.opened_at.is_(None))
    .values(opened_at=sa.bindparam("now"))
)
_REPLACE = (
    sa.update(setup_links)
    .where(
        _t.organization_id == sa.bindparam("organization"),
        _t.kind == LinkKind.SETUP.value,
        _t.state == LinkState.OPEN.value,
        _t.expires_at > sa.bindparam("now"),
    )
    .values(state=LinkState.REPLACED.value, ended_at=sa.bindparam("now"))
    .returning(setup_links)
)
_EXPIRE = (
    sa.update(setup_links)
    .where(_t.id == sa.bindparam("link"), _t.state == LinkState.OPEN.value)
    .values(state=LinkState.EXPIRED.value, ended_at=sa.bindparam("now"))
)
_CONSUME = (
    sa.update(setup_links)
    .where(
        _t.id == sa.bindparam("link"),
        _t.state == LinkState.OPEN.value,
        _t.expires_at > sa.bindparam("now"),
    )
    .values(
        state=LinkState.CONSUMED.value,
        ended_at=sa.bindparam("now"),
        connection_id=sa.bindparam("connection"),
    )
    .returning(setup_links)
)
_REFUSALS = {
    LinkState.CONSUMED: "token_consumed",
    LinkState.EXPIRED: "token_expired",
    LinkState.REVOKED: "token_revoked",
    LinkState.REPLACED: "token_replaced",
}


def is_setup(link: Any) -> bool:
    """Whether *link* is one that a save spends. The other kind lets somebody manage what exists."""
    return bool(link.kind == LinkKind.SETUP)


def refusal(link: Any, now: datetime) -> Gone | None:
    """What a dead link is answered with, or None while it lives."""
    state = state_at(link, now)
    return None if state is LinkState.OPEN else Gone(_REFUSALS[state])


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a mint asks for, already validated."""

    intents: Sequence[str]
    lifetime: timedelta
    it_admin_email: str | None = None
    return_url: str | None = None
    success_url: str | None = None
    locale: str | None = None
    keep_existing: bool = False


class SetupLinks:
    """Links that let an IT admin in, until one save has spent them."""

    def __init__(self, connection: sa.Connection, clock: Clock, events: Events, audit: Audit) -> None:
        self._connection, self._clock, self._events, self._audit = connection, clock, events, audit

    def mint(self, organization: Any, wanted: Wanted) -> tuple[Any, str]:
        """Make a link: ``(row, token)``. Unless asked otherwise, the live ones end as replaced.

        *organization* is held by this transaction (``Organizations.hold``), so that of two mints at once
        the later sees the link of the earlier.
        """
        now = self._clock.now()
        replaced = [] if wanted.keep_existing else self._replace(organization, now)
        link, token = self._insert(organization, wanted, LinkKind.SETUP, now)
        self._record(
            link,
            [("admin_portal.link_replaced", old) for old in replaced] + [("admin_portal.link_created", link)],
            now,
        )
        self._audit.record(
            "setup_link.minted",
            project_id=link.project_id,
            organization_id=link.organization_id,
            target=("setup_link", link.id),
            after=setup_link_out(link, now),
        )
        fault("mint.before-commit")
        return link, token

    def mint_session(
        self, organization: Any, wanted: Wanted, *, external_user_id: str | None
    ) -> tuple[Any, str]:
        """Make a session link for somebody who is signed in to the vendor's product: ``(row, token)``.

        It ends no other link and is no event: it is gone again in minutes.
        """
        link, token = self._insert(
            organization, wanted, LinkKind.SESSION, self._clock.now(), external_user_id=external_user_id
        )
        self._audit.record(
            "session_link.minted",
            project_id=link.project_id,
            organization_id=link.organization_id,
            target=("setup_link", link.id),
            after={**setup_link_out(link, link.created_at), "external_user_id": external_user_id},
        )
        return link, token

    def revoke_sessions(self, organization: Any, external_user_id: str) -> int:
        """End every session link of that person, and every visit over one; how many links there were."""
        now = self._clock.now()
        theirs = (
            _t.project_id == organization.project_id,
            _t.organization_id == organization.id,
            _t.kind == LinkKind.SESSION.value,
            _t.external_user_id == external_user_id,
        )
        ended = self._connection.execute(
            sa.update(portal_sessions)
            .where(
                portal_sessions.c.organization_id == organization.id,
                portal_sessions.c.link_id.in_(sa.select(_t.id).where(*theirs)),
                portal_sessions.c.ended_at.is_(None),
            )
            .values(ended_at=now)
        ).rowcount
        revoked = self._connection.execute(
            sa.update(setup_links)
            .where(*theirs, _t.state == LinkState.OPEN.value)
            .values(state=LinkState.REVOKED.value, ended_at=now)
        ).rowcount
        self._audit.record(
            "session_link.revoked",
            project_id=organization.project_id,
            organization_id=organization.id,
            target=("organization", organization.id),
            after={"external_user_id": external_user_id, "links": revoked, "portal_sessions": ended},
        )
        return int(revoked)

    def _insert(
        self,
        organization: Any,
        wanted: Wanted,
        kind: LinkKind,
        now: datetime,
        *,
        external_user_id: str | None = None,
    ) -> tuple[Any, str]:
        token = new_token(TOKEN_PREFIX)
        values = {
            "id": new_id("setup_link"),
            "project_id": organization.project_id,
            "organization_id": organization.id,
            "kind": kind.value,
            "digest": digest(token),
            "intents": list(wanted.intents),
            "state": LinkState.OPEN.value,
            "it_admin_email": wanted.it_admin_email,
            "return_url": wanted.return_url,
            "success_url": wanted.success_url,
            "external_user_id": external_user_id,
            "locale": wanted.locale,
            "connection_id": None,
            "expires_at": now + wanted.lifetime,
            "created_at": now,
            "opened_at": None,
            "ended_at": None,
        }
        self._connection.execute(_INSERT, values)
        return SimpleNamespace(**values), token

    def _replace(self, organization: Any, now: datetime) -> list[Any]:
        return list(self._connection.execute(_REPLACE, {"organization": organization.id, "now": now}))

    def by_token(self, token: str) -> Any:
        """The link of *token*, alive or dead; NotFound (``token_unknown``) if there is none."""
        link = None
        if token.startswith(TOKEN_PREFIX) and len(token) <= LONGEST_TOKEN:
            link = self._connection.execute(_BY_DIGEST, {"digest": digest(token)}).one_or_none()
        if link is None:
            raise NotFound("token_unknown")
        return link

    def note_opened(self, link: Any) -> None:
        """Write down that the link was opened. Spends nothing: scanners open links too.

        The first opening is an event, ``admin_portal.link_opened``; each one is an audit row.
        """
        now = self._clock.now()
        first = self._connection.execute(_NOTE_OPENED, {"link": link.id, "now": now}).rowcount
        if first and is_setup(link):
            self._record(link, [("admin_portal.link_opened", link)], now)
        self._audit.record(
            "setup_link.opened",
            project_id=link.project_id,
            organization_id=link.organization_id,
            target=("setup_link", link.id),
            after={"state": state_at(link, now).value},
        )
        if state_at(link, now) is LinkState.EXPIRED:
            # Who has once been told so is not to find it alive because a clock was put back.
            self._expire(link, now)

    def consume(self, link: Any, *, connection_id: str) -> Any:
        """Spend *link* for *connection_id*, in the transaction of the save; Gone unless it was open.

        One conditional statement: of any number of saves at once, one changes the row and the others do not.
        """
        now = self._clock.now()
        spent = self._connection.execute(
            _CONSUME, {"link": link.id, "now": now, "connection": connection_id}
        ).one_or_none()
        if spent is None:
            raise refusal(self.get_any(link.id), now) or Gone("token_consumed")
        fault("save.after-consume")
        return spent

    def get_any(self, link_id: str) -> Any:
        """The link with this id, which the caller got from a row of its own."""
        return self._connection.execute(_OF_A_ROW, {"link": link_id}).one()

    def get(self, project_id: str, link_id: str) -> Any:
        """One link of the project; NotFound (``token_not_found``)."""
        link = self._connection.execute(_BY_ID, {"project": project_id, "link": link_id}).one_or_none()
        if link is None:
            raise NotFound("token_not_found")
        return link

    def page(self, project_id: str, cursor: Cursor, *, organization_id: str | None = None) -> Page:
        """One page of the project's setup links, newest first unless the cursor says otherwise."""
        where = [_t.project_id == project_id, _t.kind == LinkKind.SETUP.value]
        if organization_id is not None:
            where.append(_t.organization_id == organization_id)
        return page(self._connection, sa.select(setup_links).where(*where), _t.id, cursor)

    def revoke(self, project_id: str, link_id: str) -> None:
        """Withdraw a link. Withdrawing one that has ended already changes nothing."""
        now = self._clock.now()
        link = self.get(project_id, link_id)
        changed = self._connection.execute(
            sa.update(setup_links)
            .where(_t.id == link.id, _t.state == LinkState.OPEN.value, _t.expires_at > now)
            .values(state=LinkState.REVOKED.value, ended_at=now)
        ).rowcount
        if changed:
            self._record(link, [("admin_portal.link_revoked", self.get_any(link.id))], now)
            self._audit.record(
                "setup_link.revoked",
                project_id=project_id,
                organization_id=link.organization_id,
                target=("setup_link", link.id),
                before={"state": LinkState.OPEN.value},
                after={"state": LinkState.REVOKED.value},
            )

    def request_new(self, link: Any) -> None:
        """The holder of a dead link asks the vendor for a new one: an event, and nothing else."""
        now = self._clock.now()
        self._record(link, [("admin_portal.link_requested", link)], now)
        self._audit.record(
            "setup_link.requested",
            project_id=link.project_id,
            organization_id=link.organization_id,
            target=("setup_link", link.id),
            after={"state": state_at(link, now).value},
        )

    def expire_due(self, limit: int = 100) -> int:
        """Mark open links whose time has passed, with their event; how many there were."""
        now = self._clock.now()
        due = list(
            self._connection.execute(
                sa.select(setup_links)
                .where(_t.state == LinkState.OPEN.value, _t.expires_at <= now)
                .order_by(_t.expires_at)
                .limit(limit)
            )
        )
        for link in due:
            self._expire(link, now)
        return len(due)

    def _expire(self, link: Any, now: datetime) -> None:
        changed = self._connection.execute(_EXPIRE, {"link": link.id, "now": link.expires_at}).rowcount
        if changed:
            self._record(link, [("admin_portal.link_expired", link)], now)

    def _record(self, link: Any, happened: list[tuple[str, Any]], now: datetime) -> None:
        self._events.record_all(
            [(type, setup_link_out(row, now)) for type, row in happened],
            project_id=link.project_id,
            organization_id=link.organization_id,
        )
