"""Signing certificates: read from metadata or from a form, and judged against a moment in time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from authio.protocols.findings import Finding, Refused
from authio.protocols.reasons import noticed

SOON = timedelta(days=30)
_ARMOUR = re.compile(
    r"-----BEGIN (?P<kind>[A-Z0-9 ]{1,40})-----(?P<body>[^-]{0,20000})-----END [A-Z0-9 ]{1,40}-----"
)
_CURVES = ("secp256r1", "secp384r1", "secp521r1")


@dataclass(frozen=True)
class Certificate:
    """One X.509 certificate with an RSA or NIST-curve key: what later checks need to know of it."""

    pem: str
    sha256: str
    subject: str
    not_before: datetime
    not_after: datetime
    rsa_bits: int
    """Length of the RSA modulus; 0 for a key on a curve."""


def read_certificate(text: str) -> Certificate:
    """One certificate from base64, with or without PEM lines and blanks; else :class:`Refused`."""
    armoured = _ARMOUR.search(text)
    if "PRIVATE KEY" in text:
        raise Refused([noticed("private_key")])
    body = armoured["body"] if armoured else text
    try:
        return _certificate(base64.b64decode("".join(body.split()), validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm, x509.InvalidVersion):
        raise Refused([noticed("bad_certificate")]) from None


def read_certificates(text: str) -> tuple[Certificate, ...]:
    """All certificates in a form field: several PEM blocks, or one bare base64 body. No duplicates."""
    blocks = [match[0] for match in _ARMOUR.finditer(text)]
    return distinct(read_certificate(block) for block in blocks or [text])


def distinct(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """The same certificates in the same order, each once."""
    return tuple({certificate.sha256: certificate for certificate in certificates}.values())


def judge_certificates(
    certificates: Sequence[Certificate], *, now: datetime
) -> tuple[tuple[Certificate, ...], list[Finding]]:
    """Which of them can be used at *now*, and what is to be said about them.

    Expired ones are left out. No certificate at all, or none that has not expired, is an error.
    """
    if not certificates:
        return (), [noticed("no_signing_cert")]
    kept = tuple(certificate for certificate in certificates if certificate.not_after > now)
    if not kept:
        latest = max(certificate.not_after for certificate in certificates)
        return (), [noticed("all_signing_certs_expired", found=_day(latest))]
    findings = [
        noticed("one_signing_cert_expired", found=_day(certificate.not_after))
        for certificate in certificates
        if certificate not in kept
    ][:1]
    findings += [
        noticed("cert_not_yet_valid", found=_day(certificate.not_before))
        for certificate in kept
        if certificate.not_before > now
    ][:1]
    # While one certificate takes over from another, only the last one's end is news.
    last = max(certificate.not_after for certificate in kept)
    if last <= now + SOON:
        findings.append(noticed("cert_expires_soon", found=_day(last)))
    shortest = min((c.rsa_bits for c in kept if c.rsa_bits), default=2048)
    if shortest < 2048:
        findings.append(noticed("weak_key" if shortest < 1024 else "short_key", found=f"{shortest} bits"))
    return kept, findings


# Every provider's fingerprint and every judgement asks for the same few certificates over and over.
@lru_cache(maxsize=256)
def _certificate(der: bytes) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        bits = key.key_size
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        bits = 0
    else:
        raise UnsupportedAlgorithm("neither RSA nor a curve that signatures use")
    encoded = base64.b64encode(der).decode("ascii")
    lines = "\n".join(encoded[start : start + 64] for start in range(0, len(encoded), 64))
    return Certificate(
        pem=f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n",
        sha256=hashlib.sha256(der).hexdigest(),
        subject=certificate.subject.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        rsa_bits=bits,
    )


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
