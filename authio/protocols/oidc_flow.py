"""A sign-in over OpenID Connect from the browser's return to a profile. Network and time are handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from authio.protocols.oidc import OidcSettings
from authio.protocols.oidc_claims import is_complete, profile_from_claims
from authio.protocols.oidc_exchange import Answer, NoAnswer, Request, Send
from authio.protocols.oidc_id_token import SKEW, IdToken, judge_id_token, read_id_token
from authio.protocols.oidc_jwks import Jwks, read_jwks
from authio.protocols.oidc_refused import OidcRefused
from authio.protocols.oidc_request import Flow, judge_callback
from authio.protocols.oidc_tokens import (
    Credential,
    read_token_reply,
    read_userinfo,
    token_request,
    userinfo_request,
)
from authio.protocols.profile import Profile, Table

Keys = MutableMapping[str, Jwks]
"""Where key sets are kept between sign-ins, by their address: one such place for each connection."""


@dataclass(frozen=True)
class SignedIn:
    """A person who is signed in, and on whose word."""

    profile: Profile
    claims: Mapping[str, Any] = field(repr=False)
    userinfo: Mapping[str, Any] | None = field(repr=False)
    kid: str | None
    """The key that had signed the ID token."""
    algorithm: str


def finish(
    settings: OidcSettings,
    flow: Flow,
    parameters: Iterable[tuple[str, str]],
    *,
    credential: Credential,
    table: Table,
    keys: Keys,
    send: Send,
    now: datetime,
    skew: timedelta = SKEW,
) -> SignedIn:
    """Who comes back with *parameters* from where :func:`begin` sent them; else :class:`OidcRefused`.

    ``keys`` is read and written even when the sign-in is refused: limits on re-reading hold then, too.
    Userinfo is asked for only where the ID token leaves a field of the profile empty.
    """
    code = judge_callback(parameters, settings, flow)
    asked = token_request(settings, credential, code=code, flow=flow, now=now)
    tokens = read_token_reply(_sent(send, asked, code="oidc_token_request"))
    opened = read_id_token(tokens.id_token, settings)
    claims = judge_id_token(
        opened,
        settings,
        _keys_for(opened, settings, keys, send=send, now=now),
        nonce=flow.nonce,
        now=now,
        skew=skew,
        access_token=tokens.access_token,
        code=code,
    )
    userinfo, trouble = None, None
    if settings.userinfo_endpoint and not is_complete(claims, table):
        userinfo, trouble = _userinfo(settings, tokens.access_token, send=send, subject=claims["sub"])
    try:
        profile = profile_from_claims(claims, userinfo, table=table)
    except OidcRefused:
        if trouble is not None:
            raise OidcRefused("oidc_userinfo", "unreachable", found=trouble) from None
        raise
    return SignedIn(profile, claims, userinfo, opened.kid, opened.algorithm)


def _userinfo(
    settings: OidcSettings, access_token: str, *, send: Send, subject: str
) -> tuple[Mapping[str, Any] | None, object]:
    """What userinfo adds, or why it cannot be had: no refusal yet, the ID token may make a profile alone."""
    try:
        answer = send(userinfo_request(settings, access_token))
    except NoAnswer as none:
        return None, none.code
    if answer.status != 200:
        return None, answer.status
    return read_userinfo(answer, subject=subject), None


def _keys_for(token: IdToken, settings: OidcSettings, keys: Keys, *, send: Send, now: datetime) -> Jwks:
    """A key set that is as fresh as the limits on asking for it allow."""
    address = settings.jwks_uri
    held = keys.get(address)
    if held is None or held.is_due(now):
        held = keys[address] = _reread(address, held, send=send, now=now)
    if not held.has(token.kid, token.algorithm) and held.is_worth_asking(token.kid, now):
        held = keys[address] = _reread(address, held, send=send, now=now)
    if not held.has(token.kid, token.algorithm) and held.asked_at == now:
        keys[address] = held.without(token.kid, now)
    return held


def _reread(address: str, held: Jwks | None, *, send: Send, now: datetime) -> Jwks:
    """The set as it is now; where it cannot be had, the one that is held, if it is not too old."""
    try:
        answer = _sent(send, Request(address, {"Accept": "application/json"}), code="oidc_jwks")
        if answer.status != 200:
            raise OidcRefused("oidc_jwks", "unreachable", found=answer.status)
        fresh = read_jwks(answer.body, now=now)
    except OidcRefused:
        if held is None or not held.is_usable(now):
            raise
        return replace(held, asked_at=now)
    return fresh if held is None else replace(fresh, missed=held.missed)


def _sent(send: Send, request: Request, *, code: str) -> Answer:
    try:
        return send(request)
    except NoAnswer as none:
        raise OidcRefused(code, "unreachable", found=none.code) from None
