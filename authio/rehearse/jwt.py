"""JSON Web Tokens and keys as an OpenID provider makes them, put together so that any part can be bent."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

_HASHES: Final[Mapping[str, Callable[[], hashes.HashAlgorithm]]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}
_CURVES: Final[Mapping[str, tuple[str, type[ec.EllipticCurve]]]] = {
    "ES256": ("P-256", ec.SECP256R1),
    "ES384": ("P-384", ec.SECP384R1),
    "ES512": ("P-521", ec.SECP521R1),
}
_EDWARDS: Final = ("EdDSA", "Ed25519")
"""RFC 9864 gave the curve a name of its own."""


class BadToken(Exception):
    """This is no token by one of the keys."""


@dataclass(frozen=True)
class SigningKey:
    """One private key, the algorithm it signs by, and the id it is published under."""

    kid: str
    algorithm: str
    private: PrivateKey = field(repr=False)

    @classmethod
    def fresh(cls, algorithm: str, *, kid: str) -> SigningKey:
        """A new key for *algorithm*: RS, PS and ES of every length, or EdDSA by either of its names."""
        if algorithm in _CURVES:
            return cls(kid, algorithm, ec.generate_private_key(_CURVES[algorithm][1]()))
        if algorithm in _EDWARDS:
            return cls(kid, algorithm, ed25519.Ed25519PrivateKey.generate())
        return cls(kid, algorithm, rsa.generate_private_key(65537, 2048))

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
            return self.private.sign(message, _salted(hashed), hashed)
        return self.private.sign(message, padding.PKCS1v15(), hashed)

    def token(self, claims: Mapping[str, Any], **header: Any) -> str:
        """A signed token with these claims; the header gets *header* as well, less what is ``None`` there."""
        members = {"typ": "JWT", "alg": self.algorithm, "kid": self.kid} | header
        kept = {name: value for name, value in members.items() if value is not None}
        return self.compact(json.dumps(kept).encode(), json.dumps(claims).encode())

    def compact(self, header: bytes, payload: bytes) -> str:
        """The same from the very bytes of both parts."""
        signed = f"{b64(header)}.{b64(payload)}"
        return f"{signed}.{b64(self.sign(signed.encode('ascii')))}"

    def _numbers(self) -> dict[str, str]:
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            rsa_numbers = public.public_numbers()
            return {"kty": "RSA", "n": b64_number(rsa_numbers.n), "e": b64_number(rsa_numbers.e)}
        if isinstance(public, ec.EllipticCurvePublicKey):
            point, size = public.public_numbers(), (public.key_size + 7) // 8
            x, y = (b64(number.to_bytes(size, "big")) for number in (point.x, point.y))
            return {"kty": "EC", "crv": f"P-{public.key_size}", "x": x, "y": y}
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}


def hmac_token(secret: bytes, claims: Mapping[str, Any], *, algorithm: str = "HS256", kid: str = "") -> str:
    """A token under a shared secret."""
    signed = _unsigned({"alg": algorithm, "typ": "JWT", "kid": kid}, claims)
    return f"{signed}.{b64(hmac.digest(secret, signed.encode('ascii'), f'sha{algorithm[2:]}'))}"


def unsigned_token(claims: Mapping[str, Any]) -> str:
    """A token that nobody has signed, and that says so."""
    return f"{_unsigned({'alg': 'none', 'typ': 'JWT'}, claims)}."


def verified_claims(token: str, jwks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The claims of a token by one of those public keys (RS, PS, ES or EdDSA); else :class:`BadToken`."""
    try:
        head, payload, value = token.split(".")
        header, claims, signature = json.loads(raw(head)), json.loads(raw(payload)), raw(value)
        algorithm, kid = str(header["alg"]), header.get("kid")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadToken from None
    for jwk in jwks:
        if kid is not None and jwk.get("kid") not in (None, kid):
            continue
        if isinstance(claims, dict) and _is_by(f"{head}.{payload}".encode(), signature, algorithm, jwk):
            return claims
    raise BadToken


def half_hash(text: str, algorithm: str) -> str:
    """``at_hash`` and ``c_hash`` of a token that is signed by *algorithm*."""
    digest = hashlib.new("sha512" if algorithm in _EDWARDS else f"sha{algorithm[2:]}", text.encode()).digest()
    return b64(digest[: len(digest) // 2])


def b64(octets: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def b64_number(number: int) -> str:
    """A number as JWKs carry it."""
    return b64(number.to_bytes((number.bit_length() + 7) // 8 or 1, "big"))


def raw(text: str) -> bytes:
    """The bytes of base64url without padding; ValueError if it is not that."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _unsigned(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"


def _is_by(message: bytes, signature: bytes, algorithm: str, jwk: Mapping[str, Any]) -> bool:
    try:
        key = _public_key(jwk)
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
            return algorithm in _EDWARDS
        hashed = _HASHES[algorithm[2:]]()
        if isinstance(key, ec.EllipticCurvePublicKey):
            half = len(signature) // 2
            r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashed))
            return algorithm.startswith("ES")
        padded = _salted(hashed) if algorithm.startswith("PS") else padding.PKCS1v15()
        key.verify(signature, message, padded, hashed)
        return algorithm.startswith(("RS", "PS"))
    except (InvalidSignature, ValueError, KeyError, TypeError, AttributeError):
        return False


def _public_key(jwk: Mapping[str, Any]) -> PublicKey:
    if jwk["kty"] == "RSA":
        return rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
    if jwk["kty"] == "OKP":
        return ed25519.Ed25519PublicKey.from_public_bytes(raw(jwk["x"]))
    curve = next(curve for name, curve in _CURVES.values() if name == jwk["crv"])
    return ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), curve()).public_key()


def _number(text: str) -> int:
    return int.from_bytes(raw(text), "big")


def _salted(hashed: hashes.HashAlgorithm) -> padding.PSS:
    return padding.PSS(padding.MGF1(hashed), salt_length=hashed.digest_size)
