"""The libraries' one door: an operation does what it is asked, with the key it is handed, or nothing."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448
from joserfc import jwk
from joserfc.jws import JWSRegistry

from authio.protocols.oidc_jose import CURVES, BadKey, half_hash, is_signed, public_key
from tests.support.oidc_keys import b64, hmac_token, signing_key
from tests.support.oidc_keys import half_hash as expected_hash

MESSAGE = b"what was signed"


def members(key: Any) -> dict[str, str]:
    return {name: value for name, value in key.jwk().items() if name in ("kty", "crv", "x", "y", "n", "e")}


@pytest.mark.parametrize("algorithm", CURVES)
def test_SEC_73_a_signature_is_one_by_its_own_key_and_algorithm_only(algorithm: str) -> None:
    key = signing_key(algorithm)
    signature = key.sign(MESSAGE)
    taken = {
        other
        for other in (*CURVES, "none", "HS256", "ES256K", "Ed448", "", "es256")
        if is_signed(MESSAGE, signature, algorithm=other, key=public_key(members(key)))
    }
    assert taken == ({"EdDSA", "Ed25519"} if algorithm.startswith("Ed") else {algorithm})
    assert not is_signed(MESSAGE + b"!", signature, algorithm=algorithm, key=public_key(members(key)))


@pytest.mark.parametrize("algorithm", CURVES)
@pytest.mark.parametrize("other", ["RS256", "ES256", "ES384", "ES512", "Ed25519"])
def test_SEC_73_a_key_of_another_kind_verifies_nothing(algorithm: str, other: str) -> None:
    if CURVES[algorithm] != CURVES[other]:
        signature = signing_key(other).sign(MESSAGE)
        assert not is_signed(
            MESSAGE, signature, algorithm=algorithm, key=public_key(members(signing_key(other)))
        )


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_SEC_73_the_larger_edwards_curve_is_not_ours(algorithm: str) -> None:
    private = ed448.Ed448PrivateKey.generate()
    key = jwk.OKPKey.import_key(
        {"kty": "OKP", "crv": "Ed448", "x": b64(private.public_key().public_bytes_raw())}
    )
    assert not is_signed(MESSAGE, private.sign(MESSAGE), algorithm=algorithm, key=key)


def test_SEC_73_nothing_and_public_material_are_no_signatures() -> None:
    shared = jwk.OctKey.import_key(b"0123456789abcdef0123456789abcdef")
    signed, _, signature = hmac_token(b"0123456789abcdef0123456789abcdef", {}).rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "=")
    assert JWSRegistry.algorithms["HS256"].verify(signed.encode(), raw, shared), "a good one, elsewhere"
    assert not is_signed(signed.encode(), raw, algorithm="HS256", key=shared)
    assert not is_signed(MESSAGE, b"", algorithm="none", key=shared)
    assert not is_signed(MESSAGE, b"", algorithm="RS256", key=public_key(members(signing_key("RS256"))))


@pytest.mark.parametrize(
    "bad", [{}, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": "x"}]
)
def test_SEC_73_numbers_that_make_no_key_are_told(bad: dict[str, str]) -> None:
    with pytest.raises(BadKey):
        public_key(bad)


@pytest.mark.parametrize("algorithm", CURVES)
def test_SEC_74_a_half_hash_is_that_of_the_algorithm(algorithm: str) -> None:
    bits = 512 if algorithm.startswith("Ed") else int(algorithm[2:])
    assert half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", algorithm=algorithm) == expected_hash(
        "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", bits
    )


def test_SEC_74_a_half_hash_as_the_standards_example_has_it() -> None:
    """OpenID Connect Core 1.0, appendix A.3: access token and at_hash."""
    assert (
        half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", algorithm="RS256")
        == "77QmUPtjPfzWtF2AnpK9RQ"
    )
