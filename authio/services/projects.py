"""Projects and their API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from authio.clock import Clock
from authio.crypto import digest, is_api_key, new_api_key
from authio.errors import NotFound, Unauthorized
from authio.ids import new_id
from authio.models import Activation, api_keys, projects
from authio.services.audit import Audit

# How stale `last_used_at` may be before it is written again, so that reading does not become writing.
USED_EVERY = timedelta(minutes=1)

_k = api_keys.c
_BY_DIGEST = sa.select(api_keys).where(_k.digest == sa.bindparam("digest"), _k.revoked_at.is_(None))
_PROJECT = sa.select(projects).where(projects.c.id == sa.bindparam("id"))


class Projects:
    """One product of the vendor's, in one stage, and the keys its backend proves itself by."""

    def __init__(self, connection: sa.Connection, clock: Clock, audit: Audit) -> None:
        self._connection, self._clock, self._audit = connection, clock, audit

    def create(self, name: str, *, activation: Activation = Activation.ON_SAVE) -> Any:
        """A new project, without keys."""
        now = self._clock.now()
        project_id = new_id("project")
        row = self._connection.execute(
            sa.insert(projects)
            .values(
                id=project_id,
                name=name,
                client_id=new_id("client"),
                activation=activation.value,
                event_sequence=0,
                created_at=now,
                updated_at=now,
            )
            .returning(projects)
        ).one()
        self._audit.record(
            "project.created", project_id=row.id, target=("project", row.id), after={"name": name}
        )
        return row

    def get(self, project_id: str) -> Any:
        """One project; NotFound (``project_not_found``)."""
        row = self._connection.execute(_PROJECT, {"id": project_id}).one_or_none()
        if row is None:
            raise NotFound("project_not_found")
        return row

    def all(self) -> list[Any]:
        """Every project, oldest first."""
        return list(self._connection.execute(sa.select(projects).order_by(projects.c.id)))

    def reachable(self) -> None:
        """Raises what any other statement would raise, if the database cannot be used."""
        self._connection.execute(sa.select(projects.c.id).limit(1)).first()

    def add_key(self, project_id: str, *, name: str = "") -> tuple[Any, str]:
        """A new API key: ``(row, key)``. The key is shown this once; only its digest is kept."""
        key = new_api_key()
        row = self._connection.execute(
            sa.insert(api_keys)
            .values(
                id=new_id("api_key"),
                project_id=project_id,
                name=name,
                digest=digest(key),
                ending=key[-4:],
                created_at=self._clock.now(),
            )
            .returning(api_keys)
        ).one()
        self._audit.record(
            "api_key.created",
            project_id=project_id,
            target=("api_key", row.id),
            after={"name": name, "ending": row.ending},
        )
        return row, key

    def keys(self, project_id: str) -> list[Any]:
        """The project's keys, oldest first, revoked ones included."""
        return list(
            self._connection.execute(sa.select(api_keys).where(_k.project_id == project_id).order_by(_k.id))
        )

    def revoke_key(self, project_id: str, key_id: str) -> None:
        """Make a key worthless at once, in every process; NotFound (``api_key_not_found``)."""
        changed = self._connection.execute(
            sa.update(api_keys)
            .where(_k.project_id == project_id, _k.id == key_id, _k.revoked_at.is_(None))
            .values(revoked_at=self._clock.now())
        ).rowcount
        if not changed:
            raise NotFound("api_key_not_found")
        self._audit.record("api_key.revoked", project_id=project_id, target=("api_key", key_id))

    def key_of(self, secret: str) -> Any:
        """The live key with this secret; Unauthorized (``invalid_api_key``)."""
        row = None
        if is_api_key(secret):
            row = self._connection.execute(_BY_DIGEST, {"digest": digest(secret)}).one_or_none()
        if row is None:
            raise Unauthorized("invalid_api_key")
        return row

    def is_use_stale(self, key: Any) -> bool:
        """Whether the key's last use should be written down again."""
        return key.last_used_at is None or self._clock.now() - key.last_used_at >= USED_EVERY

    def note_used(self, key: Any) -> None:
        """Write down that the key was used just now."""
        self._connection.execute(
            sa.update(api_keys).where(_k.id == key.id).values(last_used_at=self._clock.now())
        )
