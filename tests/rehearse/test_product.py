"""The whole way, offline: a set-up link, the rehearsal, and a product that signs people in with an SDK."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import requests

from authio.rehearse.rehearsal import Rehearsal
from tests.support.server import ROOT, Server, serving
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


@pytest.fixture(scope="module")
def running(listening: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    allowed = " ".join(urlsplit(one.url).netloc for one in (listening.saml, listening.oidc))
    with serving(tmp_path_factory.mktemp("stage"), environment={"AUTHIO_OUTBOUND_ALLOW": allowed}) as server:
        port = free_port()
        registered = requests.post(
            f"{server.url}/v1/redirect_uris",
            json={"uri": f"http://localhost:{port}/callback"},
            headers={"Authorization": f"Bearer {server.demo['api_key']}"},
            timeout=30,
        )
        assert registered.status_code == 201, registered.text
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
            assert process.stdout is not None
            assert "The product is at" in process.stdout.readline()
            try:
                yield Stage(server, listening, f"http://localhost:{port}")
            finally:
                process.kill()


@pytest.fixture
def stage(running: Stage, rehearsal: Rehearsal) -> Stage:
    """What is running, with every switch where it is right."""
    return running


@pytest.fixture
def person(stage: Stage) -> Iterator[Visitor]:
    with Visitor(stage.product) as someone:
        yield someone


def test_somebody_signs_in_to_the_product_over_saml(stage: Stage, person: Visitor) -> None:
    stage.set_up_saml()
    page = stage.sign_in(person)
    assert (page.status, page.url) == (200, f"{stage.product}/")
    assert "Welcome" in page.html.text
    assert "Ada · Lovelace · ada@acme.example" in page.html.text
    assert stage.server.demo["organization_id"] in page.html.text


def test_somebody_signs_in_to_the_product_over_openid_connect(stage: Stage, person: Visitor) -> None:
    stage.set_up_oidc()
    assert "Ada · Lovelace · ada@acme.example" in stage.sign_in(person).html.text


def test_a_mistake_keeps_everybody_out_until_it_is_put_right(stage: Stage, person: Visitor) -> None:
    stage.set_up_saml()
    page = stage.sign_in(person, **{"switch-audience": "wrong"})
    assert (page.status, page.name) == (403, "error")
    assert page.html.main["data-error-code"] == "saml_audience"
    assert "Welcome" not in person.get(stage.product).html.text
    assert "Welcome" in stage.sign_in(person).html.text


def test_a_response_that_is_sent_twice_lets_nobody_in(stage: Stage, person: Visitor) -> None:
    stage.set_up_saml()
    stage.sign_in(person)
    with Visitor(stage.product) as thief:
        page = stage.sign_in(thief, **{"switch-replay": "yes"})
        assert page.html.main["data-error-code"] == "login_session_missing"
        assert "Welcome" not in thief.get(stage.product).html.text


def test_whoever_cancels_is_back_at_the_product(stage: Stage, person: Visitor) -> None:
    stage.set_up_saml()
    page = stage.sign_in(person, cancel="yes")
    assert page.url.startswith(f"{stage.product}/callback")
    assert "access_denied" in page.html.text


@pytest.mark.parametrize("query", ["code=x", "code=x&state=", "code=x&state=y", "state=&error=<b>"])
def test_the_product_lets_nobody_in_who_has_not_asked(stage: Stage, person: Visitor, query: str) -> None:
    page = person.get(f"{stage.product}/callback?{query}")
    assert "That did not work" in page.html.text
    assert page.html.b is None
    assert "Welcome" not in person.get(stage.product).html.text
