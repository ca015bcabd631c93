"""ID tokens: taken apart strictly, verified by the one key they name, judged claim by claim."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from authio.crypto import same
from authio.protocols.oidc import ALGORITHMS, OidcSettings
from authio.protocols.oidc_jose import CURVES, half_hash, is_signed
from authio.protocols.oidc_jwks import Jwks
from authio.protocols.oidc_refused import OidcRefused
from authio.protocols.strict_json import NotJson, read_json

MAX_BYTES = 16_384
SKEW = timedelta(seconds=60)
OLDEST = timedelta(minutes=10)
"""How long ago a token may have been issued: it comes straight from the provider."""
MAX_AUDIENCES = 50
LONGEST_EMAIL = 320

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_FORBIDDEN_HEADERS: Final = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"})
"""Members that bring a key along, or change what is signed or how the rest is to be read."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class IdToken:
    """A token taken apart, of which nothing is believed yet."""

    algorithm: str
    kid: str | None
    signed: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def read_id_token(text: str, settings: OidcSettings) -> IdToken:
    """Take a compact JWS apart, or raise :class:`OidcRefused`. Its algorithm is one that is allowed here."""
    if len(text) > MAX_BYTES:
        raise _refused("size", found=len(text), expected=MAX_BYTES)
    parts = _COMPACT.fullmatch(text)
    if parts is None:
        raise _refused("format")
    header = _object(_decoded(parts[1]), check="header")
    forbidden = sorted(_FORBIDDEN_HEADERS & header.keys())
    if forbidden:
        raise _refused("header", found=", ".join(forbidden))
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in _allowed(settings):
        expected = ", ".join(settings.id_token_algorithms)
        raise _refused("algorithm", found=algorithm, expected=expected, field="alg")
    if kid is not None and not isinstance(kid, str):
        raise _refused("header", found="kid")
    # A token made for another purpose says so (RFC 8725, section 3.11).
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise _refused("header", found=kind, expected="JWT", field="typ")
    signed = f"{parts[1]}.{parts[2]}".encode("ascii")
    return IdToken(algorithm, kid, signed, _decoded(parts[2]), _decoded(parts[3]))


def judge_id_token(
    token: IdToken | str,
    settings: OidcSettings,
    jwks: Jwks,
    *,
    nonce: str,
    now: datetime,
    skew: timedelta = SKEW,
    access_token: str | None = None,
    code: str | None = None,
) -> Mapping[str, Any]:
    """The claims of a token that is the provider's, for us, of now and for this very sign-in.

    Anything else raises :class:`OidcRefused`. No claim is looked at before the signature is verified.
    """
    opened = read_id_token(token, settings) if isinstance(token, str) else token
    key = jwks.choose(opened.kid, opened.algorithm)
    if not is_signed(opened.signed, opened.signature, algorithm=opened.algorithm, key=key.key):
        raise _refused("signature", found=opened.kid or "", field="kid")
    claims = _object(opened.payload, check="format")
    _judge_parties(claims, settings)
    _judge_times(claims, now=now, skew=skew)
    if not _same(claims.get("nonce"), nonce):
        raise _refused("nonce")
    _judge_hash(claims, "at_hash", access_token, algorithm=opened.algorithm)
    _judge_hash(claims, "c_hash", code, algorithm=opened.algorithm)
    judge_subject(claims)
    for name, taken in settings.required_claims.items():
        if not isinstance(claims.get(name), str) or claims[name] not in taken:
            raise _refused(
                "required_claim", found=claims.get(name, ""), expected=", ".join(taken), field=name
            )
    return claims


def judge_subject(claims: Mapping[str, Any], *, code: str = "oidc_token_invalid") -> None:
    """Refuse unless ``sub`` is a usable name, and ``email`` text where there is one."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or _UNPRINTABLE.search(subject):
        raise OidcRefused(code, "sub", found=subject, field="sub")
    email = claims.get("email", "")
    if not isinstance(email, str) or len(email) > LONGEST_EMAIL or _UNPRINTABLE.search(email):
        raise OidcRefused(code, "email", found=email, field="email")


def _judge_parties(claims: Mapping[str, Any], settings: OidcSettings) -> None:
    """Who issued it, and for whom. Without a client ID of our own nothing is for us."""
    us = settings.client_id
    if not isinstance(claims.get("iss"), str) or claims["iss"] != settings.issuer:
        raise _refused("iss", found=claims.get("iss"), expected=settings.issuer)
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if (
        not us
        or not isinstance(audiences, list)
        or len(audiences) > MAX_AUDIENCES
        or not all(isinstance(one, str) for one in audiences)
        or us not in audiences
    ):
        raise _refused("aud", found=audience, expected=us)
    # Where the claim is, it names the party the token was issued to; several audiences need it.
    if claims.get("azp", us if len(audiences) == 1 else None) != us:
        raise _refused("azp", found=claims.get("azp", ""), expected=us)


def _judge_times(claims: Mapping[str, Any], *, now: datetime, skew: timedelta) -> None:
    moment, slack = now.timestamp(), skew.total_seconds()
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    begins = _moment(claims, "nbf") if "nbf" in claims else -math.inf
    if moment >= expires + slack:
        raise _refused("exp", found=_written(expires), expected=f"after {_written(moment)}")
    if issued > moment + slack:
        raise _refused("iat", found=_written(issued), expected=f"not after {_written(moment)}")
    if issued < moment - slack - OLDEST.total_seconds():
        earliest = moment - OLDEST.total_seconds()
        raise _refused("iat", found=_written(issued), expected=f"not before {_written(earliest)}")
    if begins > moment + slack:
        raise _refused("nbf", found=_written(begins), expected=f"not after {_written(moment)}")


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused(name, found=value)
    return float(value)


def _written(moment: float) -> str:
    try:
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, OSError, ValueError):
        return str(moment)


def _judge_hash(claims: Mapping[str, Any], name: str, value: str | None, *, algorithm: str) -> None:
    """A hash that is there has to be right; one of something that we do not have cannot be."""
    if name in claims and (value is None or not _same(claims[name], half_hash(value, algorithm=algorithm))):
        raise _refused(name, field=name)


def _same(claim: object, expected: str) -> bool:
    return isinstance(claim, str) and expected != "" and same(claim, expected)


def _allowed(settings: OidcSettings) -> frozenset[str]:
    """What the connection allows, and nothing that we would not: settings may have come from anywhere."""
    return frozenset(settings.id_token_algorithms) & frozenset(ALGORITHMS) & CURVES.keys()


def _object(document: bytes, *, check: str) -> dict[str, Any]:
    try:
        found = read_json(document)
    except NotJson:
        raise _refused(check) from None
    if not isinstance(found, dict):
        raise _refused(check)
    return found


def _decoded(part: str) -> bytes:
    """The bytes behind base64url without padding, of which there is only one way to write."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _refused("format") from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != part:
        raise _refused("format")
    return raw


def _refused(check: str, *, found: object = "", expected: object = "", field: str = "") -> OidcRefused:
    return OidcRefused("oidc_token_invalid", check, found=found, expected=expected, field=field)
