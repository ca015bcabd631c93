"""How a client proves itself at the token endpoint: a secret in one of two places, or a token of its own."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import unquote_plus

from authio.rehearse.credentials import Credentials
from authio.rehearse.jwt import BadToken, verified_claims

METHODS: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt")
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST: Final = 600
"""Seconds that an assertion may be valid."""


def is_client(
    authorization: str,
    form: Mapping[str, str],
    credentials: Credentials,
    *,
    method: str,
    audiences: Collection[str],
    now: datetime,
) -> bool:
    """Whether the client has proved itself by *method* (``any``: as it likes), and in no other way."""
    used = _method(authorization, form)
    if used is None or method not in ("any", used):
        return False
    if used == "private_key_jwt":
        return _is_asserted(form, credentials, audiences=audiences, now=now)
    name, secret = _pair(authorization, form)
    return name == credentials.client_id and hmac.compare_digest(
        secret.encode(), credentials.client_secret.encode()
    )


def _method(authorization: str, form: Mapping[str, str]) -> str | None:
    used = [
        name
        for name, is_used in zip(
            METHODS,
            (bool(authorization), "client_secret" in form, "client_assertion" in form),
            strict=True,
        )
        if is_used
    ]
    return used[0] if len(used) == 1 else None


def _pair(authorization: str, form: Mapping[str, str]) -> tuple[str, str]:
    if not authorization:
        return form.get("client_id", ""), form["client_secret"]
    scheme, _, encoded = authorization.partition(" ")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return "", ""
    name, _, secret = text.partition(":")
    return (unquote_plus(name), unquote_plus(secret)) if scheme.lower() == "basic" else ("", "")


def _is_asserted(
    form: Mapping[str, str], credentials: Credentials, *, audiences: Collection[str], now: datetime
) -> bool:
    if form.get("client_assertion_type") != _ASSERTION:
        return False
    try:
        claims = verified_claims(form["client_assertion"], credentials.client_keys)
    except BadToken:
        return False
    named, ends = claims.get("aud"), claims.get("exp")
    moment = now.timestamp()
    return (
        claims.get("iss") == claims.get("sub") == credentials.client_id
        and bool(set(named if isinstance(named, list) else [named]) & set(audiences))
        and isinstance(ends, int | float)
        and moment - 60 < ends < moment + _LONGEST
    )
