"""Anything at all in place of a token, a key set or a discovery document: a value or a named refusal."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from authio.protocols.findings import Refused
from authio.protocols.oidc import read_discovery
from authio.protocols.oidc_id_token import read_id_token
from authio.protocols.oidc_jose import CURVES
from authio.protocols.oidc_jwks import read_jwks
from authio.protocols.oidc_refused import CHECKS, OidcRefused
from tests.protocols.oidc_flow.bench import CLAIMS, EC, ISSUER, KEYS, NOW, RSA, SETTINGS, judge
from tests.support.oidc_keys import b64

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([*CLAIMS.values()])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from([*CLAIMS, "azp", "nbf", "at_hash", "c_hash", "tid"]) | st.text(max_size=5)
headers = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "jwk", "jku", "crit", "b64", "x5c"]) | st.text(max_size=5),
    st.sampled_from([*CURVES, "none", "HS256", "ec", "rsa", "JWT"]) | values,
    max_size=5,
)
members = st.dictionaries(
    st.sampled_from(["kty", "kid", "use", "alg", "crv", "x", "y", "n", "e", "key_ops", "d"])
    | st.text(max_size=3),
    st.sampled_from(
        ["RSA", "EC", "OKP", "P-256", "Ed25519", "sig", "AQAB", *EC.jwk().values(), *RSA.jwk().values()]
    )
    | values,
    max_size=9,
)


def outcome(token: str) -> str:
    """Where a token ended: at one of the checks of the closed list, or signed in."""
    try:
        judge(token)
    except OidcRefused as refusal:
        known = refusal.check in CHECKS[refusal.code]
        return refusal.check if known else "unknown"
    return "taken"


@given(
    st.text(max_size=300)
    | st.from_regex(r"\A[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,80}\Z")
)
def test_SEC_73_no_text_is_taken_for_a_token(text: str) -> None:
    assert outcome(text) not in ("taken", "unknown")


@settings(max_examples=300)
@given(headers, st.dictionaries(names, values, max_size=5), st.binary(max_size=80))
def test_SEC_73_no_token_without_a_signature_by_a_published_key_is_taken(
    header: dict[str, Any], changes: dict[str, Any], signature: bytes
) -> None:
    parts = (json.dumps({"alg": "ES256", "kid": "ec", **header}), json.dumps({**CLAIMS, **changes}))
    signed = ".".join(b64(part.encode()) for part in parts)
    assert outcome(f"{signed}.{b64(signature)}") not in ("taken", "unknown")


@settings(max_examples=500)
@given(st.dictionaries(names, values, max_size=4))
def test_SEC_74_a_well_signed_token_is_taken_only_with_the_claims_that_bind_it_to_us(
    changes: dict[str, Any],
) -> None:
    claims = {**CLAIMS, **changes}
    if outcome(EC.token(claims)) == "taken":
        assert claims["iss"] == ISSUER
        assert claims["nonce"] == CLAIMS["nonce"]
        assert "client-1" in (claims["aud"], *([] if isinstance(claims["aud"], str) else claims["aud"]))
        assert isinstance(claims["sub"], str)
        assert claims["exp"] > NOW.timestamp() - 60
    else:
        assert outcome(EC.token(claims)) != "unknown"


@settings(max_examples=300)
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_SEC_73_no_flipped_byte_survives(place: int, flip: int) -> None:
    raw = bytearray(EC.token(CLAIMS).encode())
    raw[place % len(raw)] ^= flip
    assert outcome(raw.decode("latin-1")) not in ("taken", "unknown")


@settings(max_examples=300)
@given(st.lists(members | values, max_size=5), st.sampled_from([*CURVES]), st.none() | st.text(max_size=3))
def test_SEC_73_any_key_set_is_read_or_refused_and_its_keys_too(
    listed: list[Any], algorithm: str, kid: str | None
) -> None:
    with contextlib.suppress(OidcRefused):
        keys = read_jwks(json.dumps({"keys": listed}).encode(), now=NOW)
        for key in keys.keys:
            with contextlib.suppress(OidcRefused):
                key.key.get_op_key("verify")
        assert keys.choose(kid, algorithm).fits(algorithm)


@given(st.binary(max_size=300))
def test_SEC_73_any_bytes_are_a_key_set_or_refused(document: bytes) -> None:
    with contextlib.suppress(OidcRefused):
        read_jwks(document, now=NOW)
    with contextlib.suppress(OidcRefused):
        read_id_token(document.decode("latin-1"), SETTINGS)


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"),
                *("id_token_signing_alg_values_supported", "token_endpoint_auth_methods_supported"),
                *(
                    "scopes_supported",
                    "response_types_supported",
                    "authorization_response_iss_parameter_supported",
                ),
            ]
        ),
        values | st.just(ISSUER) | st.lists(st.sampled_from(["RS256", "none", "code"])),
    )
)
def test_SEC_27_any_discovery_document_is_read_or_refused(document: dict[str, Any]) -> None:
    with contextlib.suppress(Refused):
        found = read_discovery(json.dumps(document).encode(), entered_issuer=ISSUER, now=NOW).settings
        assert found.issuer == ISSUER
        assert KEYS.keys
        assert set(found.id_token_algorithms) <= set(CURVES)
