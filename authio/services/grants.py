"""Grants: codes that are spent once, and the access tokens that they are exchanged for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from authio.clock import Clock
from authio.crypto import Vault, digest, new_token, same
from authio.models import access_tokens, authorization_codes
from authio.services.audit import Audit

CODE_LIVES = timedelta(seconds=60)
TOKEN_LIVES = timedelta(minutes=10)
KEPT = timedelta(hours=1)
"""How long a code that has ended is remembered, so that its second use is noticed."""
TOKEN_PREFIX = "at_"  # noqa: S105 - a prefix, not a secret

_c, _t = authorization_codes.c, access_tokens.c
_INSERT_CODE = sa.insert(authorization_codes)
_INSERT_TOKEN = sa.insert(access_tokens)
_SPEND = (
    sa.update(authorization_codes)
    .where(
        _c.digest == sa.bindparam("code"),
        _c.project_id == sa.bindparam("project"),
        _c.used_at.is_(None),
        _c.expires_at > sa.bindparam("now"),
    )
    .values(used_at=sa.bindparam("now"))
    .returning(authorization_codes)
)
_REVOKE = (
    sa.update(access_tokens)
    .where(
        _t.code_digest == sa.bindparam("code"),
        _t.project_id == sa.bindparam("project"),
        _t.revoked_at.is_(None),
    )
    .values(revoked_at=sa.bindparam("now"))
    .returning(_t.digest)
)
_LIVE_TOKEN = sa.select(access_tokens).where(
    _t.digest == sa.bindparam("token"), _t.revoked_at.is_(None), _t.expires_at > sa.bindparam("now")
)


@dataclass(frozen=True)
class Granted:
    """What a code stands for: the profile on the wire, and the nonce of whoever asked for an ID token."""

    attempt_id: str
    profile: Mapping[str, Any] = field(repr=False)
    nonce: str | None = None


class Grants:
    """Codes and tokens are kept as digests; what they stand for is sealed."""

    def __init__(self, connection: sa.Connection, clock: Clock, vault: Vault, audit: Audit) -> None:
        self._connection, self._clock, self._vault, self._audit = connection, clock, vault, audit

    def issue(
        self,
        granted: Granted,
        *,
        project_id: str,
        connection_id: str,
        redirect_uri: str,
        code_challenge: str | None,
    ) -> str:
        """A new code for *granted*, good for a minute, for one use, for this project and redirect URI."""
        code, now = new_token(""), self._clock.now()
        hashed = digest(code)
        self._connection.execute(
            _INSERT_CODE,
            {
                "digest": hashed,
                "project_id": project_id,
                "attempt_id": granted.attempt_id,
                "connection_id": connection_id,
                "redirect_uri": redirect_uri,
                "code_challenge": code_challenge,
                "sealed_profile": self._seal("authorization_codes", hashed, granted),
                "expires_at": now + CODE_LIVES,
                "used_at": None,
            },
        )
        return code

    def spend(
        self, code: str, *, project_id: str, verifier: str | None, redirect_uri: str | None
    ) -> Granted | None:
        """What *code* stands for, this once; None if it is of no use to this caller.

        Whatever comes of it, the code is spent, so a None is to be committed, too. A code that comes again
        takes back the token that was given for it before.
        """
        hashed, now = digest(code), self._clock.now()
        row = self._connection.execute(
            _SPEND, {"code": hashed, "project": project_id, "now": now}
        ).one_or_none()
        if row is None:
            self._take_back(hashed, project_id)
            return None
        if not _is_proof(verifier, row.code_challenge) or redirect_uri not in (None, row.redirect_uri):
            return None
        opened = json.loads(self._vault.open(row.sealed_profile, place=_place("authorization_codes", hashed)))
        return Granted(row.attempt_id, opened["profile"], opened["nonce"])

    def new_token(self, granted: Granted, *, code: str, project_id: str) -> str:
        """An access token for what *code* stood for, good for ten minutes."""
        token, now = new_token(TOKEN_PREFIX), self._clock.now()
        hashed = digest(token)
        self._connection.execute(
            _INSERT_TOKEN,
            {
                "digest": hashed,
                "project_id": project_id,
                "code_digest": digest(code),
                "sealed_profile": self._seal("access_tokens", hashed, granted),
                "expires_at": now + TOKEN_LIVES,
                "revoked_at": None,
            },
        )
        return token

    def profile_of(self, token: str) -> Mapping[str, Any] | None:
        """The profile that a live access token stands for."""
        hashed = digest(token)
        row = self._connection.execute(_LIVE_TOKEN, {"token": hashed, "now": self._clock.now()}).one_or_none()
        if row is None:
            return None
        opened = self._vault.open(row.sealed_profile, place=_place("access_tokens", hashed))
        profile: Mapping[str, Any] = json.loads(opened)["profile"]
        return profile

    def forget(self) -> None:
        """Delete codes and tokens that ended a while ago."""
        limit = self._clock.now() - KEPT
        self._connection.execute(sa.delete(authorization_codes).where(_c.expires_at < limit))
        self._connection.execute(sa.delete(access_tokens).where(_t.expires_at < limit))

    def _take_back(self, hashed: bytes, project_id: str) -> None:
        taken = self._connection.execute(
            _REVOKE, {"code": hashed, "project": project_id, "now": self._clock.now()}
        ).all()
        if taken:
            self._audit.record("access_token.revoked", project_id=project_id, after={"reason": "code_reused"})

    def _seal(self, table: str, hashed: bytes, granted: Granted) -> bytes:
        plain = json.dumps({"profile": granted.profile, "nonce": granted.nonce}).encode()
        return self._vault.seal(plain, place=_place(table, hashed))


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636)."""
    hashed = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii")


def _is_proof(verifier: str | None, challenge: str | None) -> bool:
    """Whether the caller is who began: a challenge needs its verifier, and a verifier needs a challenge."""
    if verifier is None or challenge is None:
        return verifier is None and challenge is None
    return same(challenge_of(verifier), challenge)


def _place(table: str, hashed: bytes) -> tuple[str, str, str]:
    return (table, hashed.hex(), "sealed_profile")
