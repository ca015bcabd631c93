"""Our own keys for one SAML connection: requests are signed with them, assertions are encrypted to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import rsa

from authio.clock import Clock
from authio.crypto import Vault
from authio.ids import new_id
from authio.models import KeyUse, connections, sp_keys
from authio.protocols.key_pairs import KeyPair, new_key_pair
from authio.protocols.saml_request import RequestSigner
from authio.services.audit import Audit
from authio.services.known import Known

OVERLAP = timedelta(days=14)
"""How long a new key is published beside the old one: providers read our metadata daily, or a person does."""

_k = sp_keys.c
_OF = sa.select(sp_keys).where(_k.connection_id == sa.bindparam("connection")).order_by(_k.id.desc())


class SpKeys:
    """Key pairs of a connection, newest first. A draft that edits a live connection uses that one's."""

    def __init__(
        self, connection: sa.Connection, clock: Clock, vault: Vault, known: Known, audit: Audit
    ) -> None:
        self._connection, self._clock, self._vault = connection, clock, vault
        self._known, self._audit = known, audit

    def all(self, connection_id: str) -> list[Any]:
        """Every key pair there is, newest first, retired ones included."""
        return list(self._connection.execute(_OF, {"connection": connection_id}))

    def published(self, connection_id: str, use: KeyUse) -> list[Any]:
        """The key pairs that our metadata names, oldest first."""
        now = self._clock.now()
        rows = [row for row in self.all(connection_id) if row.use == use and not _is_retired(row, now)]
        return rows[::-1]

    def signer(self, connection_id: str) -> RequestSigner | None:
        """What requests are signed with, if there is a key for it.

        That is the oldest one that is published: a new one stands beside it until providers have seen it.
        """
        for row in self.published(connection_id, KeyUse.SIGNING):
            # Messages carry a certificate without the lines around it.
            body = "".join(row.certificate.splitlines()[1:-1])
            return RequestSigner(self._private(row), body)
        return None

    def decrypting(self, connection_id: str) -> Sequence[rsa.RSAPrivateKey]:
        """Every key that something may have been encrypted to, retired ones last."""
        rows = [row for row in self.all(connection_id) if row.use == KeyUse.ENCRYPTION]
        now = self._clock.now()
        rows.sort(key=lambda row: _is_retired(row, now))
        return [self._private(row) for row in rows]

    def ensure(self, row: Any, use: KeyUse, *, spare: KeyPair | None = None) -> Any:
        """The connection's newest key pair for *use*, made if there is none.

        Making one takes its time. Whoever has made a *spare* beforehand keeps no other writer waiting.
        """
        connection_id = row.edits_id or row.id
        # Two may need the first one at once: the connection's row makes them take turns.
        self._connection.execute(
            sa.select(connections.c.id).where(connections.c.id == connection_id).with_for_update()
        )
        published = self.published(connection_id, use)
        return published[-1] if published else self._make(row, connection_id, use, spare)

    def rotate(self, row: Any, use: KeyUse) -> Any:
        """A new key pair beside those there are; they retire when :data:`OVERLAP` has passed.

        Until then requests are signed with the old one. What was encrypted to a retired one still opens.
        """
        self.ensure(row, use)
        connection_id = row.edits_id or row.id
        self._connection.execute(
            sa.update(sp_keys)
            .where(_k.connection_id == connection_id, _k.use == use.value, _k.retired_at.is_(None))
            .values(retired_at=self._clock.now() + OVERLAP)
        )
        return self._make(row, connection_id, use)

    def _make(self, row: Any, connection_id: str, use: KeyUse, spare: KeyPair | None = None) -> Any:
        key_id, now = new_id("sp_key"), self._clock.now()
        pair = spare or new_key_pair(connection_id, now=now)
        made = self._connection.execute(
            sa.insert(sp_keys)
            .values(
                id=key_id,
                connection_id=connection_id,
                use=use.value,
                certificate=pair.certificate,
                sealed_key=self._vault.seal(pair.key, place=("sp_keys", key_id, "key")),
                created_at=now,
                retired_at=None,
            )
            .returning(sp_keys)
        ).one()
        self._audit.record(
            "sp_key.created",
            project_id=row.project_id,
            organization_id=row.organization_id,
            target=("connection", connection_id),
            after={"sp_key_id": key_id, "use": use.value},
        )
        return made

    def _private(self, row: Any) -> rsa.RSAPrivateKey:
        return self._known.keys.private(self._vault.open(row.sealed_key, place=("sp_keys", row.id, "key")))


def _is_retired(row: Any, now: datetime) -> bool:
    return row.retired_at is not None and row.retired_at <= now
