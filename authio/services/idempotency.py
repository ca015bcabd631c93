"""Answers already given to POSTs that carried an ``Idempotency-Key``, so that a repeated one acts once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite

from authio.clock import Clock
from authio.crypto import Vault
from authio.errors import Conflict
from authio.models import idempotency_records

SHOWN_FOR = timedelta(minutes=10)
"""How long a repeated POST gets the very bytes of the first answer, its secrets among them."""
KEPT_FOR = timedelta(hours=24)
"""How long a record is kept at least."""

_t = idempotency_records.c
_LOCK_TIMEOUT = "55P03"
_INSERTS = {
    "postgresql": postgresql.insert(idempotency_records).on_conflict_do_nothing().returning(_t.key),
    "sqlite": sqlite.insert(idempotency_records).on_conflict_do_nothing().returning(_t.key),
}
_MINE = (_t.project_id == sa.bindparam("project"), _t.key == sa.bindparam("wanted"))
_FIND = sa.select(idempotency_records).where(*_MINE)
_FINISH = (
    sa.update(idempotency_records)
    .where(*_MINE)
    .values(status=sa.bindparam("answered"), sealed_body=sa.bindparam("sealed"), body=sa.bindparam("lasting"))
)


@dataclass(frozen=True)
class Given:
    """The answer that was given before."""

    status: int
    body: bytes


class Idempotency:
    """The record is the first thing its transaction writes, and becomes true with the act or not at all.

    An act that is refused leaves no record, so it may be tried again under the same key.
    """

    def __init__(self, connection: sa.Connection, clock: Clock, vault: Vault) -> None:
        self._connection, self._clock, self._vault = connection, clock, vault

    def claim(self, project_id: str, key: str, request_digest: bytes) -> Given | None:
        """Take *key* for this request; what was answered before, if it is a repeated one.

        A request with the same key that is under way is waited for. Conflict ``idempotency_in_progress``
        if it takes too long, ``idempotency_error`` if the key belongs to another request.
        """
        record = {
            "project_id": project_id,
            "key": key,
            "request_digest": request_digest,
            "created_at": self._clock.now(),
        }
        try:
            insert = _INSERTS[self._connection.dialect.name]
            # Asked for by RETURNING: not every driver counts the rows of an insert.
            made = self._connection.execute(insert, record).one_or_none()
        except exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_TIMEOUT:
                raise Conflict("idempotency_in_progress", headers={"Retry-After": "1"}) from None
            raise
        if made is not None:
            return None
        before = self._connection.execute(_FIND, {"project": project_id, "wanted": key}).one_or_none()
        if before is None or before.status is None:
            raise Conflict("idempotency_in_progress", headers={"Retry-After": "1"})
        if before.request_digest != request_digest:
            raise Conflict("idempotency_error")
        if before.sealed_body is not None and self._clock.now() - before.created_at < SHOWN_FOR:
            return Given(before.status, self._vault.open(before.sealed_body, place=_place(project_id, key)))
        return Given(before.status, before.body)

    def finish(
        self, project_id: str, key: str, *, status: int, body: bytes, once: frozenset[str] = frozenset()
    ) -> None:
        """Keep the answer: whole and sealed for ten minutes, for longer without what *once* names."""
        sealed, lasting = None, body
        if once:
            sealed = self._vault.seal(body, place=_place(project_id, key))
            lasting = _without(json.loads(body), once)
        self._connection.execute(
            _FINISH,
            {"project": project_id, "wanted": key, "answered": status, "sealed": sealed, "lasting": lasting},
        )

    def forget(self) -> None:
        """Throw away what nobody will ask for again: sealed answers first, whole records a day later."""
        now = self._clock.now()
        self._connection.execute(
            sa.update(idempotency_records)
            .where(_t.created_at <= now - SHOWN_FOR, _t.sealed_body.is_not(None))
            .values(sealed_body=None)
        )
        self._connection.execute(sa.delete(idempotency_records).where(_t.created_at < now - KEPT_FOR))


def _without(body: Mapping[str, Any], keys: frozenset[str]) -> bytes:
    lasting = {key: value for key, value in body.items() if key not in keys}
    return json.dumps(lasting, ensure_ascii=False, separators=(",", ":")).encode()


def _place(project_id: str, key: str) -> tuple[str, str, str]:
    return ("idempotency_records", f"{project_id}/{key}", "sealed_body")
