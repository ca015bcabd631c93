"""Fixtures of the tests of outgoing requests."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import sys
import threading
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.outbound.servers import Authority, Behaviour, Network, Peer, Serve, Server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=4))
        .not_valid_after(now + dt.timedelta(days=4))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(tmp_path_factory.mktemp("authority"), key, certificate)


@pytest.fixture
def serve() -> Iterator[Serve]:
    stopped = threading.Event()
    listeners: list[socket.socket] = []
    open_sockets: list[socket.socket] = []

    def start(
        behaviour: Behaviour,
        *,
        tls: ssl.SSLContext | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
        receive_buffer: int = 0,
    ) -> Server:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, port), family=family)
        listeners.append(listener)
        if receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        server = Server(address, listener.getsockname()[1])
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: server.names.append(name)

        def attend(connection: socket.socket) -> None:
            with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
                stack.callback(connection.close)
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                    stack.callback(connection.close)
                    open_sockets.append(connection)
                behaviour(Peer(server, connection, stopped))

        def listen() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    server.connections += 1
                    open_sockets.append(connection)
                    threading.Thread(target=attend, args=(connection,), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        return server

    yield start
    stopped.set()
    for each in (*listeners, *open_sockets):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@pytest.fixture(scope="session")
def _audited() -> Network:
    network = Network()
    sys.addaudithook(network.hook)  # for good: the interpreter has no way to take one out
    return network


@pytest.fixture
def network(_audited: Network) -> Iterator[Network]:
    """A record of this test's network use, by the interpreter itself. Nothing leaves loopback."""
    _audited.connects.clear()
    _audited.lookups.clear()
    _audited.watching = True
    yield _audited
    _audited.watching = False
