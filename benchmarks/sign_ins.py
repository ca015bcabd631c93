"""Signing in, phase by phase: the way to the identity provider, the way back, the code for a profile.

What the identity provider does in between is not timed. Its answers are made right before they are brought,
each for the request that it answers, so that every check of the server sees a fresh and genuine message.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from authio.ids import ulid_of
from authio.rehearse import xml_encryption
from benchmarks.driver import Answer, Batch, Request, UnexpectedAnswer
from benchmarks.metadata import IdentityProvider
from benchmarks.phases import Sender
from tests.support.saml_idp import Facts, encoded, response, sign

CALLBACK = "https://app.example.com/callback"
EMAIL = "ann@acme.example"
FORM = "application/x-www-form-urlencoded"
PHASES = ("authorize", "acs", "token")


@dataclass(frozen=True)
class Scenario:
    """One way in which people sign in."""

    title: str
    protocol: str = "saml"
    signed: tuple[str, ...] = ("response", "assertion")
    encrypted: bool = False
    signs_requests: bool = False


SCENARIOS: Mapping[str, Scenario] = {
    "assertion": Scenario("SAML, assertion signed", signed=("assertion",)),
    "both": Scenario("SAML, response and assertion signed"),
    "encrypted": Scenario("SAML, both signed, assertion encrypted", encrypted=True),
    "signed_request": Scenario("SAML, both signed, request signed", signs_requests=True),
    "oidc": Scenario("OpenID Connect, RS256", protocol="oidc"),
}
BESIDE_THE_PEER = "signed_request"
"""What the peer does, too: it signs every request, and checks both signatures."""


@dataclass(frozen=True)
class Way:
    """One connection that people sign in over, and what its identity provider knows of it."""

    id: str
    """The connection's id; for the peer, its tenant."""
    idp_entity_id: str
    sp_entity_id: str
    acs_url: str
    """Where answers are brought: the ACS URL or the redirect URI."""
    email: str = EMAIL
    encrypt_to: rsa.RSAPublicKey | None = None


class Broker(Protocol):
    """The requests of one sign-in, as one server wants them."""

    def start(self, way: Way) -> Request: ...

    def exchange(self, code: str) -> Request: ...

    def check_profile(self, way: Way, answer: Answer) -> None: ...


class AuthioBroker:
    """Our own."""

    def __init__(self, sender: Sender, *, client_id: str, api_key: str) -> None:
        self._sender, self._client_id, self._api_key = sender, client_id, api_key

    def start(self, way: Way) -> Request:
        query = {
            "client_id": self._client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "connection": way.id,
            "state": uuid4().hex,
        }
        return self._sender.request("GET", f"/sso/authorize?{urlencode(query)}", status=302)

    def exchange(self, code: str) -> Request:
        form = {
            "grant_type": "authorization_code",
            "client_id": self._client_id,
            "client_secret": self._api_key,
            "code": code,
        }
        return self._sender.request("POST", "/sso/token", body=(FORM, urlencode(form).encode()))

    def check_profile(self, way: Way, answer: Answer) -> None:
        profile = answer.json()["profile"]
        if (profile["connection_id"], profile["email"]) != (way.id, way.email):
            raise UnexpectedAnswer("/sso/token: a profile of somebody else")


class PeerBroker:
    """The peer's. Tenant and product take the place of a connection's id."""

    product = "benchmark"

    def __init__(self, sender: Sender, *, secret: str) -> None:
        self._sender, self._secret = sender, secret

    def start(self, way: Way) -> Request:
        query = {
            "tenant": way.id,
            "product": self.product,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "state": uuid4().hex,
        }
        return self._sender.request("GET", f"/api/oauth/authorize?{urlencode(query)}", status=302)

    def exchange(self, code: str) -> Request:
        form = {
            "grant_type": "authorization_code",
            "client_id": "dummy",
            "client_secret": self._secret,
            "redirect_uri": CALLBACK,
            "code": code,
        }
        return self._sender.request("POST", "/api/oauth/token", body=(FORM, urlencode(form).encode()))

    def check_profile(self, way: Way, answer: Answer) -> None:
        if not answer.json().get("access_token"):
            raise UnexpectedAnswer("/api/oauth/token: no token")


Answering = Callable[[Sequence[Way], Sequence[Answer]], Iterator[tuple[str, str, bytes]]]
"""What an identity provider sends browsers back with: method, path, and the form of a POST."""


def play(
    sender: Sender, broker: Broker, ways: Sequence[Way], answering: Answering, *, size: int
) -> Mapping[str, Batch]:
    """One round: *size* people sign in over the *ways* in turn, abreast, and every answer is looked at."""
    turns = [ways[number % len(ways)] for number in range(size)]
    started = sender.run([broker.start(way) for way in turns])
    brought = [
        sender.request(
            method,
            path,
            status=302,
            headers=_cookies(begun),
            **({"body": (FORM, form)} if method == "POST" else {}),
        )
        for begun, (method, path, form) in zip(
            started.answers, answering(turns, started.answers), strict=True
        )
    ]
    arrived = sender.run(brought)
    tokens = sender.run([broker.exchange(_code(answer)) for answer in arrived.answers])
    for way, answer in zip(turns, tokens.answers, strict=True):
        broker.check_profile(way, answer)
    return dict(zip(PHASES, (started, arrived, tokens), strict=True))


def saml_answers(scenario: Scenario, identity_provider: IdentityProvider) -> Answering:
    """The identity provider of a SAML *scenario*: it reads each request and signs a response to it."""

    def answer(ways: Sequence[Way], started: Sequence[Answer]) -> Iterator[tuple[str, str, bytes]]:
        for way, begun in zip(ways, started, strict=True):
            query = dict(parse_qsl(urlsplit(begun.location).query))
            request = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"]), -15))
            is_signed = "Signature" in query or request.find("{*}Signature") is not None
            if scenario.signs_requests and not is_signed:
                raise UnexpectedAnswer("a request that is not signed")
            facts = facts_of(way, request_id=request.get("ID"), now=datetime.now(UTC))
            form = {
                "SAMLResponse": encoded(respond(facts, scenario, identity_provider, to=way.encrypt_to)),
                "RelayState": query["RelayState"],
            }
            yield "POST", urlsplit(way.acs_url).path, urlencode(form).encode()

    return answer


def facts_of(way: Way, *, request_id: str | None, now: datetime) -> Facts:
    """What a good response over *way* says, under ids of its own."""
    return Facts(
        now=now,
        idp_entity_id=way.idp_entity_id,
        sp_entity_id=way.sp_entity_id,
        acs_url=way.acs_url,
        request_id=request_id,
        response_id=f"_r{uuid4().hex}",
        assertion_id=f"_a{uuid4().hex}",
        name_id=way.email,
    )


def respond(
    facts: Facts, scenario: Scenario, identity_provider: IdentityProvider, *, to: rsa.RSAPublicKey | None
) -> etree._Element:
    """A response signed (and encrypted *to* somebody) as the *scenario* has it."""
    root = response(facts)
    if "assertion" in scenario.signed:
        sign(root[-1], identity_provider.signer)
    if scenario.encrypted:
        if to is None:
            raise UnexpectedAnswer("a connection without a key to encrypt to")
        root[-1] = xml_encryption.encrypt(root[-1], to)
    if "response" in scenario.signed:
        sign(root, identity_provider.signer)
    return root


def oidc_answers(provider: Sender) -> Answering:
    """The OpenID provider that *provider* reaches: it sends everybody back at once."""

    def answer(_: Sequence[Way], started: Sequence[Answer]) -> Iterator[tuple[str, str, bytes]]:
        addresses = [urlsplit(begun.location) for begun in started]
        visits = [provider.request("GET", f"{one.path}?{one.query}", status=302) for one in addresses]
        for visit in provider.run(visits).answers:
            back = urlsplit(visit.location)
            yield "GET", f"{back.path}?{back.query}", b""

    return answer


def peer_ways(
    sender: Sender, *, base_url: str, api_key: str, identity_provider: IdentityProvider, count: int
) -> list[Way]:
    """Connections of the peer, made through its own API."""
    tenants = [uuid4().hex[:26] for _ in range(count)]
    sender.run(
        [
            sender.request(
                "POST",
                "/connections",
                status=201,
                headers={"Authorization": f"Bearer {api_key}"},
                json_body={
                    "tenant": tenant,
                    "product": PeerBroker.product,
                    "defaultRedirectUrl": CALLBACK,
                    "redirectUrl": f'["{CALLBACK}"]',
                    "rawMetadata": identity_provider.metadata(tenant),
                },
            )
            for tenant in tenants
        ]
    )
    return [
        Way(tenant, identity_provider.entity_id(tenant), base_url, f"{base_url}/api/oauth/saml")
        for tenant in tenants
    ]


def saml_way(
    connection_id: str, base_url: str, *, idp_entity_id: str, encrypt_to: rsa.RSAPublicKey | None = None
) -> Way:
    """A connection of ours over SAML."""
    own = f"{base_url}/sso/saml/{ulid_of(connection_id)}"
    return Way(connection_id, idp_entity_id, f"{own}/metadata", f"{own}/acs", encrypt_to=encrypt_to)


def oidc_way(connection_id: str, base_url: str, *, issuer: str, email: str) -> Way:
    """A connection of ours over OpenID Connect."""
    callback = f"{base_url}/sso/oidc/{ulid_of(connection_id)}/callback"
    return Way(connection_id, issuer, "", callback, email)


def _cookies(answer: Answer) -> dict[str, Any]:
    """What the browser that was sent away brings back."""
    set_by = answer.cookies()
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in set_by.items())} if set_by else {}


def _code(answer: Answer) -> str:
    location = answer.location
    code = dict(parse_qsl(urlsplit(location).query)).get("code")
    if code is None or not location.startswith(CALLBACK):
        raise UnexpectedAnswer(f"nobody was signed in: {location.partition('?')[0]}")
    return code
