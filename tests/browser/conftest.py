"""A browser and a running server for the whole session, a fresh organization and link for each test."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.browser import Browser, browsing
from tests.support.receiver import Receiver
from tests.support.server import Server, serving

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "idp-samples"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; each person in it starts with nothing."""
    with browsing() as started:
        yield started


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    """An OpenID provider's discovery document, served for real on localhost."""
    document: dict[str, Any] = json.loads(
        (SAMPLES / "oidc-generic" / "good.json").read_text(encoding="utf-8")
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(document).encode()
            found = self.path == "/.well-known/openid-configuration"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("localhost", 0), Handler)
    address = f"http://localhost:{server.server_port}"
    for key, value in document.items():
        if isinstance(value, str):
            document[key] = value.replace("https://op.acme.example", address)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def vendor(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    """A running server, its demo project's backend, and the receiver of its webhooks."""
    with Receiver() as receiver:
        allowed = f"{issuer.partition('//')[2]} {receiver.authority}"
        environment = {"AUTHIO_OUTBOUND_ALLOW": allowed}
        with serving(tmp_path_factory.mktemp("portal"), environment=environment) as server:
            yield Vendor(server, receiver)


class Vendor:
    """The vendor's backend: makes organizations and links, and is told of what happens."""

    def __init__(self, server: Server, receiver: Receiver) -> None:
        self.server, self.receiver = server, receiver
        self.url = server.url
        self.endpoint = self.call("POST", "/webhook_endpoints", endpoint_url=receiver.url, events=["*"])

    def call(self, method: str, path: str, **body: Any) -> Any:
        """What the API answers; its errors are errors here."""
        answer = requests.request(
            method,
            self.url + path,
            json=body or None,
            headers={"Authorization": f"Bearer {self.server.demo['api_key']}"},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def organization(self, name: str = "Initech") -> str:
        """The id of a new organization."""
        return str(self.call("POST", "/organizations", name=name)["id"])

    def link(self, organization_id: str, **wanted: Any) -> Any:
        """A new setup link: its ``url``, its ``id``."""
        return self.call("POST", "/v1/sso/admin-portal/tokens", organization_id=organization_id, **wanted)

    def told(self, organization_id: str, event: str) -> Any:
        """The event of that type about the organization, once it has been delivered."""

        def wanted(received: Any) -> Any:
            bodies = [json.loads(one.body) for one in received]
            return [
                one
                for one in bodies
                if one["event"] == event and one.get("organization_id") == organization_id
            ]

        return wanted(self.receiver.wait_until(wanted))[0]


@pytest.fixture
def link(vendor: Vendor) -> Callable[..., str]:
    """The address of a fresh setup link for an organization of its own."""
    return lambda **wanted: str(vendor.link(vendor.organization(), **wanted)["url"])
