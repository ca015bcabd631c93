"""ID tokens that we issue to products, and the key set they are checked with (RFC 7515, RFC 7517)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ALGORITHM = "RS256"
LIFE = timedelta(minutes=10)


def issue(
    key: rsa.RSAPrivateKey,
    *,
    key_id: str,
    issuer: str,
    audience: str,
    profile: Mapping[str, Any],
    nonce: str,
    now: datetime,
) -> str:
    """A signed ID token about the person of *profile*, for the product that asked with *nonce*."""
    moment = int(now.timestamp())
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": profile["id"],
        "iat": moment,
        "exp": moment + int(LIFE.total_seconds()),
        "nonce": nonce,
        "email": profile["email"],
        "given_name": profile["first_name"],
        "family_name": profile["last_name"],
        "name": profile["name"],
        "org_id": profile["organization_id"],
        "connection_id": profile["connection_id"],
    }
    header = {"alg": ALGORITHM, "kid": key_id, "typ": "JWT"}
    signed = f"{_json(header)}.{_json({name: value for name, value in claims.items() if value is not None})}"
    signature = key.sign(signed.encode("ascii"), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_encoded(signature)}"


def public_jwk(certificate_pem: str, *, key_id: str) -> dict[str, Any]:
    """The public half of a signing key, as a product's library reads it."""
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode("ascii"))
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    numbers = public.public_numbers()
    der = certificate.public_bytes(serialization.Encoding.DER)
    return {
        "alg": ALGORITHM,
        "kty": "RSA",
        "use": "sig",
        "kid": key_id,
        "n": _number(numbers.n),
        "e": _number(numbers.e),
        # Not base64url: these are whole certificates (RFC 7517, 4.7).
        "x5c": [base64.b64encode(der).decode("ascii")],
        "x5t#S256": _encoded(certificate.fingerprint(hashes.SHA256())),
    }


def _number(number: int) -> str:
    return _encoded(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _json(value: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
