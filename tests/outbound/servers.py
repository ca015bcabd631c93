"""Servers on loopback that behave as badly as a test asks, a TLS authority, a watch on the network."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Server:
    address: str
    port: int
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """The server names that TLS clients asked for."""
    connections: int = 0

    @property
    def pair(self) -> str:
        return f"{self.address}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.pair}/"


@dataclass
class Peer:
    """The server's end of one connection."""

    server: Server
    socket: socket.socket
    stopped: threading.Event

    def request(self) -> bytes:
        """The next request, with the body that its headers announce."""
        data = self._until(lambda data: b"\r\n\r\n" in data)
        head = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)\r\n", head)
        whole = len(head) + int(length[1] if length else 0)
        data = self._until(lambda data: len(data) >= whole, data)
        self.server.requests.append(data)
        return data

    def _until(self, done: Callable[[bytes], bool], data: bytes = b"") -> bytes:
        while not done(data):
            more = self.socket.recv(65_536)
            if not more:
                raise ConnectionError("the client went away")
            data += more
        return data

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def drip(self, piece: bytes, *, every: float = 0.05) -> None:
        """Send *piece* again and again, until the other side or the test has had enough."""
        while not self.stopped.wait(every):
            self.send(piece)

    def hang(self) -> None:
        self.stopped.wait(30)


Behaviour = Callable[[Peer], None]


class Serve(Protocol):
    """Start a server for the rest of the test."""

    def __call__(
        self,
        behaviour: Behaviour,
        *,
        tls: ssl.SSLContext | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
        receive_buffer: int = 0,
    ) -> Server: ...


@dataclass
class Authority:
    """A certificate authority of this test session."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def client(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.load_verify_locations(
            cadata=self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        )
        return context

    def server(self, *names: str, self_signed: bool = False, days: int = 1) -> ssl.SSLContext:
        """A server's context with a certificate for *names*, over already when *days* is negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer = key if self_signed else self.key
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if self_signed else self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=3))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(
                x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
            )
            .sign(signer, hashes.SHA256())
        )
        file = self.folder / f"{certificate.serial_number}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _alternative(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


@dataclass
class Network:
    """What the process asked of the network: connections, and lookups of names."""

    connects: list[tuple[str, int]] = field(default_factory=list)
    lookups: list[str] = field(default_factory=list)
    watching: bool = False

    def hook(self, event: str, args: tuple[object, ...]) -> None:
        if not self.watching:
            return
        if event == "socket.connect":
            address = args[1]
            self.connects.append((address[0], address[1]))  # type: ignore[index]
            if not ipaddress.ip_address(address[0]).is_loopback:  # type: ignore[index]
                raise ConnectionRefusedError("tests stay on loopback")
        elif event == "socket.getaddrinfo":
            self.lookups.append(str(args[0]))
