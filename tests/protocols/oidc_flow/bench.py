"""One connection, its keys, and a good ID token of which a test bends one thing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from authio.protocols.oidc import OidcSettings
from authio.protocols.oidc_id_token import judge_id_token
from authio.protocols.oidc_jwks import Jwks, read_jwks
from authio.protocols.oidc_refused import OidcRefused
from authio.protocols.oidc_request import Flow
from tests.support.oidc_keys import SigningKey, half_hash, signing_key

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER = "https://op.acme.example"
NONCE = "nonce-of-this-very-sign-in"
ACCESS_TOKEN = "an-access-token"
CODE = "a-code"

SETTINGS = OidcSettings(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    jwks_uri=f"{ISSUER}/keys",
    userinfo_endpoint=f"{ISSUER}/userinfo",
    client_id="client-1",
    id_token_algorithms=("RS256", "ES256"),
    iss_parameter=True,
)
FLOW = Flow(
    "https://authio.example/sso/oidc/01J0/callback",
    state="state-of-this-very-sign-in",
    nonce=NONCE,
    verifier="verifier-of-this-very-sign-in-0123456789abcdef",
)

RSA = signing_key("RS256", kid="rsa")
EC = signing_key("ES256", kid="ec")

CLAIMS: Mapping[str, Any] = {
    "iss": ISSUER,
    "sub": "00u1",
    "aud": "client-1",
    "iat": SECONDS - 5,
    "exp": SECONDS + 300,
    "nonce": NONCE,
    "email": "ada@acme.example",
}


def published(*keys: dict[str, Any] | SigningKey) -> Jwks:
    """A key set as the provider publishes it, read by us."""
    listed = [key.jwk() if isinstance(key, SigningKey) else key for key in keys]
    return read_jwks(json.dumps({"keys": listed}).encode(), now=NOW)


KEYS = published(RSA, EC)


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims with changes; ``None`` leaves one out."""
    return {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}


def at_hash(bits: int = 256) -> str:
    """The hash of :data:`ACCESS_TOKEN`."""
    return half_hash(ACCESS_TOKEN, bits)


def judge(
    token: str, *, settings: OidcSettings = SETTINGS, keys: Jwks = KEYS, **options: Any
) -> Mapping[str, Any]:
    """The claims of *token*, or the refusal."""
    given = {"nonce": NONCE, "now": NOW, "access_token": ACCESS_TOKEN, "code": CODE} | options
    return judge_id_token(token, settings, keys, **given)


@dataclass
class Caught:
    """The refusal, once the block is over."""

    refusals: list[OidcRefused] = field(default_factory=list)

    @property
    def refusal(self) -> OidcRefused:
        return self.refusals[0]


@contextmanager
def refused(check: str, *, code: str = "oidc_token_invalid") -> Iterator[Caught]:
    """The block raises OidcRefused with this code, for this very check."""
    caught = Caught()
    with pytest.raises(OidcRefused) as raised:
        yield caught
    caught.refusals.append(raised.value)
    assert (raised.value.code, raised.value.check) == (code, check)
