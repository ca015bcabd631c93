"""Admissions: whether the person a provider speaks of may come in, and who that is to the product."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from authio.clock import Clock
from authio.crypto import digest
from authio.ids import new_id
from authio.models import DomainState, assertion_uses, organization_domains, profiles
from authio.protocols.refusals import SamlRefused, SignInRefused
from authio.services.leaving import Identified, Use
from authio.services.targets import Target, domain_of
from authio.wire.profile import profile_out

KEPT_USES = timedelta(minutes=15)
"""Uses of assertions are kept this much longer than the assertions hold: clocks are set back."""

_d, _p, _u = organization_domains.c, profiles.c, assertion_uses.c
_VERIFIED = sa.select(_d.organization_id, _d.domain).where(
    _d.project_id == sa.bindparam("project"),
    _d.state == DomainState.VERIFIED.value,
    sa.or_(_d.domain == sa.bindparam("name"), _d.organization_id == sa.bindparam("organization")),
)
_PROFILE = sa.select(_p.id).where(
    _p.connection_id == sa.bindparam("connection"), _p.subject_digest == sa.bindparam("subject")
)
_USE = {
    "postgresql": postgresql.insert(assertion_uses).on_conflict_do_nothing().returning(_u.digest),
    "sqlite": sqlite.insert(assertion_uses).on_conflict_do_nothing().returning(_u.digest),
}
_NEW_PROFILE = {
    "postgresql": postgresql.insert(profiles).on_conflict_do_nothing().returning(_p.id),
    "sqlite": sqlite.insert(profiles).on_conflict_do_nothing().returning(_p.id),
}


class Admissions:
    """The rules that hold whatever the protocol, and the one that keeps an assertion from coming twice."""

    def __init__(self, connection: sa.Connection, clock: Clock) -> None:
        self._connection, self._clock = connection, clock

    def use(self, target: Target, identified: Identified) -> None:
        """Note that an assertion has come, whatever becomes of it; SamlRefused if it had come before."""
        if identified.use is not None:
            self._use(target, identified.use)

    def admit(self, target: Target, identified: Identified) -> dict[str, Any]:
        """The profile on the wire, or SignInRefused."""
        row, domain = target.row, domain_of(identified.profile.email)
        verified = self._connection.execute(
            _VERIFIED, {"project": row.project_id, "name": domain, "organization": row.organization_id}
        ).all()
        own = {found.domain for found in verified if found.organization_id == row.organization_id}
        if domain not in own:
            is_another_s = any(found.organization_id != row.organization_id for found in verified)
            # Of a domain that makes no sense nobody can say whose it is.
            if not domain or is_another_s or (own and not row.allow_profiles_outside_organization):
                raise SignInRefused(
                    "profile_not_allowed_outside_organization",
                    found=domain,
                    expected=", ".join(sorted(own)),
                )
        return profile_out(
            identified.profile,
            row,
            profile_id=self._profile_id(target, identified.profile.id),
            issuer=target.issuer,
            is_domain_verified=domain in own,
        )

    def forget(self) -> None:
        """Delete the uses of assertions that have long expired."""
        self._connection.execute(
            sa.delete(assertion_uses).where(_u.expires_at < self._clock.now() - KEPT_USES)
        )

    def _use(self, target: Target, use: Use) -> None:
        taken = self._connection.execute(
            _USE[self._connection.dialect.name],
            {"connection_id": target.id, "digest": use.digest, "expires_at": use.until},
        ).one_or_none()
        if taken is None:
            raise SamlRefused("saml_replayed")

    def _profile_id(self, target: Target, subject: str) -> str:
        """The same for one subject of one connection. A draft's people are the live connection's."""
        connection_id = target.row.edits_id or target.row.id
        who = {"connection": connection_id, "subject": digest(subject)}
        found = self._connection.execute(_PROFILE, who).scalar_one_or_none()
        if found is None:
            values = {
                "id": new_id("profile"),
                "project_id": target.row.project_id,
                "connection_id": connection_id,
                "subject_digest": who["subject"],
                "created_at": self._clock.now(),
            }
            insert = _NEW_PROFILE[self._connection.dialect.name]
            found = self._connection.execute(insert, values).scalar_one_or_none()
        # Somebody else may have made it in between.
        return str(found or self._connection.execute(_PROFILE, who).scalar_one())
