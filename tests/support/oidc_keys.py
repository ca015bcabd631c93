"""Keys that sign JWTs, and the compact form put together by hand so that any part of it can be bent.

Built on cryptography and the standard library alone: what is tested uses other code than what tests it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

_HASHES: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}
_CURVES: Mapping[str, type[ec.EllipticCurve]] = {
    "ES256": ec.SECP256R1,
    "ES384": ec.SECP384R1,
    "ES512": ec.SECP521R1,
}
_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "secp256k1"}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def b64(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def b64_number(number: int) -> str:
    """A number as JWKs carry it."""
    return b64(number.to_bytes((number.bit_length() + 7) // 8 or 1, "big"))


def half_hash(text: str, bits: int) -> str:
    """``at_hash`` and ``c_hash``, made anew."""
    digest = hashlib.new(f"sha{bits}", text.encode()).digest()
    return b64(digest[: len(digest) // 2])


@dataclass(frozen=True)
class SigningKey:
    """One private key, the algorithm it signs by, and the id it is published under."""

    kid: str
    algorithm: str
    private: PrivateKey

    @property
    def pem(self) -> str:
        """The private key, unencrypted."""
        return self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode("ascii")

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """The public half as published; a change to ``None`` leaves a member out."""
        members = {"kid": self.kid, "use": "sig", "alg": self.algorithm, **self._numbers()} | changes
        return {name: value for name, value in members.items() if value is not None}

    def sign(self, message: bytes) -> bytes:
        """The signature as JWS writes it."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(message)
        hashed = _HASHES[self.algorithm[2:]]()
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            r, s = utils.decode_dss_signature(self.private.sign(message, ec.ECDSA(hashed)))
            size = (self.private.key_size + 7) // 8
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if self.algorithm.startswith("PS"):
            salted = padding.PSS(padding.MGF1(hashed), salt_length=hashed.digest_size)
            return self.private.sign(message, salted, hashed)
        return self.private.sign(message, padding.PKCS1v15(), hashed)

    def token(self, claims: Mapping[str, Any], **header: Any) -> str:
        """A signed token with these claims; the header gets *header* as well, less what is ``None`` there."""
        members = {"typ": "JWT", "alg": self.algorithm, "kid": self.kid} | header
        kept = {name: value for name, value in members.items() if value is not None}
        return self.compact(json.dumps(kept).encode(), json.dumps(claims).encode())

    def compact(self, header: bytes, payload: bytes) -> str:
        """The same from the very bytes of both parts."""
        signed = f"{b64(header)}.{b64(payload)}"
        return f"{signed}.{b64(self.sign(signed.encode()))}"

    def _numbers(self) -> dict[str, str]:
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            rsa_numbers = public.public_numbers()
            return {"kty": "RSA", "n": b64_number(rsa_numbers.n), "e": b64_number(rsa_numbers.e)}
        if isinstance(public, ec.EllipticCurvePublicKey):
            point, size = public.public_numbers(), (public.key_size + 7) // 8
            x, y = (b64(number.to_bytes(size, "big")) for number in (point.x, point.y))
            return {"kty": "EC", "crv": _NAMES[public.curve.name], "x": x, "y": y}
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}


@cache
def _rsa(bits: int, number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def signing_key(algorithm: str = "ES256", *, kid: str = "", bits: int = 2048, number: int = 0) -> SigningKey:
    """A key for *algorithm*. RSA keys take long to make, so there is one per length and *number*."""
    private: PrivateKey
    if algorithm in _CURVES:
        private = ec.generate_private_key(_CURVES[algorithm]())
    elif algorithm in ("EdDSA", "Ed25519"):
        private = ed25519.Ed25519PrivateKey.generate()
    else:
        private = _rsa(bits, number)
    return SigningKey(kid or f"{algorithm}-{number}", algorithm, private)


def hmac_token(secret: bytes, claims: Mapping[str, Any], *, algorithm: str = "HS256", kid: str = "") -> str:
    """What a forger makes who hopes that public material is taken for a shared secret."""
    header = {"alg": algorithm, "typ": "JWT", "kid": kid}
    signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), f'sha{algorithm[2:]}').digest())}"
