"""The identity providers as processes: each on a port and in a folder of its own, ended with its block."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree

from tools import peers
from tools.services import free_port

HERE = Path(__file__).resolve().parent
PATIENCE = 30.0


@dataclass(frozen=True)
class SimpleSamlPhp:
    """SimpleSAMLphp as an identity provider, and the hand of whoever administers it."""

    url: str
    folder: Path

    @property
    def metadata_url(self) -> str:
        """Where it shows its metadata."""
        return f"{self.url}/saml2/idp/metadata.php"

    @property
    def log(self) -> str:
        """What it has written down since it was started."""
        return (self.folder / "simplesamlphp.log").read_text(encoding="utf-8")

    def behave(self, **settings: Any) -> None:
        """Have those settings of the hosted identity provider, and otherwise the usual ones."""
        named = {name.replace("__", "."): value for name, value in settings.items()}
        (self.folder / "wanted.json").write_text(json.dumps(named), encoding="utf-8")

    def trust(self, metadata: bytes) -> None:
        """Know a service provider by the metadata that it publishes, instead of by what it did before."""
        name = hashlib.sha256(etree.fromstring(metadata).get("entityID").encode()).hexdigest()
        (self.folder / "sp" / f"{name}.xml").write_bytes(metadata)

    def renew_keys(self) -> None:
        """Sign with another key from now on, and publish that one only."""
        _write_key_pair(self.folder / "cert")

    def tile(self, sp_entity_id: str, **parameters: str) -> str:
        """The link that a portal of the customer's own has for a service provider."""
        query = {"spentityid": sp_entity_id, **parameters}
        address = requests.Request("GET", f"{self.url}/saml2/idp/SSOService.php", params=query).prepare().url
        return str(address)


@contextmanager
def simplesamlphp(folder: Path) -> Iterator[SimpleSamlPhp]:
    """A SimpleSAMLphp that answers, under PHP's own web server."""
    installed = _installed("AUTHIO_TEST_SIMPLESAMLPHP") or peers.simplesamlphp()
    for name in ("cert", "data", "sessions", "sp", "tmp"):
        (folder / name).mkdir(parents=True)
    _write_key_pair(folder / "cert")
    port = free_port()
    peer = SimpleSamlPhp(f"http://localhost:{port}", folder)
    peer.behave()
    root = installed / "usr" / "share" / "simplesamlphp" / "www"
    environment = {
        "SIMPLESAMLPHP_CONFIG_DIR": str(HERE / "simplesamlphp"),
        "PEER_FOLDER": str(folder),
        "PEER_INSTALLED": str(installed),
        "PEER_URL": peer.url,
    }
    with _process(
        ["php", "-S", f"127.0.0.1:{port}", "-t", str(root)], environment, folder, peer.metadata_url
    ):
        yield peer


@dataclass(frozen=True)
class OidcProvider:
    """An oidc-provider, and the hand of whoever registers clients with it."""

    issuer: str

    def register(self, redirect_uri: str, **metadata: Any) -> dict[str, Any]:
        """A new client by dynamic registration: ``client_id``, ``client_secret`` and what it was given."""
        wanted = {"redirect_uris": [redirect_uri], "response_types": ["code"], **metadata}
        answer = requests.post(f"{self.issuer}/reg", json=wanted, timeout=30)
        if answer.status_code != 201:
            raise RuntimeError(f"oidc-provider registers no such client: {answer.text}")
        return dict(answer.json())


@contextmanager
def oidc_provider(folder: Path, **settings: Any) -> Iterator[OidcProvider]:
    """An oidc-provider that answers, with *settings* laid over its configuration."""
    installed = _installed("AUTHIO_TEST_OIDC_PROVIDER") or peers.oidc_provider()
    folder.mkdir(parents=True)
    port = free_port()
    peer = OidcProvider(f"http://localhost:{port}")
    environment = {
        "PEER_INSTALLED": str(installed),
        "PEER_PORT": str(port),
        "PEER_SETTINGS": json.dumps(settings),
    }
    command = ["node", "--no-warnings", str(HERE / "oidc_provider" / "provider.mjs")]
    with _process(command, environment, folder, f"{peer.issuer}/.well-known/openid-configuration"):
        yield peer


def _installed(variable: str) -> Path | None:
    """Where `make test-peers` says that it is."""
    return Path(os.environ[variable]) if variable in os.environ else None


@contextmanager
def _process(
    command: list[str], environment: Mapping[str, str], folder: Path, address: str
) -> Iterator[None]:
    """A process that answers at *address*, for the length of the block."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AUTHIO_", "PHP"))}
    with (
        (folder / "output").open("wb") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            env={**inherited, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait(process, address, folder / "output")
            yield
        finally:
            process.kill()


def _wait(process: subprocess.Popen[bytes], address: str, output: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        problem = ""
        try:
            answer = requests.get(address, timeout=10)
            # SimpleSAMLphp's pages about errors come with 200, too; and the port may be somebody else's.
            is_it = process.poll() is None and "html" not in answer.headers.get("Content-Type", "")
            if answer.status_code == 200 and is_it:
                return
            problem = f"{answer.status_code} {answer.text[:500]}"
        except requests.ConnectionError as refused:
            problem = str(refused)
        if process.poll() is not None or time.monotonic() > deadline:
            said = output.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"{address} does not answer: {problem}\n{said}")
        time.sleep(0.05)


def _write_key_pair(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.initech.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=700))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "idp.pem").write_bytes(pem)
    (folder / "idp.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
