"""Signing keys: what a project's ID tokens are signed with, and its products check them by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from authio.clock import Clock
from authio.crypto import Vault
from authio.ids import new_id
from authio.models import projects, signing_keys
from authio.protocols import id_tokens
from authio.protocols.key_pairs import KeyPair, new_key_pair
from authio.services.audit import Audit
from authio.services.known import Known

_k = signing_keys.c
_LIVE = (
    sa.select(signing_keys)
    .where(_k.project_id == sa.bindparam("project"), _k.retired_at.is_(None))
    .order_by(_k.id.desc())
)


class SigningKeys:
    """One RSA key per project, made when it is first needed."""

    def __init__(
        self, connection: sa.Connection, clock: Clock, vault: Vault, known: Known, audit: Audit, base_url: str
    ) -> None:
        self._connection, self._clock, self._vault = connection, clock, vault
        self._known, self._audit, self._base_url = known, audit, base_url

    def key_set(self, project_id: str) -> list[dict[str, Any]]:
        """The public keys, newest first; empty while nothing has been signed."""
        return [id_tokens.public_jwk(row.certificate, key_id=row.id) for row in self._live(project_id)]

    def ensure(self, project_id: str, *, spare: KeyPair | None = None) -> Any:
        """The key that signs now, made if there is none. Needs a writing transaction.

        Making one takes its time. Whoever has made a *spare* beforehand keeps no other writer waiting.
        """
        found = self._live(project_id)
        if found:
            return found[0]
        # Two may need the first one at once: the project's row makes them take turns.
        self._connection.execute(
            sa.select(projects.c.id).where(projects.c.id == project_id).with_for_update()
        )
        found = self._live(project_id)
        return found[0] if found else self._make(project_id, spare)

    def id_token(self, project_id: str, *, client_id: str, profile: Mapping[str, Any], nonce: str) -> str:
        """A signed statement of who signed in, for the product that gave *nonce*."""
        row = self.ensure(project_id)
        pem = self._vault.open(row.sealed_key, place=("signing_keys", row.id, "key"))
        return id_tokens.issue(
            self._known.keys.private(pem),
            key_id=row.id,
            issuer=self._base_url,
            audience=client_id,
            profile=profile,
            nonce=nonce,
            now=self._clock.now(),
        )

    def _live(self, project_id: str) -> list[Any]:
        return list(self._connection.execute(_LIVE, {"project": project_id}))

    def _make(self, project_id: str, spare: KeyPair | None) -> Any:
        key_id, now = new_id("signing_key"), self._clock.now()
        pair = spare or new_key_pair(project_id, now=now)
        row = self._connection.execute(
            sa.insert(signing_keys)
            .values(
                id=key_id,
                project_id=project_id,
                certificate=pair.certificate,
                sealed_key=self._vault.seal(pair.key, place=("signing_keys", key_id, "key")),
                created_at=now,
                retired_at=None,
            )
            .returning(signing_keys)
        ).one()
        self._audit.record("signing_key.created", project_id=project_id, target=("signing_key", key_id))
        return row
