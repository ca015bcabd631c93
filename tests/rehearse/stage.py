"""authio, the rehearsal and the sample product, together on loopback: everything from a link to a welcome."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from authio.rehearse.rehearsal import Rehearsal
from tests.support.server import ROOT, Server
from tests.support.visitor import Visited, Visitor
from tools.services import free_port

PRODUCT = ROOT / "examples" / "product" / "product.py"


@dataclass(frozen=True)
class Stage:
    """A server, the rehearsal, and the sample product over both."""

    server: Server
    rehearsal: Rehearsal
    product: str

    def set_up(self, provider: str, **answers: str) -> None:
        """Be the IT admin, from the link to Save."""
        with Visitor(self.server.url) as admin:
            page = admin.get(self.server.mint())
            page = admin.submit(page, "start", it_admin_email="it@acme.example")
            page = admin.submit(page, "pick", provider=provider)
            page = admin.submit(page, "answers", **answers)
            assert page.name == "review", page.html.main.get_text(" ", strip=True)
            assert admin.submit(page, "save").name == "done"

    def set_up_saml(self) -> None:
        self.set_up("generic_saml", metadata_url=self.rehearsal.saml.entity_id)

    def set_up_oidc(self) -> None:
        credentials = self.rehearsal.oidc.credentials
        self.set_up(
            "generic_oidc",
            issuer=self.rehearsal.oidc.issuer,
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
        )

    def sign_in(self, person: Visitor, **changes: str) -> Visited:
        """Press the product's button and go all the way; where that ends."""
        page = person.get(f"{self.product}/sign-in?email=ada@acme.example")
        assert page.name == "login", page.html.get_text(" ", strip=True)
        page = person.submit(page, "login", **changes)
        return person.submit(page, "response") if page.name == "post" else page


@contextmanager
def staged(rehearsal: Rehearsal, folder: Path) -> Iterator[Stage]:
    """All three, started; the product's redirect URI is registered, nothing else is set up."""
    server = Server(folder)
    # As in development, all of them are localhost: to a browser one site, as cookies go.
    server.url = f"http://localhost:{server.port}"
    server.environment |= {
        "AUTHIO_BASE_URL": server.url,
        "AUTHIO_OUTBOUND_ALLOW": " ".join(
            urlsplit(one.url).netloc for one in (rehearsal.saml, rehearsal.oidc)
        ),
    }
    server.start()
    try:
        with _product(server) as address:
            yield Stage(server, rehearsal, address)
    finally:
        server.stop()


@contextmanager
def _product(server: Server) -> Iterator[str]:
    port = free_port()
    registered = requests.post(
        f"{server.url}/v1/redirect_uris",
        json={"uri": f"http://localhost:{port}/callback"},
        headers={"Authorization": f"Bearer {server.demo['api_key']}"},
        timeout=30,
    )
    registered.raise_for_status()
    environment = {
        "AUTHIO_BASE_URL": server.url,
        "AUTHIO_API_KEY": server.demo["api_key"],
        "AUTHIO_CLIENT_ID": server.demo["client_id"],
        "PORT": str(port),
    }
    with subprocess.Popen(
        [sys.executable, PRODUCT],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert "The product is at" in process.stdout.readline()
            yield f"http://localhost:{port}"
        finally:
            process.kill()
