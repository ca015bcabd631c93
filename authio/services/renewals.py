"""Renewals: certificates that are about to end, and metadata that is read again before they do."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from authio.clock import Clock
from authio.crypto import Vault
from authio.db import Unit, after_commit
from authio.models import ConnectionState, certificate_reminders, connections
from authio.protocols.saml import SamlSettings
from authio.queue import Bell
from authio.services.audit import Audit
from authio.services.events import Events
from authio.services.known import Known
from authio.wire.certificate import renewal_required_out, renewed_out, settings_waiting_out

EVERY = timedelta(hours=24)
"""How often a connection is looked after: its certificates, and its metadata where that has an address."""
AGAIN_AFTER = timedelta(hours=1)
"""When to try again if the metadata could not be read; also how long one worker has for a look."""
HURRY_EVERY = timedelta(minutes=10)
"""How soon after one look sign-ins that fail by an unknown key may bring about the next."""
REMINDERS = (1, 7, 14, 30, 60)
"""Days before a certificate's end at which the vendor is told, each once."""

_t, _r = connections.c, certificate_reminders.c
_LIVE = (
    _t.protocol == "saml",
    _t.state.in_((ConnectionState.ACTIVE.value, ConnectionState.VALIDATING.value)),
)
_DUE = sa.or_(_t.refresh_due_at.is_(None), _t.refresh_due_at <= sa.bindparam("now"))
_REMIND = {
    "postgresql": postgresql.insert(certificate_reminders).on_conflict_do_nothing().returning(_r.days),
    "sqlite": sqlite.insert(certificate_reminders).on_conflict_do_nothing().returning(_r.days),
}


@dataclass(frozen=True)
class Look:
    """One look after one connection: its row, and the settings it has now."""

    row: Any
    settings: SamlSettings


class Renewals:
    """Looks after the live SAML connections. What is in use is never replaced by what does not hold."""

    def __init__(
        self,
        session: Unit,
        connection: sa.Connection,
        clock: Clock,
        vault: Vault,
        known: Known,
        bell: Bell,
        events: Events,
        audit: Audit,
    ) -> None:
        self._session, self._connection, self._clock, self._vault = session, connection, clock, vault
        self._known, self._bell, self._events, self._audit = known, bell, events, audit

    def due(self, limit: int) -> list[str]:
        """The connections that have not been looked after for too long."""
        statement = sa.select(_t.id).where(*_LIVE, _DUE).order_by(_t.refresh_due_at).limit(limit)
        return list(self._connection.execute(statement, {"now": self._clock.now()}).scalars())

    def begin(self, connection_id: str) -> Look | None:
        """Take a look that is due, and send the reminders that are; None if somebody else has it.

        The metadata is not read here: that waits for somebody else's server.
        """
        now = self._clock.now()
        row = self._connection.execute(
            sa.update(connections)
            .where(_t.id == connection_id, *_LIVE, _DUE)
            .values(refresh_due_at=now + AGAIN_AFTER)
            .returning(connections),
            {"now": now},
        ).one_or_none()
        settings = None if row is None else self._known.settings(row)
        if row is None or not isinstance(settings, SamlSettings):
            return None
        self._remind(row, settings, now)
        if not settings.metadata_url:
            self._done(row, now)
        return Look(row, settings)

    def read(self, look: Look, found: SamlSettings) -> None:
        """The metadata was read and holds: take new certificates over, and set anything else aside."""
        now = self._clock.now()
        before = self._known.settings(self._held(look.row))
        if before != look.settings:
            # Somebody saved meanwhile; the next look sees that.
            return
        if _differences(look.settings, found):
            self._set_aside(look, found, now)
        elif set(found.certificates) != set(look.settings.certificates):
            self._take_over(look, found, now)
        else:
            self._done(look.row, now, sealed_refreshed=None)

    def unreadable(self, look: Look, code: str) -> None:
        """The metadata could not be read, or does not hold. The last good copy stays; it is told once."""
        if look.row.refresh_failure is None:
            self._events.record(
                "sso.connection.metadata_refresh_failed",
                settings_waiting_out(look.row, code=code),
                project_id=look.row.project_id,
                organization_id=look.row.organization_id,
            )
            self._audited("connection.metadata_refresh_failed", look.row, {"code": code})
        self._connection.execute(
            sa.update(connections).where(_t.id == look.row.id).values(refresh_failure=code)
        )

    def hurry(self, row: Any) -> None:
        """A signature failed by a key that is not known: look soon, unless that was done just now."""
        now = self._clock.now()
        hurried = self._connection.execute(
            sa.update(connections)
            .where(
                _t.id == row.id,
                *_LIVE,
                sa.or_(_t.refreshed_at.is_(None), _t.refreshed_at <= now - HURRY_EVERY),
            )
            .values(refresh_due_at=now, refreshed_at=now)
        ).rowcount
        if hurried:
            after_commit(self._session, partial(self._ring, row.id))

    def _ring(self, connection_id: str) -> None:
        self._bell.ring("look_after_connections", connection_id)

    # -- inside --------------------------------------------------------------------------------------

    def _held(self, row: Any) -> Any:
        """The row as it is now, and nobody else changes it before this transaction ends."""
        return (
            self._connection.execute(
                sa.select(connections).where(_t.id == row.id).with_for_update()
            ).one_or_none()
            or row
        )

    def _remind(self, row: Any, settings: SamlSettings, now: datetime) -> None:
        for certificate in settings.read_certificates():
            left = (certificate.not_after - now).days if certificate.not_after > now else 0
            days = next((limit for limit in REMINDERS if left <= limit), None)
            if days is None:
                continue
            days = 0 if certificate.not_after <= now else days
            told = self._connection.execute(
                _REMIND[self._connection.dialect.name],
                {"connection_id": row.id, "sha256": certificate.sha256, "days": days, "created_at": now},
            ).one_or_none()
            if told is not None:
                self._events.record(
                    "connection.saml_certificate_renewal_required",
                    renewal_required_out(row, certificate, now=now),
                    project_id=row.project_id,
                    organization_id=row.organization_id,
                )

    def _take_over(self, look: Look, found: SamlSettings, now: datetime) -> None:
        known = {certificate.sha256 for certificate in look.settings.read_certificates()}
        new = [certificate for certificate in found.read_certificates() if certificate.sha256 not in known]
        self._done(
            look.row,
            now,
            sealed_settings=self._sealed_settings(look.row, found),
            sealed_refreshed=None,
            version=_t.version + 1,
            updated_at=now,
        )
        self._events.record_all(
            [("connection.saml_certificate_renewed", renewed_out(look.row, one, now=now)) for one in new],
            project_id=look.row.project_id,
            organization_id=look.row.organization_id,
        )
        self._audited(
            "connection.certificates_renewed",
            look.row,
            {"certificates": [one.sha256 for one in found.read_certificates()]},
            before={"certificates": sorted(known)},
        )

    def _set_aside(self, look: Look, found: SamlSettings, now: datetime) -> None:
        row, settings, sealed = look.row, look.settings, look.row.sealed_refreshed
        before = None if sealed is None else json.loads(self._vault.open(sealed, place=_place(row)))
        values = found.to_json()
        if before != values:
            self._events.record(
                "sso.connection.metadata_changed",
                settings_waiting_out(row),
                project_id=row.project_id,
                organization_id=row.organization_id,
            )
            self._audited("connection.metadata_changed", row, {"differs": _differences(settings, found)})
        self._done(
            row, now, sealed_refreshed=self._vault.seal(json.dumps(values).encode(), place=_place(row))
        )

    def _sealed_settings(self, row: Any, found: SamlSettings) -> bytes:
        place = ("connections", row.id, "settings")
        kept = json.loads(self._vault.open(row.sealed_settings, place=place))
        return self._vault.seal(json.dumps({**kept, **found.to_json()}).encode(), place=place)

    def _done(self, row: Any, now: datetime, **values: Any) -> None:
        # Spread out, so that a restart does not make all of them due in the same minute for ever after.
        wait = EVERY * random.uniform(0.9, 1.1)  # noqa: S311 - jitter, not a secret
        self._connection.execute(
            sa.update(connections)
            .where(_t.id == row.id)
            .values(refreshed_at=now, refresh_due_at=now + wait, refresh_failure=None, **values)
        )

    def _audited(
        self, action: str, row: Any, after: Mapping[str, Any], *, before: Mapping[str, Any] | None = None
    ) -> None:
        self._audit.record(
            action,
            project_id=row.project_id,
            organization_id=row.organization_id,
            target=("connection", row.id),
            before=before,
            after=after,
        )


def _place(row: Any) -> tuple[str, str, str]:
    return ("connections", row.id, "refreshed")


_PERSONS = ("idp_entity_id", "sso_redirect_url", "sso_post_url", "want_authn_requests_signed")
"""What only a person may change: who the identity provider is, and how it is spoken to."""


def _differences(one: SamlSettings, other: SamlSettings) -> list[str]:
    """Which of those differ."""
    return [name for name in _PERSONS if getattr(one, name) != getattr(other, name)]
