"""Key pairs of our own, each with a certificate that says nothing but which key it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

BITS = 2048
LIFE = timedelta(days=3650)
"""Nobody checks the dates of a certificate whose key was handed over by hand; consoles want some."""


@dataclass(frozen=True)
class KeyPair:
    """An RSA key and its self-signed certificate, both as PEM."""

    certificate: str
    key: bytes = field(repr=False)


def new_key_pair(name: str, *, now: datetime) -> KeyPair:
    """A fresh key pair; *name* is the certificate's common name, cut to what that may hold."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A little earlier than now: clocks differ.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(
        certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
