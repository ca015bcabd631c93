"""Connections: drafted, answered, saved, found, deleted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from authio.clock import Clock
from authio.crypto import Vault
from authio.errors import Conflict, NotFound
from authio.faults import fault
from authio.ids import new_id, ulid_of
from authio.models import Activation, ConnectionState, connections, organization_domains, organizations
from authio.plugin import Connector, Finding, Level, Provider, ServiceProvider
from authio.services.audit import Audit
from authio.services.events import Events
from authio.services.pages import Cursor, Page, page
from authio.services.setup_links import SetupLinks, is_setup
from authio.wire.connection import (
    connection_deleted_out,
    connection_event_out,
    connection_out,
    created_event_out,
)
from authio.wire.setup_link import setup_link_out

_t = connections.c
LIVE = (ConnectionState.ACTIVE.value, ConnectionState.VALIDATING.value)
"""States in which a connection is in use, or about to be."""
_DRAFT = sa.select(connections).where(
    _t.project_id == sa.bindparam("project"),
    _t.organization_id == sa.bindparam("organization"),
    _t.state == ConnectionState.DRAFT.value,
)
_IN_USE = (
    sa.select(connections)
    .where(
        _t.project_id == sa.bindparam("project"),
        _t.organization_id == sa.bindparam("organization"),
        _t.state.in_(LIVE),
    )
    .order_by(_t.id.desc())
    .limit(1)
)
_BY_ID = sa.select(connections).where(
    _t.project_id == sa.bindparam("project"),
    _t.id == sa.bindparam("id"),
    _t.state != ConnectionState.DRAFT.value,
)
_DOMAINS = (
    sa.select(organization_domains)
    .where(organization_domains.c.organization_id == sa.bindparam("organization"))
    .order_by(organization_domains.c.id)
)
_RETIRE = (
    sa.update(connections)
    .where(_t.organization_id == sa.bindparam("organization"), _t.state.in_(LIVE))
    .values(state=ConnectionState.INACTIVE.value, updated_at=sa.bindparam("now"))
    .returning(connections)
)
_GO_LIVE = (
    sa.update(connections)
    .where(
        _t.id == sa.bindparam("draft"),
        _t.state == ConnectionState.DRAFT.value,
        _t.version == sa.bindparam("expected"),
        _t.sealed_settings.is_not(None),
    )
    .values(
        state=sa.bindparam("to"),
        it_admin_email=sa.bindparam("email"),
        setup_link_id=sa.bindparam("link"),
        activated_at=sa.bindparam("activated"),
        updated_at=sa.bindparam("now"),
    )
    .returning(connections)
)

_ACTIVATE = (
    sa.update(connections)
    .where(_t.id == sa.bindparam("validating"), _t.state == ConnectionState.VALIDATING.value)
    .values(
        state=ConnectionState.ACTIVE.value, activated_at=sa.bindparam("now"), updated_at=sa.bindparam("now")
    )
    .returning(connections)
)


def service_provider(base_url: str, connection_id: str) -> ServiceProvider:
    """Our own side of a connection: the addresses its identity provider is given.

    No underscore, query or trailing slash in any of them: consoles refuse those.
    """
    ulid = ulid_of(connection_id)
    return ServiceProvider(
        entity_id=f"{base_url}/sso/saml/{ulid}/metadata",
        acs_url=f"{base_url}/sso/saml/{ulid}/acs",
        metadata_url=f"{base_url}/sso/saml/{ulid}/metadata",
        redirect_uri=f"{base_url}/sso/oidc/{ulid}/callback",
        sign_in_url=f"{base_url}/sso/{ulid}/start",
    )


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What an inspection made of the IT admin's answers."""

    answers: Mapping[str, str]
    settings: Mapping[str, Any] | None
    findings: Sequence[Finding]


class Connections:
    """One organization's single sign-on. Drafts are seen by the portal only."""

    def __init__(
        self,
        connection: sa.Connection,
        clock: Clock,
        vault: Vault,
        events: Events,
        setup_links: SetupLinks,
        audit: Audit,
    ) -> None:
        self._connection, self._clock, self._vault = connection, clock, vault
        self._events, self._setup_links, self._audit = events, setup_links, audit

    # -- what exists ---------------------------------------------------------------------------------

    def get(self, project_id: str, connection_id: str) -> Any:
        """One saved connection; NotFound (``connection_not_found``), also for a draft."""
        row = self._connection.execute(_BY_ID, {"project": project_id, "id": connection_id}).one_or_none()
        if row is None:
            raise NotFound("connection_not_found")
        return row

    def any_by_id(self, connection_id: str) -> Any | None:
        """A connection in whatever state, for the public addresses that name it by its ULID; else None."""
        return self._connection.execute(sa.select(connections).where(_t.id == connection_id)).one_or_none()

    def live(self, project_id: str, organization_id: str) -> Any | None:
        """The organization's connection that is in use; the newest, should there be several."""
        return self._connection.execute(
            _IN_USE, {"project": project_id, "organization": organization_id}
        ).one_or_none()

    def page(
        self,
        project_id: str,
        cursor: Cursor,
        *,
        organization_id: str | None = None,
        connection_type: str | None = None,
        domain: str | None = None,
        search: str | None = None,
    ) -> Page:
        """One page of the project's saved connections."""
        statement = sa.select(connections).where(
            _t.project_id == project_id, _t.state != ConnectionState.DRAFT.value
        )
        if organization_id is not None:
            statement = statement.where(_t.organization_id == organization_id)
        if connection_type is not None:
            statement = statement.where(_t.connection_type == connection_type)
        if domain is not None:
            owners = sa.select(organization_domains.c.organization_id).where(
                organization_domains.c.project_id == project_id, organization_domains.c.domain == domain
            )
            statement = statement.where(_t.organization_id.in_(owners))
        if search is not None:
            statement = statement.where(_t.name.icontains(search, autoescape=True))
        return page(self._connection, statement, _t.id, cursor)

    def domains(self, row: Any) -> list[Any]:
        """The domains of the organization that *row* belongs to."""
        return list(self._connection.execute(_DOMAINS, {"organization": row.organization_id}))

    def delete(self, project_id: str, connection_id: str) -> None:
        """Delete a saved connection, with ``connection.deleted``."""
        row = self.get(project_id, connection_id)
        self._events.record(
            "connection.deleted",
            connection_deleted_out(row),
            project_id=row.project_id,
            organization_id=row.organization_id,
        )
        self._connection.execute(sa.delete(connections).where(_t.id == row.id))
        self._audited("connection.deleted", row, before=connection_out(row, ()))

    # -- drafts --------------------------------------------------------------------------------------

    def draft(self, project_id: str, organization_id: str) -> Any | None:
        """The organization's draft, if a provider has been picked."""
        return self._connection.execute(
            _DRAFT, {"project": project_id, "organization": organization_id}
        ).one_or_none()

    def pick(self, project_id: str, organization_id: str, provider: Provider, connector: Connector) -> Any:
        """Start a draft with *connector*, or turn the one there is to it.

        The draft keeps its id, and so the addresses already typed into an identity provider stay valid;
        it keeps what was answered for other connectors too, should the IT admin come back to one. A draft
        that edits a live connection stops doing that: it is to replace it, with addresses of its own.
        """
        now = self._clock.now()
        self.take_turns(organization_id)
        chosen = {
            "name": provider.name,
            "provider": provider.key,
            "connector": connector.key,
            "protocol": connector.protocol,
            "connection_type": connector.connection_type,
            "updated_at": now,
        }
        before = self.draft(project_id, organization_id)
        if before is not None and before.connector == connector.key:
            return before
        if before is None:
            statement: Any = sa.insert(connections).values(
                id=new_id("connection"),
                project_id=project_id,
                organization_id=organization_id,
                state=ConnectionState.DRAFT.value,
                version=1,
                findings=[],
                created_at=now,
                **chosen,
            )
        else:
            statement = (
                sa.update(connections)
                .where(_t.id == before.id)
                .values(
                    version=_t.version + 1,
                    edits_id=None,
                    # What was copied for an edit is the live connection's, and not for whoever comes next.
                    sealed_answers=_t.sealed_answers if before.edits_id is None else None,
                    sealed_settings=None,
                    findings=[],
                    attribute_map={},
                    options=_t.options if before.edits_id is None else {},
                    **chosen,
                )
            )
        row = self._connection.execute(statement.returning(connections)).one()
        self._audited(
            "connection.provider_picked",
            row,
            before=None if before is None else {"connector": before.connector},
            after={"provider": provider.key, "connector": connector.key},
        )
        return row

    def take_turns(self, organization_id: str) -> None:
        """Wait until nobody else begins or turns a draft of the organization: two tabs may press at once."""
        self._connection.execute(
            sa.select(organizations.c.id).where(organizations.c.id == organization_id).with_for_update()
        )

    def answers(self, row: Any) -> dict[str, str]:
        """What was last answered for the connector the row has, secrets among it."""
        return dict(self._all_answers(row).get(row.connector, {}))

    def settings(self, row: Any) -> dict[str, Any] | None:
        """The settings the answers resolved to, or None while there are none that could be saved."""
        if row.sealed_settings is None:
            return None
        return dict(
            json.loads(self._vault.open(row.sealed_settings, place=("connections", row.id, "settings")))
        )

    def answer(self, draft: Any, connector: Connector, answered: Answered) -> Any:
        """Keep what the IT admin brought back, good or bad, with what was found in it."""
        kept = {**self._all_answers(draft), connector.key: dict(answered.answers)}
        blocked = any(finding.level is Level.ERROR for finding in answered.findings)
        settings = None if blocked or answered.settings is None else answered.settings
        row = self._connection.execute(
            sa.update(connections)
            .where(_t.id == draft.id, _t.state == ConnectionState.DRAFT.value, _t.connector == connector.key)
            .values(
                version=_t.version + 1,
                sealed_answers=self._seal(draft, "answers", kept),
                sealed_settings=None if settings is None else self._seal(draft, "settings", settings),
                findings=[_finding_kept(finding) for finding in answered.findings],
                updated_at=self._clock.now(),
            )
            .returning(connections)
        ).one_or_none()
        if row is None:
            raise Conflict("draft_changed")
        self._audited(
            "connection.answers_refused" if settings is None else "connection.answered",
            row,
            after={
                "connector": connector.key,
                "fields": sorted(name for name, value in answered.answers.items() if value),
                "findings": [f"{finding.level.value}:{finding.code}" for finding in answered.findings],
            },
        )
        return row

    def note_refused(self, draft: Any, findings: Sequence[Finding]) -> None:
        """A save that inspection stopped: the link stays usable, and the trail tells of it."""
        self._audited(
            "connection.save_refused",
            draft,
            after={"findings": [f"{finding.level.value}:{finding.code}" for finding in findings]},
        )

    def note_test_begun(self, row: Any) -> None:
        """Somebody leaves for the identity provider to see whether it works."""
        self._audited("connection.test_begun", row, after={"version": row.version, "state": row.state})

    # -- the save ------------------------------------------------------------------------------------

    def save(
        self, link: Any, draft: Any, *, version: int, it_admin_email: str, activation: Activation
    ) -> Any:
        """Spend *link* and make *draft* live, with every event of it, or change nothing at all.

        A session link is not spent: the portal session over it is what counts. Gone unless a setup link was
        open; Conflict (``draft_changed``) if the draft is no longer the
        *version* that was reviewed, ``nothing_to_save`` if it has no settings.
        """
        now = self._clock.now()
        spent = self._setup_links.consume(link, connection_id=draft.id) if is_setup(link) else None
        retired = list(self._connection.execute(_RETIRE, {"organization": draft.organization_id, "now": now}))
        state = ConnectionState.ACTIVE if activation is Activation.ON_SAVE else ConnectionState.VALIDATING
        row = self._connection.execute(
            _GO_LIVE,
            {
                "draft": draft.id,
                "expected": version,
                "to": state.value,
                "email": it_admin_email,
                "link": link.id,
                "activated": now if state is ConnectionState.ACTIVE else None,
                "now": now,
            },
        ).one_or_none()
        if row is None:
            raise Conflict("nothing_to_save" if draft.sealed_settings is None else "draft_changed")
        fault("save.after-connection")
        self._tell(row, spent, retired)
        fault("save.after-events")
        return row

    def activate(self, row: Any) -> Any | None:
        """Somebody signed in over *row*: one that waits for that is active from now on, and is returned."""
        if row.state != ConnectionState.VALIDATING:
            return None
        active = self._connection.execute(
            _ACTIVATE, {"validating": row.id, "now": self._clock.now()}
        ).one_or_none()
        if active is not None:
            self._audited(
                "connection.activated", active, before={"state": row.state}, after={"state": active.state}
            )
        return active

    def _tell(self, row: Any, spent: Any | None, retired: Sequence[Any]) -> None:
        """Events and audit of a save.

        What was retired is told first, so that whoever follows along ends with what is live.
        """
        domains = self.domains(row)
        happened = [("connection.deactivated", connection_event_out(old, domains)) for old in retired]
        happened.append(("sso.connection.created", created_event_out(row, domains)))
        if row.state == ConnectionState.ACTIVE:
            happened.append(("connection.activated", connection_event_out(row, domains)))
        if spent is not None:
            happened.append(("admin_portal.link_consumed", setup_link_out(spent, self._clock.now())))
        self._events.record_all(happened, project_id=row.project_id, organization_id=row.organization_id)
        self._audited(
            "connection.saved",
            row,
            before={"replaced": [old.id for old in retired]},
            after={
                "state": row.state,
                "provider": row.provider,
                "connector": row.connector,
                "setup_link_id": row.setup_link_id,
                "findings": [f"{finding['level']}:{finding['code']}" for finding in row.findings],
            },
        )

    # -- sealed things -------------------------------------------------------------------------------

    def _seal(self, row: Any, column: str, value: Any) -> bytes:
        return self._vault.seal(json.dumps(value).encode(), place=("connections", row.id, column))

    def _all_answers(self, row: Any) -> dict[str, dict[str, str]]:
        if row.sealed_answers is None:
            return {}
        opened = self._vault.open(row.sealed_answers, place=("connections", row.id, "answers"))
        return dict(json.loads(opened))

    def _audited(self, action: str, row: Any, **states: Any) -> None:
        self._audit.record(
            action,
            project_id=row.project_id,
            organization_id=row.organization_id,
            target=("connection", row.id),
            **states,
        )


def _finding_kept(finding: Finding) -> dict[str, str]:
    return {
        "level": finding.level.value,
        "code": finding.code,
        "message": finding.message,
        "field": finding.field,
        "found": finding.found,
    }
