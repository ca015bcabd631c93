"""Sign-in attempts as rows: one per try, ended once, forgotten in part after some days."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from authio.clock import Clock, wire_time
from authio.crypto import Vault, digest
from authio.db import Json
from authio.errors import NotFound
from authio.ids import new_id
from authio.models import AttemptKind, AttemptStatus, sign_in_attempts
from authio.protocols.refusals import SignInRefused
from authio.services.actor import Actor
from authio.services.leaving import Leaving, Wanted
from authio.services.pages import Cursor, Page, page
from authio.services.targets import Target

LIFETIME = timedelta(minutes=10)
"""How long a person may take at the identity provider."""
LOOKED_THROUGH = 1000
"""Attempts among which those of one status are looked for."""
_USER_AGENT_LENGTH = 500

_a = sign_in_attempts.c
_STARTED = _a.status == AttemptStatus.STARTED.value
_INSERT = sa.insert(sign_in_attempts)
_BY_HANDLE = sa.select(sign_in_attempts).where(_a.handle_digest == sa.bindparam("handle"))
_END = (
    sa.update(sign_in_attempts)
    .where(_a.id == sa.bindparam("attempt"), _STARTED)
    .values(
        status=sa.bindparam("ended"),
        steps=sa.bindparam("told", type_=Json),
        refusal=sa.bindparam("code"),
        found=sa.bindparam("was"),
        expected=sa.bindparam("should_be"),
        sealed_profile=sa.bindparam("person"),
        sealed_answer=sa.bindparam("answer"),
        email=sa.bindparam("address"),
        finished_at=sa.bindparam("now"),
    )
    .returning(sign_in_attempts)
)
_NOTE_STRAY = (
    sa.update(sign_in_attempts)
    .where(_a.id == sa.bindparam("attempt"), _STARTED)
    .values(refusal=sa.bindparam("code"))
)
_TIME_OUT = (
    sa.update(sign_in_attempts)
    .where(_a.id == sa.bindparam("attempt"), _STARTED)
    .values(status=AttemptStatus.TIMED_OUT.value, finished_at=sa.bindparam("now"))
    .returning(sign_in_attempts)
)
_OVERDUE = (
    sa.select(_a.id)
    .where(_STARTED, _a.expires_at <= sa.bindparam("now"))
    .order_by(_a.expires_at)
    .limit(sa.bindparam("most"))
)
_FORGET = (
    sa.update(sign_in_attempts)
    .where(_a.forget_at <= sa.bindparam("now"))
    .values(
        forget_at=None,
        steps=[],
        found=None,
        expected=None,
        email=None,
        ip_address=None,
        user_agent=None,
        app_state=None,
        sealed_secrets=None,
        sealed_answer=None,
        sealed_profile=None,
    )
)


@dataclass(frozen=True)
class Waiting:
    """An attempt as it was found by its handle, with the secrets its answer is held against."""

    row: Any = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)

    def is_by(self, browser: str | None) -> bool:
        """Whether the browser with this cookie is the one that began."""
        return browser is not None and digest(browser) == self.row.browser_digest


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an attempt ends: with the profile on the wire, or with a refusal. ``answer`` is what had come."""

    facts: Mapping[str, Any]
    answer: bytes = field(default=b"", repr=False)
    profile: Mapping[str, Any] | None = field(default=None, repr=False)
    refused: SignInRefused | None = None


class Attempts:
    """Rows are written whole; an attempt that has ended never changes, but for what is forgotten."""

    def __init__(
        self, connection: sa.Connection, clock: Clock, vault: Vault, actor: Actor, *, details: timedelta
    ) -> None:
        self._connection, self._clock, self._vault = connection, clock, vault
        self._actor, self._details = actor, details

    def add(
        self, target: Target, wanted: Wanted, leaving: Leaving, *, browser: str, portal_session_id: str | None
    ) -> Any:
        """An attempt that leaves now. With a portal session it is a test."""
        kind = AttemptKind.LIVE if portal_session_id is None else AttemptKind.TEST
        row = self._row(target, wanted, kind)
        secrets = {**leaving.secrets, **({"product_nonce": wanted.nonce} if wanted.nonce else {})}
        return self._written(
            row
            | {
                "handle_digest": digest(leaving.handle),
                "browser_digest": digest(browser),
                "sealed_secrets": self._seal(row["id"], "sealed_secrets", json.dumps(secrets).encode()),
                "portal_session_id": portal_session_id,
                "steps": [self._step("sent", leaving.facts)],
            }
        )

    def add_ended(self, target: Target, wanted: Wanted, outcome: Outcome) -> Any:
        """An attempt that began at the identity provider, and has ended with its first message."""
        row = self._row(target, wanted, AttemptKind.LIVE)
        ending = self._ending(row["id"], outcome)
        steps = [self._step(_name(outcome), outcome.facts)]
        return self._written(row | ending | {"is_idp_initiated": True, "steps": steps})

    def end(self, waiting: Waiting, outcome: Outcome) -> Any | None:
        """The attempt as it is after *outcome*, or None if it had ended before. Of several one wins."""
        ending = self._ending(waiting.row.id, outcome)
        return self._connection.execute(
            _END,
            {
                "attempt": waiting.row.id,
                "ended": ending["status"],
                "told": [*waiting.row.steps, self._step(_name(outcome), outcome.facts)],
                "code": ending["refusal"],
                "was": ending["found"],
                "should_be": ending["expected"],
                "person": ending["sealed_profile"],
                "answer": ending["sealed_answer"],
                "address": ending["email"],
                "now": ending["finished_at"],
            },
        ).one_or_none()

    def waiting(self, handle: str) -> Waiting | None:
        """The attempt that *handle* was given for, however it stands; None if there is none."""
        row = self._connection.execute(_BY_HANDLE, {"handle": digest(handle)}).one_or_none()
        if row is None or row.sealed_secrets is None:
            return None
        return Waiting(row, json.loads(self._open(row, "sealed_secrets")))

    def is_open(self, waiting: Waiting) -> bool:
        """Whether an answer may still come."""
        row = waiting.row
        return bool(row.status == AttemptStatus.STARTED.value and row.expires_at > self._clock.now())

    def note_stray(self, waiting: Waiting, code: str) -> None:
        """An answer came by another browser. The one that began may still answer, so nothing has ended."""
        self._connection.execute(_NOTE_STRAY, {"attempt": waiting.row.id, "code": code})

    def time_out(self, most: int) -> tuple[int, list[Any]]:
        """End attempts from which nobody came back: how many of *most* were overdue, and those that ended."""
        now = self._clock.now()
        overdue = self._connection.execute(_OVERDUE, {"now": now, "most": most}).scalars().all()
        ended = [
            self._connection.execute(_TIME_OUT, {"attempt": attempt_id, "now": now}).one_or_none()
            for attempt_id in overdue
        ]
        return len(overdue), [row for row in ended if row is not None]

    def forget(self) -> None:
        """Drop the personal data of attempts whose days are over."""
        self._connection.execute(_FORGET, {"now": self._clock.now()})

    # -- what there is to see ------------------------------------------------------------------------

    def page(
        self,
        project_id: str,
        cursor: Cursor,
        *,
        organization_id: str | None = None,
        connection_id: str | None = None,
        status: str | None = None,
    ) -> Page:
        """One page of the project's attempts."""
        statement = sa.select(sign_in_attempts).where(_a.project_id == project_id)
        if organization_id is not None:
            statement = statement.where(_a.organization_id == organization_id)
        if connection_id is not None:
            statement = statement.where(_a.connection_id == connection_id)
        if status is not None:
            statement = statement.where(_a.status == status)
        return page(self._connection, statement, _a.id, cursor)

    def recent(self, project_id: str, connection_id: str, *, status: str | None, most: int) -> list[Any]:
        """The newest attempts over one connection, of one status if it is named.

        Only so many are looked through, so that a rare status costs no more than a frequent one.
        """
        newest = (
            sa.select(_a.id)
            .where(_a.connection_id == connection_id)
            .order_by(_a.id.desc())
            .limit(LOOKED_THROUGH)
        )
        statement = sa.select(sign_in_attempts).where(_a.project_id == project_id, _a.id.in_(newest))
        if status is not None:
            statement = statement.where(_a.status == status)
        return list(self._connection.execute(statement.order_by(_a.id.desc()).limit(most)))

    def get(self, project_id: str, attempt_id: str) -> Any:
        """One attempt; NotFound (``sign_in_attempt_not_found``)."""
        row = self._connection.execute(
            sa.select(sign_in_attempts).where(_a.project_id == project_id, _a.id == attempt_id)
        ).one_or_none()
        if row is None:
            raise NotFound("sign_in_attempt_not_found")
        return row

    def profile(self, row: Any) -> dict[str, Any] | None:
        """The profile that came of it, as the product sees it; None if none did, or once it is forgotten."""
        return None if row.sealed_profile is None else dict(json.loads(self._open(row, "sealed_profile")))

    def answer(self, row: Any) -> bytes:
        """What the identity provider sent, as it came; empty if nothing did, or once it is forgotten."""
        return b"" if row.sealed_answer is None else self._open(row, "sealed_answer")

    def has_passed(self, connection: Any) -> bool:
        """Whether a test has succeeded with the very settings that this connection's row has now."""
        statement = sa.select(_a.id).where(
            _a.connection_id == connection.id,
            _a.settings_version == connection.version,
            _a.kind == AttemptKind.TEST.value,
            _a.status == AttemptStatus.SUCCEEDED.value,
        )
        return self._connection.execute(statement.limit(1)).first() is not None

    def last_test(self, connection: Any, portal_session_id: str) -> Any | None:
        """The newest test of the visit with the very settings that this connection's row has now."""
        statement = sa.select(sign_in_attempts).where(
            _a.connection_id == connection.id,
            _a.settings_version == connection.version,
            _a.portal_session_id == portal_session_id,
        )
        return self._connection.execute(statement.order_by(_a.id.desc()).limit(1)).one_or_none()

    # -- inside --------------------------------------------------------------------------------------

    def _row(self, target: Target, wanted: Wanted, kind: AttemptKind) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "id": new_id("sign_in_attempt"),
            "project_id": target.row.project_id,
            "organization_id": target.row.organization_id,
            "connection_id": target.id,
            "kind": kind.value,
            "protocol": target.row.protocol,
            "status": AttemptStatus.STARTED.value,
            "is_idp_initiated": False,
            "handle_digest": None,
            "browser_digest": None,
            "sealed_secrets": None,
            "sealed_answer": None,
            "redirect_uri": wanted.redirect_uri,
            "app_state": wanted.state,
            "code_challenge": wanted.code_challenge,
            "portal_session_id": None,
            "settings_version": target.row.version,
            "refusal": None,
            "found": None,
            "expected": None,
            "sealed_profile": None,
            "email": None,
            "ip_address": self._actor.ip_address,
            "user_agent": (self._actor.user_agent or "")[:_USER_AGENT_LENGTH] or None,
            "created_at": now,
            "expires_at": now + LIFETIME,
            "finished_at": None,
            "forget_at": now + self._details,
        }

    def _ending(self, attempt_id: str, outcome: Outcome) -> dict[str, Any]:
        profile, refused = outcome.profile, outcome.refused
        person = None if profile is None else json.dumps(profile).encode()
        return {
            "status": (AttemptStatus.SUCCEEDED if refused is None else AttemptStatus.FAILED).value,
            "refusal": None if refused is None else refused.code,
            "found": None if refused is None else refused.found or None,
            "expected": None if refused is None else refused.expected or None,
            "sealed_profile": None if person is None else self._seal(attempt_id, "sealed_profile", person),
            "sealed_answer": self._seal(attempt_id, "sealed_answer", outcome.answer)
            if outcome.answer
            else None,
            "email": None if profile is None else profile["email"],
            "finished_at": self._clock.now(),
        }

    def _written(self, values: dict[str, Any]) -> Any:
        self._connection.execute(_INSERT, values)
        return SimpleNamespace(**values)

    def _step(self, name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {"step": name, "at": wire_time(self._clock.now()), **facts}

    def _seal(self, attempt_id: str, column: str, plain: bytes) -> bytes:
        return self._vault.seal(plain, place=("sign_in_attempts", attempt_id, column))

    def _open(self, row: Any, column: str) -> bytes:
        return self._vault.open(getattr(row, column), place=("sign_in_attempts", row.id, column))


def _name(outcome: Outcome) -> str:
    return "identified" if outcome.refused is None else "refused"
