"""Targets: which connection a sign-in goes to, opened and ready to be spoken to, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from authio.models import (
    ConnectionState,
    DomainState,
    connections,
    organization_domains,
    organizations,
    projects,
)
from authio.plugin import Connector, Plugins, ServiceProvider
from authio.protocols.oidc import OidcSettings
from authio.protocols.profile import Table
from authio.protocols.saml import SamlSettings
from authio.services.connections import Connections, service_provider
from authio.services.known import Known
from authio.wire.connection import SPELLINGS
from authio.wire.oauth import AuthorizeRefused

_c, _d = connections.c, organization_domains.c
USABLE = frozenset({ConnectionState.ACTIVE.value, ConnectionState.VALIDATING.value})
_ALL = (
    sa.select(
        connections,
        organizations.c.allow_profiles_outside_organization,
        projects.c.name.label("project_name"),
    )
    .join(organizations, organizations.c.id == _c.organization_id)
    .join(projects, projects.c.id == _c.project_id)
)
_SAVED = _ALL.where(_c.project_id == sa.bindparam("project"), _c.state != ConnectionState.DRAFT.value)
_BY_ID = _ALL.where(_c.id == sa.bindparam("connection"))
_SAVED_BY_ID = _SAVED.where(_c.id == sa.bindparam("connection"))
_SAVED_BY_ORGANIZATION = _SAVED.where(_c.organization_id == sa.bindparam("organization"))
# A customer may have left many behind; three are enough to tell one from several.
_SAVED_BY_TYPE = _SAVED.where(_c.connection_type == sa.bindparam("type"), _c.state.in_(sorted(USABLE))).limit(
    3
)
_OWNERS = (
    sa.select(_d.organization_id)
    .where(
        _d.project_id == sa.bindparam("project"),
        _d.domain == sa.bindparam("domain"),
        _d.state == DomainState.VERIFIED.value,
    )
    .limit(2)
)


@dataclass(frozen=True)
class Options:
    """The switches of one connection, all of them off unless somebody turned them on."""

    idp_initiated: bool = False
    """Take responses that answer no request of ours."""
    require_both_signatures: bool = False
    allow_sha1: bool = False
    allow_cbc: bool = False
    encryption: bool = False
    """Offer a key that assertions may be encrypted to."""
    sign_requests: bool = False
    """Sign requests although the metadata does not ask for it."""

    @classmethod
    def of(cls, connection: Any) -> Options:
        """The switches of a connection's row. What is not plainly ``true`` is off."""
        stored: Mapping[str, Any] = connection.options or {}
        return cls(**{name: stored.get(name) is True for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Target:
    """A connection that people can be sent to, with everything that speaking to its provider takes."""

    row: Any = field(repr=False)
    connector: Connector
    settings: SamlSettings | OidcSettings
    sp: ServiceProvider
    options: Options

    @property
    def id(self) -> str:
        """The connection's id."""
        return str(self.row.id)

    @property
    def issuer(self) -> str:
        """The identity provider's own name."""
        if isinstance(self.settings, SamlSettings):
            return self.settings.idp_entity_id
        return self.settings.issuer

    @property
    def table(self) -> Table:
        """The connector's attribute table, with what was mapped for this connection before it."""
        mapped: Mapping[str, Sequence[str]] = self.row.attribute_map or {}
        return {
            **self.connector.attributes,
            **{name: tuple(found) for name, found in mapped.items() if found},
        }


class Targets:
    """Connections as products and identity providers name them."""

    def __init__(
        self,
        connection: sa.Connection,
        plugins: Plugins,
        known: Known,
        connections: Connections,
        base_url: str,
    ) -> None:
        self._connection, self._plugins, self._known = connection, plugins, known
        self._connections, self._base_url = connections, base_url

    def by_connection(self, project_id: str, connection_id: str) -> Target:
        """The connection of that id; AuthorizeRefused."""
        row = self._connection.execute(
            _SAVED_BY_ID, {"project": project_id, "connection": connection_id}
        ).one_or_none()
        if row is None:
            raise AuthorizeRefused("connection_invalid")
        return self._usable(row)

    def by_organization(self, project_id: str, organization_id: str) -> Target:
        """The one connection in use of that organization; AuthorizeRefused."""
        rows = self._connection.execute(
            _SAVED_BY_ORGANIZATION, {"project": project_id, "organization": organization_id}
        ).all()
        if not rows:
            raise AuthorizeRefused("organization_invalid")
        usable = [row for row in rows if row.state in USABLE]
        if len(usable) > 1:
            raise AuthorizeRefused("ambiguous_connection_selector")
        return self._usable(usable[0] if usable else rows[0])

    def by_type(self, project_id: str, connection_type: str) -> Target:
        """The project's one connection in use of that type; AuthorizeRefused."""
        named = SPELLINGS.get(connection_type, connection_type)
        rows = self._connection.execute(_SAVED_BY_TYPE, {"project": project_id, "type": named}).all()
        if not rows:
            raise AuthorizeRefused("connection_invalid")
        if len(rows) > 1:
            raise AuthorizeRefused("connection_strategy_invalid")
        return self._usable(rows[0])

    def by_address(self, project_id: str, address: str) -> Target:
        """The connection of the one organization that has verified the domain of this e-mail address."""
        domain = domain_of(address)
        owners = self._connection.execute(_OWNERS, {"project": project_id, "domain": domain}).all()
        if not domain or len(owners) != 1:
            raise AuthorizeRefused("invalid_connection_selector")
        return self.by_organization(project_id, owners[0].organization_id)

    def known(self, connection_id: str) -> Target | None:
        """A connection in whatever state, if it can be spoken to: for answers, and for tests of drafts."""
        row = self._connection.execute(_BY_ID, {"connection": connection_id}).one_or_none()
        return None if row is None else self._opened(row)

    def client_secret(self, target: Target) -> str | None:
        """What we prove ourselves with to an OpenID provider."""
        return self._connections.answers(target.row).get("client_secret") or None

    def _usable(self, row: Any) -> Target:
        target = self._opened(row) if row.state in USABLE else None
        if target is None:
            raise AuthorizeRefused("connection_unlinked")
        return target

    def _opened(self, row: Any) -> Target | None:
        settings = self._known.settings(row)
        connector = self._plugins.connector(row.connector)
        if settings is None or connector is None:
            return None
        # A draft that edits a live connection speaks with that one's addresses.
        sp = service_provider(self._base_url, row.edits_id or row.id)
        return Target(row, connector, settings, sp, Options.of(row))


def domain_of(address: str) -> str:
    """The domain of an e-mail address as domains are stored: lower case, ASCII; empty if it has none."""
    _, at, domain = address.strip().rpartition("@")
    name = domain.rstrip(".").lower() if at else ""
    try:
        return name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
