"""Signing in as it happens: a product, a browser, and identity providers that sign for real."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import sqlalchemy as sa
from lxml import etree
from webtest import TestApp

from authio.app import Runtime
from authio.ids import new_id, ulid_of
from authio.models import connections, sign_in_attempts
from authio.protocols.oidc import OidcSettings
from authio.protocols.saml import SamlSettings
from authio.services import Services
from tests.conftest import BASE_URL, Project
from tests.support.clock import SteppedClock
from tests.support.oidc_provider import Client, OidcProvider
from tests.support.saml_idp import Facts, encoded, signed_response, signer

Begin = Callable[..., AbstractContextManager[Services]]
CALLBACK = "https://app.example.com/callback"
IDP = "https://idp.acme.example/metadata"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Connected:
    """A connection that people can sign in over."""

    id: str
    organization_id: str

    @property
    def ulid(self) -> str:
        return ulid_of(self.id)

    @property
    def acs(self) -> str:
        return f"/sso/saml/{self.ulid}/acs"

    @property
    def facts(self) -> Facts:
        """What a good response to it says, but for the request it answers."""
        return Facts(
            idp_entity_id=IDP,
            sp_entity_id=f"{BASE_URL}/sso/saml/{self.ulid}/metadata",
            acs_url=f"{BASE_URL}{self.acs}",
        )


class Browser(TestApp):
    """A person's browser: it keeps cookies, and goes where it is sent by hand."""

    def authorize(self, project: Project, **parameters: Any) -> Any:
        """Come from the product with *parameters* (None leaves one out)."""
        asked = {
            "client_id": project.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "state": "state-1",
            **parameters,
        }
        query = {name: value for name, value in asked.items() if value is not None}
        return self.get("/sso/authorize", query, expect_errors=True)

    def post_response(self, connected: Connected, response: Any, **fields: str) -> Any:
        """Bring a SAML response to the ACS URL, as the identity provider's page would."""
        form = {"SAMLResponse": encoded(response), **fields}
        return self.post(connected.acs, form, expect_errors=True)


@dataclass(frozen=True)
class Sent:
    """The AuthnRequest that a redirect carries."""

    id: str
    relay_state: str
    xml: etree._Element = field(repr=False)


def sent(answer: Any) -> Sent:
    """What a 302 to an identity provider asks."""
    assert answer.status_int == 302, answer.text
    query = dict(parse_qsl(urlsplit(answer.location).query))
    xml = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"]), -15))
    return Sent(xml.get("ID"), query["RelayState"], xml)


def returned(answer: Any) -> dict[str, str]:
    """What the product is told by a redirect to it."""
    assert answer.status_int == 302, answer.text
    assert answer.location.startswith(CALLBACK), answer.location
    return dict(parse_qsl(urlsplit(answer.location).query, keep_blank_values=True))


def refused(answer: Any, code: str, *, status: int = 403) -> None:
    """Nobody came in: a page of ours with *code*, and no way to the product."""
    assert (answer.status_int, answer.html.main.get("data-error-code")) == (status, code)
    assert answer.html.main["data-page"] == "error"
    assert "Location" not in answer.headers


@pytest.fixture
def wsgi(runtime: Runtime) -> Any:
    """The application itself."""
    return runtime.wsgi()


@pytest.fixture
def browser(wsgi: Any) -> Browser:
    """Somebody's browser."""
    return new_browser(wsgi)


def new_browser(wsgi: Any) -> Browser:
    """One more browser, with cookies of its own."""
    return Browser(
        wsgi,
        extra_environ={
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": BASE_URL.partition("//")[2],
            "HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8",
            "HTTP_USER_AGENT": "Browser/1.0",
        },
    )


@pytest.fixture
def backend(wsgi: Any) -> TestApp:
    """The product's backend: it proves itself in the body of each request."""
    return TestApp(wsgi, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:6543"})


@pytest.fixture
def registered(services: Begin, project: Project) -> str:
    """The product's redirect URI."""
    with services() as s:
        s.redirect_uris.add(project.id, CALLBACK)
    return CALLBACK


@pytest.fixture
def connect(services: Begin, project: Project, runtime: Runtime) -> Callable[..., Connected]:
    """Put a connection into the table, with an organization of its own unless one is named."""

    def make(
        settings: SamlSettings | OidcSettings | None = None,
        *,
        organization_id: str | None = None,
        project_id: str = project.id,
        domains: Mapping[str, Any] | None = None,
        secret: str = "",
        **values: Any,
    ) -> Connected:
        settings = settings or saml_settings()
        protocol = "saml" if isinstance(settings, SamlSettings) else "oidc"
        connection_id = new_id("connection")
        with services() as s:
            if organization_id is None:
                named = list((domains or {}).items())
                organization_id = s.organizations.create(project_id, name="Acme", domains=named).id
            now, seal = s.parts.clock.now(), s.parts.vault.seal
            row = {
                "id": connection_id,
                "project_id": project_id,
                "organization_id": organization_id,
                "name": "Sample",
                "provider": f"generic_{protocol}",
                "connector": f"generic-{protocol}",
                "protocol": protocol,
                "connection_type": "GenericSAML" if protocol == "saml" else "GenericOIDC",
                "state": "active",
                "version": 1,
                "findings": [],
                "created_at": now,
                "updated_at": now,
                "sealed_settings": seal(
                    json.dumps(settings.to_json()).encode(), place=("connections", connection_id, "settings")
                ),
                **values,
            }
            if secret:
                answers = {row["connector"]: {"client_secret": secret}}
                row["sealed_answers"] = seal(
                    json.dumps(answers).encode(), place=("connections", connection_id, "answers")
                )
            s.session.connection().execute(sa.insert(connections), row)
        return Connected(connection_id, organization_id)

    return make


def saml_settings(**changes: Any) -> SamlSettings:
    """Settings for the identity provider that :mod:`tests.support.saml_idp` signs as."""
    made = SamlSettings(
        idp_entity_id=IDP,
        sso_redirect_url="https://idp.acme.example/sso",
        certificates=(signer().pem,),
    )
    return replace(made, **changes)


@pytest.fixture
def connected(connect: Callable[..., Connected], registered: str) -> Connected:
    """A connection over SAML."""
    return connect()


@pytest.fixture
def now(clock: SteppedClock) -> Any:
    """The moment it is, for the messages that an identity provider makes."""
    return clock.now()


@pytest.fixture
def answer_to(clock: SteppedClock) -> Callable[..., Any]:
    """A good response of the identity provider to a request; ``changes`` are those of its facts."""

    def make(connected: Connected, asked: Sent | None, **changes: Any) -> Any:
        facts = replace(
            connected.facts,
            now=clock.now(),
            request_id=asked.id if asked else None,
            assertion_id=new_id("event").replace("event", "_a"),
        )
        bends = {
            name: changes.pop(name) for name in ("by", "sign_what", "before", "after") if name in changes
        }
        return signed_response(replace(facts, **changes), **bends)

    return make


@pytest.fixture
def attempts(services: Begin) -> Callable[[], list[Any]]:
    """Every attempt there is, oldest first."""

    def read() -> list[Any]:
        with services(write=False) as s:
            return list(
                s.session.connection().execute(sa.select(sign_in_attempts).order_by(sign_in_attempts.c.id))
            )

    return read


@pytest.fixture
def exchange(backend: TestApp, project: Project) -> Callable[..., Any]:
    """Exchange a code as the product's backend does; None leaves a field out."""

    def ask(code: str, **fields: Any) -> Any:
        form = {
            "grant_type": "authorization_code",
            "client_id": project.client_id,
            "client_secret": project.api_key,
            "code": code,
            **fields,
        }
        form = {name: value for name, value in form.items() if value is not None}
        return backend.post("/sso/token", form, expect_errors=True)

    return ask


# -- OpenID Connect ------------------------------------------------------------------------------------


@pytest.fixture
def op() -> Iterator[OidcProvider]:
    """An OpenID provider on loopback, which ``ini`` of the tests that use it lets us reach."""
    with OidcProvider(client=Client()) as provider:
        yield provider


def follow(location: str) -> str:
    """Be signed in at once by the provider, and be sent back: where to."""
    answer = requests.get(location, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]
