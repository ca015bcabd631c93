"""Signing in with the unmodified ``workos`` package, against two real server processes over one database."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import sqlalchemy as sa
from lxml import etree
from workos import WorkOSClient
from workos._errors import AuthenticationError, BadRequestError

from authio.crypto import new_master_keys
from authio.ids import new_id, ulid_of
from authio.models import connections
from authio.protocols.saml import SamlSettings
from authio.services import Services
from tests.support.saml_idp import Facts, encoded, signed_response, signer
from tests.support.server import Server, serving

KEYS = new_master_keys()
CALLBACK = "http://localhost:6547/callback"
IDP = "https://idp.acme.example/metadata"


@pytest.fixture
def ini() -> dict[str, str]:
    """This process seals what the server opens."""
    return {"authio.master_keys": KEYS}


@pytest.fixture
def environment(database_url: str, queue_url: str) -> dict[str, str]:
    return {
        "AUTHIO_DATABASE_URL": database_url,
        "AUTHIO_QUEUE_URL": queue_url,
        "AUTHIO_MASTER_KEYS": KEYS,
    }


@pytest.fixture
def server(tmp_path: Path, environment: dict[str, str]) -> Iterator[Server]:
    with serving(tmp_path, environment=environment) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[WorkOSClient]:
    with WorkOSClient(
        api_key=server.demo["api_key"],
        client_id=server.demo["client_id"],
        base_url=server.url,
        max_retries=0,
    ) as made:
        yield made


@dataclass(frozen=True)
class Person:
    """Somebody with a browser, and with an account at the organization's identity provider."""

    session: requests.Session
    server: Server
    connection_id: str

    def goes_to(self, url: str) -> str:
        """Open the product's link, be signed in by the provider, and say where that ends."""
        return self.brings(self.asks(url))

    def asks(self, url: str) -> str:
        """The response of the identity provider to whatever opening *url* asks of it."""
        away = self.session.get(url, allow_redirects=False, timeout=30)
        assert away.status_code == 302, away.text
        query = dict(parse_qsl(urlsplit(away.headers["Location"]).query))
        request = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"]), -15))
        return encoded(
            signed_response(
                Facts(
                    now=datetime.now(UTC),
                    idp_entity_id=IDP,
                    sp_entity_id=request.findtext("{urn:oasis:names:tc:SAML:2.0:assertion}Issuer"),
                    acs_url=request.get("AssertionConsumerServiceURL"),
                    request_id=request.get("ID"),
                    assertion_id=f"_{new_id('event')}",
                )
            )
        )

    def brings(self, response: str) -> str:
        back = self.posts(self.server.url, response)
        assert back.status_code == 302, back.text
        return back.headers["Location"]

    def posts(self, home: str, response: str) -> requests.Response:
        acs = f"{home}/sso/saml/{ulid_of(self.connection_id)}/acs"
        return self.session.post(acs, {"SAMLResponse": response}, allow_redirects=False, timeout=30)


@pytest.fixture
def person(server: Server, services: Callable[..., AbstractContextManager[Services]]) -> Iterator[Person]:
    settings = SamlSettings(
        idp_entity_id=IDP, sso_redirect_url="https://idp.acme.example/sso", certificates=(signer().pem,)
    )
    connection_id = new_id("connection")
    with services() as s:
        now = s.parts.clock.now()
        row = {
            "id": connection_id,
            "project_id": server.demo["project_id"],
            "organization_id": server.demo["organization_id"],
            "name": "Sample",
            "provider": "generic_saml",
            "connector": "generic-saml",
            "protocol": "saml",
            "connection_type": "GenericSAML",
            "state": "active",
            "version": 1,
            "findings": [],
            "created_at": now,
            "updated_at": now,
            "sealed_settings": s.parts.vault.seal(
                json.dumps(settings.to_json()).encode(), place=("connections", connection_id, "settings")
            ),
        }
        s.session.connection().execute(sa.insert(connections), row)
    with requests.Session() as session:
        session.trust_env = False
        yield Person(session, server, connection_id)


def code_of(location: str, **expected: str) -> str:
    assert location.startswith(f"{CALLBACK}?")
    told = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    code = told.pop("code")
    assert told == expected
    return code


def test_a_person_signs_in_to_a_product_that_uses_the_library(client: WorkOSClient, person: Person) -> None:
    url = client.sso.get_authorization_url(
        redirect_uri=CALLBACK,
        connection=person.connection_id,
        state="a b+c&d=ü",
        login_hint="ann@acme.example",
        nonce="n-1",
        prompt="login",
        provider_scopes=["a", "b"],
        provider_query_params={"k": "v"},
    )

    answer = client.sso.get_profile_and_token(code=code_of(person.goes_to(url), state="a b+c&d=ü"))
    profile = client.sso.get_profile(access_token=answer.access_token)

    assert answer.profile.email == "ann@acme.example"
    assert answer.profile.connection_id == person.connection_id
    assert answer.profile.idp_id == "00u1"
    assert answer.expires_in == 600
    assert profile.to_dict() == answer.profile.to_dict()
    assert profile.raw_attributes["groups"] == ["Staff", "Engineering"]


@pytest.mark.parametrize("selector", ["organization", "provider"])
def test_each_selector_of_the_library_leads_to_the_connection(
    client: WorkOSClient, person: Person, selector: str
) -> None:
    value = {"organization": person.server.demo["organization_id"], "provider": "GenericSAML"}[selector]
    url = client.sso.get_authorization_url(redirect_uri=CALLBACK, **{selector: value})  # type: ignore[arg-type]

    answer = client.sso.get_profile_and_token(code=code_of(person.goes_to(url)))

    assert answer.profile.connection_id == person.connection_id


def test_the_library_s_pkce_is_understood(client: WorkOSClient, person: Person) -> None:
    begun = client.sso.get_authorization_url_with_pkce(
        redirect_uri=CALLBACK, connection=person.connection_id, provider_scopes=["a"]
    )
    code = code_of(person.goes_to(begun["url"]), state=begun["state"])

    answer = client.sso.get_profile_and_token_pkce(code=code, code_verifier=begun["code_verifier"])

    assert answer.profile.email == "ann@acme.example"
    other = client.sso.get_authorization_url_with_pkce(redirect_uri=CALLBACK, connection=person.connection_id)
    code = code_of(person.goes_to(other["url"]), state=other["state"])
    with pytest.raises(BadRequestError):
        client.sso.get_profile_and_token_pkce(code=code, code_verifier=begun["code_verifier"])


def test_errors_are_the_library_s_own_classes(client: WorkOSClient, person: Person) -> None:
    with pytest.raises(BadRequestError) as spent:
        client.sso.get_profile_and_token(code="made-up")
    with pytest.raises(AuthenticationError) as unknown:
        client.sso.get_profile(access_token=person.server.demo["api_key"])

    assert spent.value.request_id.startswith("req_")
    assert "code is unknown" in str(spent.value)
    assert unknown.value.status_code == 401


def test_the_events_of_a_sign_in_can_be_read_with_the_library(client: WorkOSClient, person: Person) -> None:
    url = client.sso.get_authorization_url(redirect_uri=CALLBACK, connection=person.connection_id)
    code_of(person.goes_to(url))

    names = ["authentication.sso_started", "authentication.sso_succeeded"]
    events = [event.to_dict() for event in client.events.list_events(events=names).data]

    assert [event["event"] for event in events] == names
    assert events[1]["data"]["email"] == "ann@acme.example"


def test_SEC_57_SEC_82_across_two_processes_one_answer_and_one_exchange_win(
    tmp_path: Path, environment: dict[str, str], client: WorkOSClient, person: Person
) -> None:
    (tmp_path / "second").mkdir()
    # Behind one name, as in production: the addresses that are handed out are the same in both.
    as_one = {**environment, "AUTHIO_BASE_URL": person.server.url}
    with serving(tmp_path / "second", environment=as_one) as second:
        homes = [person.server.url, second.url]
        url = client.sso.get_authorization_url(redirect_uri=CALLBACK, connection=person.connection_id)
        response = person.asks(url)
        jar = person.session.cookies.get_dict()

        def post(number: int) -> tuple[int, str]:
            acs = f"{homes[number % 2]}/sso/saml/{ulid_of(person.connection_id)}/acs"
            answer = requests.post(
                acs, {"SAMLResponse": response}, cookies=jar, allow_redirects=False, timeout=30
            )
            return answer.status_code, answer.headers.get("Location", "")

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(post, range(10)))
        (location,) = {where for status, where in answers if status == 302}
        assert sorted(status for status, _ in answers) == [302] + [403] * 9

        form = {
            "grant_type": "authorization_code",
            "client_id": person.server.demo["client_id"],
            "client_secret": person.server.demo["api_key"],
            "code": code_of(location),
        }

        def exchange(number: int) -> int:
            return requests.post(f"{homes[number % 2]}/sso/token", form, timeout=30).status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(exchange, range(20)))
        assert sorted(statuses) == [200] + [400] * 19
