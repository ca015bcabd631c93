"""Organizations and their domains: made, changed, found, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from authio.clock import Clock
from authio.errors import BadRequest, NotFound
from authio.ids import new_id
from authio.models import DomainState, connections, organization_domains, organizations
from authio.services.audit import Audit
from authio.services.events import Events
from authio.services.pages import Cursor, Page, page
from authio.wire.connection import connection_deleted_out
from authio.wire.organization import organization_domain_out, organization_out

_t = organizations.c
_d = organization_domains.c
_BY_ID = sa.select(organizations).where(_t.project_id == sa.bindparam("project"), _t.id == sa.bindparam("id"))
_HOLD = _BY_ID.with_for_update()
_SET_STATE = (
    sa.update(organization_domains)
    .where(_d.id == sa.bindparam("domain_id"))
    .values(
        state=sa.bindparam("to"),
        verification_strategy=sa.bindparam("strategy"),
        updated_at=sa.bindparam("now"),
    )
)
_DOMAINS = (
    sa.select(organization_domains).where(_d.organization_id == sa.bindparam("organization")).order_by(_d.id)
)


# A domain as a caller names it. Without a state it is pending if it is new, else as it is.
NamedDomain = tuple[str, DomainState | None]


class Organizations:
    """The enterprise customers of one project. Nothing is found without naming the project."""

    def __init__(self, connection: sa.Connection, clock: Clock, events: Events, audit: Audit) -> None:
        self._connection, self._clock, self._events, self._audit = connection, clock, events, audit

    def get(self, project_id: str, organization_id: str) -> Any:
        """One organization; NotFound (``organization_not_found``), also for another project's."""
        return self._found(self._connection.execute(_BY_ID, {"project": project_id, "id": organization_id}))

    def hold(self, project_id: str, organization_id: str) -> Any:
        """As :meth:`get`, and nobody else changes its links, drafts or events in the meantime."""
        return self._found(self._connection.execute(_HOLD, {"project": project_id, "id": organization_id}))

    def by_external_id(self, project_id: str, external_id: str) -> Any:
        """The organization the vendor knows as *external_id*; NotFound."""
        return self._found(
            self._connection.execute(
                sa.select(organizations).where(_t.project_id == project_id, _t.external_id == external_id)
            )
        )

    @staticmethod
    def _found(result: Any) -> Any:
        row = result.one_or_none()
        if row is None:
            raise NotFound("organization_not_found")
        return row

    def domains(self, organization_id: str) -> list[Any]:
        """The organization's domains, oldest first."""
        return list(self._connection.execute(_DOMAINS, {"organization": organization_id}))

    def domains_of(self, organization_ids: Iterable[str]) -> dict[str, list[Any]]:
        """The domains of several organizations in one statement."""
        ids = list(organization_ids)
        found: dict[str, list[Any]] = {one: [] for one in ids}
        if ids:
            for row in self._connection.execute(
                sa.select(organization_domains).where(_d.organization_id.in_(ids)).order_by(_d.id)
            ):
                found[row.organization_id].append(row)
        return found

    def page(
        self, project_id: str, cursor: Cursor, *, domains: Sequence[str] = (), search: str | None = None
    ) -> Page:
        """One page of the project's organizations: with one of *domains*, with *search* in the name."""
        statement = sa.select(organizations).where(_t.project_id == project_id)
        if domains:
            owners = sa.select(_d.organization_id).where(
                _d.project_id == project_id, _d.domain.in_(list(domains))
            )
            statement = statement.where(_t.id.in_(owners))
        if search:
            statement = statement.where(_t.name.icontains(search, autoescape=True))
        return page(self._connection, statement, _t.id, cursor)

    def create(
        self,
        project_id: str,
        *,
        name: str,
        external_id: str | None = None,
        metadata: Mapping[str, str] | None = None,
        domains: Sequence[NamedDomain] = (),
        allow_profiles_outside_organization: bool = False,
    ) -> Any:
        """A new organization with its domains. BadRequest ``external_id_already_used``."""
        now = self._clock.now()
        values = {
            "id": new_id("organization"),
            "project_id": project_id,
            "name": name,
            "external_id": external_id,
            "metadata": dict(metadata or {}),
            "allow_profiles_outside_organization": allow_profiles_outside_organization,
            "event_sequence": 0,
            "created_at": now,
            "updated_at": now,
        }
        row = self._write(sa.insert(organizations).values(**values).returning(organizations))
        made = self._add_domains(row, domains)
        self._events.record_all(
            [("organization.created", organization_out(row, made))]
            + [("organization_domain.created", organization_domain_out(domain)) for domain in made],
            project_id=project_id,
            organization_id=row.id,
        )
        self._audited("organization.created", row, after=organization_out(row, made))
        return row

    def update(self, organization: Any, changes: Mapping[str, Any]) -> Any:
        """Change what is named in *changes* (columns, and ``domains`` which replaces the set)."""
        before_domains = self.domains(organization.id)
        before = organization_out(organization, before_domains)
        changed = dict(changes)
        wanted = changed.pop("domains", None)
        row = self._write(
            sa.update(organizations)
            .where(_t.id == organization.id)
            .values(**changed, updated_at=self._clock.now())
            .returning(organizations)
        )
        happened: list[tuple[str, Mapping[str, Any]]] = []
        if wanted is not None:
            happened = self._replace_domains(row, before_domains, wanted)
        after = organization_out(row, self.domains(row.id))
        self._events.record_all(
            [("organization.updated", after), *happened], project_id=row.project_id, organization_id=row.id
        )
        self._audited("organization.updated", row, before=before, after=after)
        return row

    def delete(self, organization: Any) -> None:
        """Delete the organization with its domains, links and connections; the last events tell of it."""
        domains = self.domains(organization.id)
        gone = organization_out(organization, domains)
        deleted = [
            ("connection.deleted", connection_deleted_out(row))
            for row in self._connection.execute(
                sa.select(connections)
                .where(connections.c.organization_id == organization.id, connections.c.state != "draft")
                .order_by(connections.c.id)
            )
        ]
        self._events.record_all(
            [*deleted, ("organization.deleted", gone)],
            project_id=organization.project_id,
            organization_id=organization.id,
        )
        self._connection.execute(sa.delete(organizations).where(_t.id == organization.id))
        self._audited("organization.deleted", organization, before=gone)

    def _add_domains(self, organization: Any, domains: Sequence[NamedDomain]) -> list[Any]:
        now = self._clock.now()
        rows = [
            {
                "id": new_id("organization_domain"),
                "project_id": organization.project_id,
                "organization_id": organization.id,
                "domain": domain,
                "state": (state or DomainState.PENDING).value,
                "verification_strategy": _strategy(state),
                "created_at": now,
                "updated_at": now,
            }
            for domain, state in domains
        ]
        if rows:
            self._connection.execute(sa.insert(organization_domains), rows)
        return self.domains(organization.id)

    def _replace_domains(
        self, organization: Any, present: Sequence[Any], wanted: Sequence[NamedDomain]
    ) -> list[tuple[str, Mapping[str, Any]]]:
        named = dict(wanted)
        gone = [row for row in present if row.domain not in named]
        kept = {row.domain for row in present}
        changed = {
            row.id: named[row.domain] for row in present if named.get(row.domain) not in (None, row.state)
        }
        if gone:
            self._connection.execute(
                sa.delete(organization_domains).where(_d.id.in_([row.id for row in gone]))
            )
        self._set_states(changed)
        after = self._add_domains(
            organization, [(domain, state) for domain, state in wanted if domain not in kept]
        )
        happened = [("organization_domain.deleted", row) for row in gone]
        happened += [("organization_domain.updated", row) for row in after if row.id in changed]
        happened += [
            ("organization_domain.verified", row)
            for row in after
            if row.id in changed and row.state == DomainState.VERIFIED
        ]
        happened += [("organization_domain.created", row) for row in after if row.domain not in kept]
        return [(type, organization_domain_out(row)) for type, row in happened]

    def _set_states(self, changed: Mapping[str, DomainState | None]) -> None:
        if changed:
            now = self._clock.now()
            self._connection.execute(
                _SET_STATE,
                [
                    {"domain_id": one, "to": state.value, "strategy": _strategy(state), "now": now}
                    for one, state in changed.items()
                    if state is not None
                ],
            )

    def _write(self, statement: Any) -> Any:
        try:
            with self._connection.begin_nested():
                return self._connection.execute(statement).one()
        except exc.IntegrityError:
            raise BadRequest("external_id_already_used") from None

    def _audited(self, action: str, row: Any, **states: Any) -> None:
        self._audit.record(
            action,
            project_id=row.project_id,
            organization_id=row.id,
            target=("organization", row.id),
            **states,
        )


def _strategy(state: DomainState | None) -> str:
    """How a domain in *state* was or will be verified: by the vendor's word, or by a record in the DNS."""
    return "manual" if state is DomainState.VERIFIED else "dns"
