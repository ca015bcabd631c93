"""What may happen. ``Services`` is the wiring page: who gets which collaborator.

A web request, a background task and a command build the same object over their own transaction, so a
service cannot tell which of them is calling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from authio.clock import Clock
from authio.crypto import Vault
from authio.db import Unit, connection_of
from authio.plugin import Plugins
from authio.queue import Bell
from authio.services.actor import Actor
from authio.services.admissions import Admissions
from authio.services.attempts import Attempts
from authio.services.audit import Audit
from authio.services.changes import Changes
from authio.services.connections import Connections
from authio.services.events import Events
from authio.services.grants import Grants
from authio.services.idempotency import Idempotency
from authio.services.known import Known
from authio.services.lazily import lazily
from authio.services.organizations import Organizations
from authio.services.portal_sessions import PortalSessions
from authio.services.projects import Projects
from authio.services.redirect_uris import RedirectUris
from authio.services.renewals import Renewals
from authio.services.setup_links import SetupLinks
from authio.services.sign_ins import SignIns
from authio.services.signing_keys import SigningKeys
from authio.services.sp_keys import SpKeys
from authio.services.targets import Targets
from authio.services.trail import Trail
from authio.services.webhooks import Webhooks
from authio.settings import Settings


@dataclass(frozen=True)
class Parts:
    """What lives as long as the process, and every service may be handed."""

    settings: Settings
    clock: Clock
    vault: Vault
    plugins: Plugins
    bell: Bell
    known: Known = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", Known(self.vault))


class Services:
    """Every service over one transaction, each made when it is first asked for."""

    def __init__(self, session: Unit, parts: Parts, actor: Actor) -> None:
        self.session = session
        self.parts = parts
        # Who acts may become known on the way, when a key or a cookie has been looked up.
        self.actor = actor

    @lazily
    def _connection(self) -> sa.Connection:
        return connection_of(self.session)

    @lazily
    def audit(self) -> Audit:
        return Audit(self._connection, self.parts.clock, lambda: self.actor)

    @lazily
    def trail(self) -> Trail:
        return Trail(self._connection)

    @lazily
    def webhooks(self) -> Webhooks:
        return Webhooks(
            self._connection,
            self.parts.clock,
            self.parts.vault,
            self.audit,
            self.parts.settings.webhook_retry_schedule,
        )

    @lazily
    def events(self) -> Events:
        return Events(
            self.session, self._connection, self.parts.clock, self.parts.bell, self.webhooks, self.actor
        )

    @lazily
    def projects(self) -> Projects:
        return Projects(self._connection, self.parts.clock, self.audit)

    @lazily
    def idempotency(self) -> Idempotency:
        return Idempotency(self._connection, self.parts.clock, self.parts.vault)

    @lazily
    def organizations(self) -> Organizations:
        return Organizations(self._connection, self.parts.clock, self.events, self.audit)

    @lazily
    def setup_links(self) -> SetupLinks:
        return SetupLinks(self._connection, self.parts.clock, self.events, self.audit)

    @lazily
    def portal_sessions(self) -> PortalSessions:
        return PortalSessions(self._connection, self.parts.clock, self.audit)

    @lazily
    def connections(self) -> Connections:
        return Connections(
            self._connection, self.parts.clock, self.parts.vault, self.events, self.setup_links, self.audit
        )

    @lazily
    def changes(self) -> Changes:
        return Changes(
            self._connection, self.parts.clock, self.parts.vault, self.connections, self.events, self.audit
        )

    @lazily
    def redirect_uris(self) -> RedirectUris:
        return RedirectUris(self._connection, self.parts.clock, self.audit)

    @lazily
    def targets(self) -> Targets:
        return Targets(
            self._connection,
            self.parts.plugins,
            self.parts.known,
            self.connections,
            self.parts.settings.base_url,
        )

    @lazily
    def attempts(self) -> Attempts:
        return Attempts(
            self._connection,
            self.parts.clock,
            self.parts.vault,
            self.actor,
            details=timedelta(days=self.parts.settings.sign_in_details_days),
        )

    @lazily
    def admissions(self) -> Admissions:
        return Admissions(self._connection, self.parts.clock)

    @lazily
    def grants(self) -> Grants:
        return Grants(self._connection, self.parts.clock, self.parts.vault, self.audit)

    @lazily
    def signing_keys(self) -> SigningKeys:
        return SigningKeys(
            self._connection,
            self.parts.clock,
            self.parts.vault,
            self.parts.known,
            self.audit,
            self.parts.settings.base_url,
        )

    @lazily
    def sp_keys(self) -> SpKeys:
        return SpKeys(self._connection, self.parts.clock, self.parts.vault, self.parts.known, self.audit)

    @lazily
    def renewals(self) -> Renewals:
        return Renewals(
            self.session,
            self._connection,
            self.parts.clock,
            self.parts.vault,
            self.parts.known,
            self.parts.bell,
            self.events,
            self.audit,
        )

    @lazily
    def sign_ins(self) -> SignIns:
        return SignIns(
            self.attempts,
            self.admissions,
            self.grants,
            self.connections,
            self.renewals,
            self.events,
            self.audit,
        )
