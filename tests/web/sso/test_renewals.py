"""Certificates that end and metadata that changes: what is taken over, what waits, who is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from authio.app import Runtime
from authio.models import audit_events, certificate_reminders, connections, events
from authio.tasks import Environment
from authio.tasks.renewals import look_after_connections
from tests.support.saml_idp import signer
from tests.web.sso.conftest import IDP, Begin, Browser, Connected, refused, saml_settings, sent

SSO = "https://idp.acme.example/sso"


@dataclass
class MetadataServer:
    """An identity provider's metadata address, whose answer may change at any time."""

    certificates: list[str] = field(default_factory=list)
    entity_id: str = IDP
    sso: str = SSO
    status: int = 200
    asked: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/metadata"

    def document(self) -> bytes:
        keys = "".join(
            '<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>'
            f"<X509Certificate>{''.join(pem.splitlines()[1:-1])}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
            for pem in self.certificates
        )
        return (
            f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{self.entity_id}">'
            f'<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}'
            '<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
            f'Location="{self.sso}"/>'
            "</IDPSSODescriptor></EntityDescriptor>"
        ).encode()


@pytest.fixture
def idp() -> Iterator[MetadataServer]:
    state = MetadataServer([signer().pem])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked += 1
            body = state.document()
            self.send_response(state.status)
            self.send_header("Content-Type", "application/samlmetadata+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def ini(idp: MetadataServer) -> dict[str, str]:
    return {"authio.outbound_allow": f"127.0.0.1:{idp.port}"}


@pytest.fixture
def live(connect: Callable[..., Connected], registered: str, idp: MetadataServer) -> Connected:
    """A live connection whose metadata has an address."""
    return connect(saml_settings(metadata_url=idp.url))


@pytest.fixture
def settled(connect: Callable[..., Connected], registered: str, idp: MetadataServer, clock: Any) -> Connected:
    """As ``live``, and looked after just now: a worker that starts has no reason to read its metadata."""
    due = clock.now() + timedelta(days=1)
    return connect(saml_settings(metadata_url=idp.url), refreshed_at=clock.now(), refresh_due_at=due)


@pytest.fixture
def look(runtime: Runtime) -> Callable[..., None]:
    """What the worker does at regular times, or for connections that it was rung for."""
    environment = Environment(runtime.begin, runtime.outbound, runtime.parts.clock, runtime.settings)
    return lambda *ids: look_after_connections(environment, *ids)


def certificate(*, ends: datetime, begins: datetime | None = None) -> str:
    """A certificate that ends then, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Acme signing")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins or ends - timedelta(days=365))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def told(services: Begin, prefix: str) -> list[dict[str, Any]]:
    with services(write=False) as s:
        rows = s.session.connection().execute(sa.select(events.c.body).order_by(events.c.id)).scalars()
        return [one for one in map(json.loads, rows) if one["event"].startswith(prefix)]


def row_of(services: Begin, connected: Connected) -> Any:
    with services(write=False) as s:
        return (
            s.session.connection()
            .execute(sa.select(connections).where(connections.c.id == connected.id))
            .one()
        )


def settings_of(services: Begin, connected: Connected) -> Any:
    row = row_of(services, connected)
    with services(write=False) as s:
        return s.parts.known.settings(row)


def test_new_certificates_from_the_same_provider_are_taken_over(
    services: Begin, live: Connected, idp: MetadataServer, look: Callable[..., None], clock: Any
) -> None:
    new = certificate(ends=clock.now() + timedelta(days=900))
    idp.certificates.append(new)

    look()

    assert len(settings_of(services, live).certificates) == 2
    (renewed,) = told(services, "connection.saml_certificate_renewed")
    assert renewed["data"]["connection"]["id"] == live.id
    assert renewed["data"]["certificate"]["certificate_type"] == "ResponseSigning"
    row = row_of(services, live)
    assert row.version == 2
    assert row.refreshed_at == clock.now()
    with services(write=False) as s:
        done = sa.select(audit_events.c.action).where(audit_events.c.target_id == live.id)
        assert s.session.connection().execute(done).scalars().all() == ["connection.certificates_renewed"]


def test_nothing_new_changes_nothing_and_a_day_passes_before_the_next_look(
    services: Begin, live: Connected, idp: MetadataServer, look: Callable[..., None], clock: Any
) -> None:
    for _ in range(3):
        look()
    assert (idp.asked, row_of(services, live).version) == (1, 1)

    clock.step(hours=27)
    look()
    assert idp.asked == 2


@pytest.mark.parametrize("change", [{"sso": "https://elsewhere.example/sso"}])
def test_anything_but_certificates_waits_for_a_person_and_is_told_once(
    services: Begin,
    live: Connected,
    idp: MetadataServer,
    look: Callable[..., None],
    clock: Any,
    change: dict[str, str],
) -> None:
    before = settings_of(services, live)
    idp.sso = change["sso"]
    for _ in range(2):
        look()
        clock.step(hours=27)

    assert settings_of(services, live) == before
    assert row_of(services, live).sealed_refreshed is not None
    assert len(told(services, "sso.connection.metadata_changed")) == 1

    idp.sso = SSO
    look()
    assert row_of(services, live).sealed_refreshed is None


def other_entity(idp: MetadataServer) -> None:
    idp.entity_id = "https://somebody.else.example"


def gone(idp: MetadataServer) -> None:
    idp.status = 500


def without_keys(idp: MetadataServer) -> None:
    idp.certificates.clear()


@pytest.mark.parametrize("broken", [other_entity, gone, without_keys])
def test_SEC_26_a_refresh_that_fails_keeps_the_last_good_copy_and_is_told_once(
    services: Begin,
    live: Connected,
    idp: MetadataServer,
    look: Callable[..., None],
    clock: Any,
    broken: Callable[[MetadataServer], None],
) -> None:
    before = settings_of(services, live)
    broken(idp)

    for _ in range(3):
        look()
        clock.step(hours=2)

    assert settings_of(services, live) == before
    failed = told(services, "sso.connection.")
    assert len(failed) == 1
    assert row_of(services, live).state == "active"


def test_after_a_failure_a_good_answer_counts_again_and_the_next_failure_is_told(
    services: Begin, live: Connected, idp: MetadataServer, look: Callable[..., None], clock: Any
) -> None:
    for status in (500, 200, 500):
        idp.status = status
        look()
        clock.step(hours=27)

    assert idp.asked == 3
    assert len(told(services, "sso.connection.metadata_refresh_failed")) == 2


def test_a_signature_by_an_unknown_key_has_the_metadata_read_at_once_and_the_next_try_works(
    services: Begin,
    browser: Browser,
    project: Any,
    settled: Connected,
    idp: MetadataServer,
    worker: None,
    answer_to: Callable[..., Any],
    clock: Any,
) -> None:
    """The provider switched to a new key a minute ago: one person fails, everybody after that comes in."""
    new = signer("new")
    idp.certificates = [new.pem]
    clock.step(minutes=11)
    asked = sent(browser.authorize(project, connection=settled.id))
    refused(browser.post_response(settled, answer_to(settled, asked, by=new)), "saml_signature_invalid")

    _until(lambda: new.pem.split() == settings_of(services, settled).certificates[0].split())

    asked = sent(browser.authorize(project, connection=settled.id))
    again = browser.post_response(settled, answer_to(settled, asked, by=new))
    assert "code=" in again.location


def test_unknown_keys_cannot_make_us_read_metadata_again_and_again(
    services: Begin,
    browser: Browser,
    project: Any,
    settled: Connected,
    idp: MetadataServer,
    worker: None,
    answer_to: Callable[..., Any],
    clock: Any,
) -> None:
    clock.step(minutes=11)
    for _ in range(5):
        asked = sent(browser.authorize(project, connection=settled.id))
        forged = answer_to(settled, asked, by=signer("stranger"))
        refused(browser.post_response(settled, forged), "saml_signature_invalid")

    _until(lambda: idp.asked > 0)
    assert idp.asked <= 2  # once for all of these, and the worker's own look at its start


def test_a_certificate_that_ends_is_told_of_at_each_threshold_once(
    services: Begin, connect: Callable[..., Connected], look: Callable[..., None], clock: Any
) -> None:
    connect(saml_settings(certificates=(certificate(ends=clock.now() + timedelta(days=65)),)))

    for _ in range(70):
        look()
        look()
        clock.step(hours=27)

    required = told(services, "connection.saml_certificate_renewal_required")
    days = [one["data"]["days_until_expiry"] for one in required]
    assert len(days) == 6
    assert all(left <= limit for left, limit in zip(days, (60, 30, 14, 7, 1), strict=False))
    assert [one["data"]["certificate"]["is_expired"] for one in required] == [False] * 5 + [True]


def test_a_certificate_first_seen_late_is_told_of_once_not_for_each_threshold_that_has_passed(
    services: Begin, connect: Callable[..., Connected], look: Callable[..., None], clock: Any
) -> None:
    connect(saml_settings(certificates=(certificate(ends=clock.now() + timedelta(days=5, hours=1)),)))
    look()

    (one,) = told(services, "connection.saml_certificate_renewal_required")
    assert one["data"]["days_until_expiry"] == 5
    with services(write=False) as s:
        assert s.session.connection().execute(sa.select(certificate_reminders.c.days)).scalars().all() == [7]


def test_two_workers_look_once(
    services: Begin, live: Connected, idp: MetadataServer, look: Callable[..., None], clock: Any
) -> None:
    idp.certificates.append(certificate(ends=clock.now() + timedelta(days=900)))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: look(live.id), range(8)))

    assert idp.asked == 1
    assert len(told(services, "connection.saml_certificate_renewed")) == 1


def test_drafts_inactive_connections_and_openid_connect_are_left_alone(
    services: Begin, connect: Callable[..., Connected], idp: MetadataServer, look: Callable[..., None]
) -> None:
    connect(saml_settings(metadata_url=idp.url), state="inactive")
    look()

    assert idp.asked == 0


def _until(true: Callable[[], bool], *, seconds: float = 15.0) -> None:
    import time

    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
