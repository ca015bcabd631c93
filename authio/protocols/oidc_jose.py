"""authlib and joserfc, and nowhere else: keys, signatures, hashes. They are loaded at first use.

Tokens are taken apart and judged by us; what is asked of the libraries is one operation at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from authio.crypto import new_token

CURVES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **{f"{family}{bits}": ("RSA", "") for family in ("RS", "PS") for bits in (256, 384, 512)},
        "ES256": ("EC", "P-256"),
        "ES384": ("EC", "P-384"),
        "ES512": ("EC", "P-521"),
        "EdDSA": ("OKP", "Ed25519"),
        "Ed25519": ("OKP", "Ed25519"),
    }
)
"""Every signature there is for us, with the type and the curve of its keys."""

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIVES = timedelta(seconds=60)


def same_algorithm(one: str, other: str) -> bool:
    """Whether two names stand for one algorithm. RFC 9864 gave the curve that we take a name of its own."""
    return one == other or {one, other} == {"EdDSA", "Ed25519"}


class BadKey(ValueError):
    """These numbers are no key, or not one of the kind that is asked for."""


@dataclass(frozen=True)
class ClientKey:
    """Our private key for one connection: PEM, and what the provider knows it by."""

    pem: str = field(repr=False)
    kid: str
    algorithm: str = "RS256"


def public_key(members: Mapping[str, str]) -> Any:
    """A key to verify with, from the public members of a JWK; :class:`BadKey` if they make none."""
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    try:
        return import_key(dict(members))
    except (JoseError, ValueError, TypeError, KeyError, OverflowError):
        raise BadKey from None


def is_signed(message: bytes, signature: bytes, *, algorithm: str, key: Any) -> bool:
    """Whether *signature* is one of *message* by *key*, by exactly this algorithm of :data:`CURVES`."""
    from joserfc.errors import JoseError
    from joserfc.jws import JWSRegistry

    if algorithm not in CURVES:
        return False
    model = JWSRegistry.algorithms["Ed25519" if algorithm == "EdDSA" else algorithm]
    try:
        model.check_key(key)
        return model.verify(message, signature, key) is True
    except (JoseError, ValueError, TypeError, OverflowError):
        return False


def half_hash(text: str, *, algorithm: str) -> str:
    """The left half of a hash, as ``at_hash`` and ``c_hash`` carry it (OpenID Connect Core, 3.1.3.6)."""
    from authlib.oidc.core.util import create_half_hash

    hashed: bytes = create_half_hash(text, "EdDSA" if algorithm == "Ed25519" else algorithm)
    return hashed.decode("ascii")


def challenge(verifier: str) -> str:
    """The S256 code challenge for a PKCE verifier (RFC 7636)."""
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    made: str = create_s256_code_challenge(verifier)
    return made


def client_assertion(key: ClientKey, *, client_id: str, audience: str, now: datetime) -> str:
    """A JWT that proves who we are for a minute (RFC 7523), with an id of its own."""
    from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion
    from joserfc.jwk import JWKRegistry

    signed: str = sign_jwt_bearer_assertion(
        JWKRegistry.import_key(key.pem, CURVES[key.algorithm][0]),
        issuer=client_id,
        audience=audience,
        subject=client_id,
        issued_at=int(now.timestamp()),
        expires_at=int((now + _ASSERTION_LIVES).timestamp()),
        claims={"jti": new_token("")},
        header={"alg": key.algorithm, "kid": key.kid, "typ": "JWT"},
    )
    return signed
