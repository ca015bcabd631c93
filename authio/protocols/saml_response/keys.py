"""Keys as objects: loaded once, kept while they are used, found again by a digest of their source."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
_Loaded = TypeVar("_Loaded")
_SHORTEST_RSA = 1024
_CURVES = ("secp256r1", "secp384r1", "secp521r1")


@dataclass(frozen=True)
class VerifyingKey:
    """The public key of one signing certificate of a connection."""

    sha256: str
    """Digest of the certificate, by which it is named in sign-in attempts."""
    key: PublicKey = field(repr=False)


class Keys:
    """Key objects by what they were read from, the ones used last. One for the life of a process.

    May be asked by several threads at once; then a key is at worst loaded twice.
    """

    def __init__(self, *, limit: int = 2048) -> None:
        self._verifying: _Recent[VerifyingKey] = _Recent(limit)
        self._private: _Recent[rsa.RSAPrivateKey] = _Recent(limit)

    def verifying(self, pem: str) -> VerifyingKey:
        """The key of a signing certificate; ``ValueError`` if it can verify nothing."""
        return self._verifying.find(pem.encode(), _verifying_key)

    def private(self, pem: bytes) -> rsa.RSAPrivateKey:
        """One of our own RSA keys, for decrypting and signing; ``ValueError`` if it is none."""
        return self._private.find(pem, _private_key)


class _Recent(Generic[_Loaded]):
    """What was loaded, by the digest of its source; the source itself is not kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._loaded: OrderedDict[bytes, _Loaded] = OrderedDict()
        self._lock = Lock()

    def find(self, source: bytes, load: Callable[[bytes], _Loaded]) -> _Loaded:
        digest = hashlib.sha256(source).digest()
        with self._lock:
            if digest in self._loaded:
                self._loaded.move_to_end(digest)
                return self._loaded[digest]
        loaded = load(source)
        with self._lock:
            self._loaded[digest] = loaded
            while len(self._loaded) > self._limit:
                self._loaded.popitem(last=False)
        return loaded


def _verifying_key(pem: bytes) -> VerifyingKey:
    certificate = x509.load_pem_x509_certificate(pem)
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SHORTEST_RSA:
        return VerifyingKey(certificate.fingerprint(hashes.SHA256()).hex(), key)
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return VerifyingKey(certificate.fingerprint(hashes.SHA256()).hex(), key)
    raise ValueError("neither RSA of 1,024 bits or more nor a curve that signatures use")


def _private_key(pem: bytes) -> rsa.RSAPrivateKey:
    # The check of a key's inner consistency takes fifty times longer than reading it. We made this one.
    key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key
