"""A rehearsal on free ports, somebody at a browser without scripts, and a service provider with keys."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree, html

from authio.protocols.saml import POST, SamlSettings, read_metadata
from authio.protocols.saml_request import Form, Redirect, RequestSigner, begin
from authio.protocols.saml_response import Expected, Judged, Keys, judge
from authio.rehearse.credentials import Credentials, new_signer
from authio.rehearse.rehearsal import Rehearsal
from authio.rehearse.xml_names import DS, MD, PROTOCOL, add
from authio.rehearse.xml_signatures import Signer


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    """Keys take long to make, so there is one set for all tests."""
    return Credentials.fresh(datetime.now(UTC))


@pytest.fixture(scope="session")
def listening(credentials: Credentials) -> Iterator[Rehearsal]:
    with Rehearsal(credentials, saml_port=0, oidc_port=0) as started:
        yield started


@pytest.fixture
def rehearsal(listening: Rehearsal) -> Iterator[Rehearsal]:
    """Both providers, with every switch where it is right."""
    yield listening
    listening.saml.switches.reset()
    listening.oidc.switches.reset()


@dataclass
class Page:
    """What a browser shows."""

    status: int
    url: str
    headers: Mapping[str, str]
    tree: Any

    @property
    def name(self) -> str:
        return str(self.tree.xpath("string(//main/@data-page)"))

    @property
    def says(self) -> str:
        return " ".join(str(self.tree.xpath("string(//main)")).split())

    def fields(self, form: str) -> dict[str, str]:
        """What the form of that name would send if its first button were pressed."""
        found = self.tree.xpath("//form[@data-form=$form]", form=form)[0]
        return dict(found.form_values())

    def action(self, form: str) -> str:
        return str(self.tree.xpath("string(//form[@data-form=$form]/@action)", form=form))


@dataclass
class Visitor:
    """Somebody at a browser without scripts, who does not follow redirects to other places."""

    session: requests.Session = field(default_factory=requests.Session)

    def get(self, url: str) -> Page:
        return self._page(self.session.get(url, allow_redirects=False, timeout=10))

    def post(self, url: str, fields: Mapping[str, str], **headers: str) -> Page:
        answer = self.session.post(url, data=fields, headers=headers, allow_redirects=False, timeout=10)
        return self._page(answer)

    def sign_in(self, page: Page, **changes: str) -> Page:
        """Press Continue on a sign-in page, with changes to its fields."""
        assert page.name == "login", page.says
        origin = page.url.partition("/sso")[0].partition("/start")[0].partition("/authorize")[0]
        return self.post(f"{origin}/login", {**page.fields("login"), **changes})

    def _page(self, answer: requests.Response) -> Page:
        tree = html.fromstring(answer.content) if answer.content else html.fromstring("<main></main>")
        return Page(answer.status_code, answer.url, answer.headers, tree)


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    someone = Visitor()
    yield someone
    someone.session.close()


class ServiceProvider:
    """A service provider whose metadata can be read on loopback, and which judges as the product does."""

    def __init__(self, metadata_url: str) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://localhost:{self._server.server_port}"
        self.entity_id = f"{self.url}/sp/metadata"
        self.acs_url = f"{self.url}/sp/acs"
        self.signer: Signer = new_signer(datetime.now(UTC), timedelta(days=1))
        self.metadata_url = metadata_url
        self._keys = Keys()

    @property
    def settings(self) -> SamlSettings:
        """The connection's, read from the provider's metadata as an IT admin's would be."""
        document = requests.get(self.metadata_url, timeout=10).content
        allow = [self.metadata_url.split("/")[2]]
        return read_metadata(document, now=datetime.now(UTC), allow=allow).settings

    def request(self, *, signed: bool = False, by_post: bool = False, **options: Any) -> Redirect | Form:
        assert isinstance(self.signer.key, rsa.RSAPrivateKey)
        return begin(
            self.settings,
            request_id="_request-1",
            acs_url=self.acs_url,
            sp_entity_id=self.entity_id,
            now=datetime.now(UTC),
            relay_state="handle",
            sign_with=RequestSigner(self.signer.key, self.signer.der) if signed else None,
            by_post=by_post,
            **options,
        )

    def judge(self, page: Page, *, request_id: str | None = "_request-1", **options: Any) -> Judged:
        """What the product makes of the response that *page* would post."""
        settings = self.settings
        expected = Expected(
            acs_url=self.acs_url,
            sp_entity_id=self.entity_id,
            idp_entity_id=settings.idp_entity_id,
            certificates=tuple(self._keys.verifying(pem) for pem in settings.certificates),
            now=datetime.now(UTC),
            request_id=request_id,
            **options,
        )
        return judge(page.fields("response")["SAMLResponse"], expected)

    def metadata(self) -> bytes:
        root = etree.Element(f"{MD}EntityDescriptor", {"entityID": self.entity_id}, nsmap={"md": MD[1:-1]})
        role = add(root, f"{MD}SPSSODescriptor", protocolSupportEnumeration=PROTOCOL)
        for use in ("signing", "encryption"):
            info = add(add(role, f"{MD}KeyDescriptor", use=use), f"{DS}KeyInfo")
            add(add(info, f"{DS}X509Data"), f"{DS}X509Certificate", self.signer.der)
        add(role, f"{MD}AssertionConsumerService", Binding=POST, Location=self.acs_url, index="0")
        return bytes(etree.tostring(root))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path == "/sp/metadata"
                body = provider.metadata() if found else b""
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Silence."""

        return Handler


@pytest.fixture(scope="session")
def _service_provider(listening: Rehearsal) -> Iterator[ServiceProvider]:
    made = ServiceProvider(listening.saml.entity_id)
    yield made
    made.close()


@pytest.fixture
def sp(_service_provider: ServiceProvider) -> ServiceProvider:
    """A service provider that has taken the rehearsal's metadata."""
    return _service_provider


def decoded(page: Page) -> etree._Element:
    """The message that a page would post."""
    return etree.fromstring(base64.b64decode(page.fields("response")["SAMLResponse"]))
