"""What the rehearsal provider is known by: keys, certificates, a client. Kept in a file between two runs."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from authio.rehearse import jwt
from authio.rehearse.jwt import SigningKey
from authio.rehearse.xml_signatures import Signer

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
YEARS: Final = timedelta(days=3650)
_NAME: Final = "authio rehearsal"


class Unusable(Exception):
    """The file cannot be read or written; the text says why."""


@dataclass
class Credentials:
    """Keys, newest first: the first of each signs, the others are still published."""

    saml: list[Signer] = field(repr=False)
    oidc: dict[str, list[SigningKey]] = field(repr=False)
    client_id: str = "rehearsal"
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    client_keys: list[dict[str, Any]] = field(default_factory=list)
    """Public keys of the client, for ``private_key_jwt``."""
    path: Path | None = None
    """The file that every change goes to."""

    @classmethod
    def fresh(cls, now: datetime, path: Path | None = None) -> Credentials:
        """New ones, which are written to *path* if there is one."""
        keys = {name: [SigningKey.fresh(name, kid=_kid())] for name in ALGORITHMS}
        made = cls(saml=[new_signer(now, YEARS)], oidc=keys, path=path)
        made.save()
        return made

    @classmethod
    def kept(cls, path: Path, now: datetime) -> Credentials:
        """Those of an earlier run, so that what was set up then still works; made at the first one."""
        try:
            document = path.read_bytes()
        except FileNotFoundError:
            return cls.fresh(now, path)
        except OSError as problem:
            raise Unusable(f"{path} cannot be read ({problem.strerror}).") from None
        try:
            return _from_json(json.loads(document), path)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Unusable(
                f"{path} does not hold what a rehearsal has written. Move it out of the way."
            ) from None

    def renew_certificate(self, now: datetime, *, lives: timedelta = YEARS, overlap: bool = True) -> None:
        """Sign SAML with a new key from now on; with *overlap* the one before stays in the metadata."""
        self.saml = [new_signer(now, lives), *(self.saml[:1] if overlap else ())]
        self.save()

    def rotate(self, *, overlap: bool = True) -> None:
        """Sign tokens with new keys from now on; with *overlap* the ones before stay published."""
        self.oidc = {
            name: [SigningKey.fresh(name, kid=_kid()), *(held[:1] if overlap else ())]
            for name, held in self.oidc.items()
        }
        self.save()

    def save(self) -> None:
        """Write it all down for the next run, readable by this user alone."""
        if self.path is None:
            return
        beside = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(self._to_json(), file, indent=2)
            beside.replace(self.path)
        except OSError as problem:
            raise Unusable(f"{self.path} cannot be written ({problem.strerror}).") from None

    def _to_json(self) -> dict[str, Any]:
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "client_keys": self.client_keys,
            "saml": [{"key": one.private_pem.decode(), "certificate": one.pem} for one in self.saml],
            "oidc": {
                name: [{"kid": key.kid, "key": key.pem} for key in held] for name, held in self.oidc.items()
            },
        }


def new_signer(now: datetime, lives: timedelta) -> Signer:
    """A key with a certificate that is valid from an hour ago."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + lives)
        .sign(key, hashes.SHA256())
    )
    return Signer(key, certificate)


def _from_json(stored: Mapping[str, Any], path: Path) -> Credentials:
    signers = [
        Signer(
            cast(rsa.RSAPrivateKey, _private_key(one["key"])),
            x509.load_pem_x509_certificate(one["certificate"].encode()),
        )
        for one in stored["saml"]
    ]
    keys = {name: _signing_keys(name, stored["oidc"][name]) for name in ALGORITHMS}
    if not signers:
        raise ValueError("no key")
    return Credentials(
        saml=signers,
        oidc=keys,
        client_id=str(stored["client_id"]),
        client_secret=str(stored["client_secret"]),
        client_keys=list(stored["client_keys"]),
        path=path,
    )


def _signing_keys(algorithm: str, stored: Sequence[Mapping[str, str]]) -> list[SigningKey]:
    keys = [SigningKey(one["kid"], algorithm, _private_key(one["key"])) for one in stored]
    if not keys:
        raise ValueError("no key")
    return keys


def _private_key(pem: str) -> jwt.PrivateKey:
    return cast(jwt.PrivateKey, serialization.load_pem_private_key(pem.encode(), None))


def _kid() -> str:
    return f"rehearsal-{secrets.token_hex(4)}"
