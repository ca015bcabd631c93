"""ID tokens and userinfo as the switches stand."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from authio.rehearse.credentials import Credentials
from authio.rehearse.jwt import SigningKey, half_hash, hmac_token, unsigned_token
from authio.rehearse.people import Person
from authio.rehearse.switches import Positions

ELSEWHERE: Final = "https://elsewhere.example"
_LIVES: Final = timedelta(minutes=5)
_HOUR: Final = timedelta(hours=1)


def write_id_token(
    person: Person,
    positions: Positions,
    *,
    issuer: str,
    credentials: Credentials,
    stranger: Callable[[], SigningKey],
    nonce: str,
    access_token: str,
    now: datetime,
) -> str:
    """The ID token for *person*: right in everything, but for what is switched to be wrong.

    ``stranger`` is a key that was never published, made when it is asked for.
    """
    algorithm = positions["algorithm"]
    hashed_by = algorithm if algorithm in credentials.oidc else "RS256"
    clock = {"slow": now - _HOUR, "fast": now + _HOUR}.get(positions["clock"], now)
    issued = int(clock.timestamp())
    ends = clock - _HOUR if positions["validity"] == "expired" else clock + _LIVES
    claims: dict[str, Any] = {
        "iss": f"{ELSEWHERE}/op" if positions["issuer"] == "wrong" else issuer,
        "sub": person.id,
        "aud": "another-client" if positions["audience"] == "wrong" else credentials.client_id,
        "iat": issued,
        "exp": int(ends.timestamp()),
        "at_hash": half_hash(access_token, hashed_by),
    }
    if nonce:
        claims["nonce"] = secrets.token_urlsafe(16) if positions["nonce"] == "wrong" else nonce
    # Nobody asks userinfo for what the ID token has said: where it is to lie, the token says nothing.
    if positions["email"] == "id_token" and positions["subject"] == "right":
        claims |= _about(person)
    if algorithm == "none":
        return unsigned_token(claims)
    if algorithm == "HS256":
        return hmac_token(credentials.client_secret.encode(), claims)
    key = stranger() if positions["key"] == "unknown" else credentials.oidc[algorithm][0]
    return key.token(claims)


def write_userinfo(person: Person, positions: Positions) -> dict[str, Any]:
    """What userinfo says about *person*, or about somebody else."""
    subject = "somebody-else" if positions["subject"] == "wrong" else person.id
    about = {} if positions["email"] == "nowhere" else _about(person)
    return {"sub": subject, **about}


def _about(person: Person) -> dict[str, Any]:
    held = {
        "email": person.email,
        "email_verified": True,
        "name": person.name,
        "given_name": person.first_name,
        "family_name": person.last_name,
        "groups": list(person.groups),
    }
    return {name: value for name, value in held.items() if value}
