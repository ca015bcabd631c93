"""Sign-ins at the OpenID provider: what it does right is taken, and each mistake is refused by its code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from authio.outbound import Outbound
from authio.plugin import OIDC_CLAIMS
from authio.protocols.findings import Refused
from authio.protocols.oidc import OidcSettings, read_discovery
from authio.protocols.oidc_flow import Keys, SignedIn, finish
from authio.protocols.oidc_jose import ClientKey
from authio.protocols.oidc_request import Flow, begin
from authio.protocols.oidc_tokens import Credential
from authio.protocols.reasons import REASONS
from authio.protocols.refusals import REFUSALS, SignInRefused
from authio.rehearse.jwt import SigningKey
from authio.rehearse.rehearsal import Rehearsal
from authio.rehearse.switches import OIDC, PREFIX, every_mistake
from authio.services.asking import sender
from tests.rehearse.conftest import Page, Visitor

CALLBACK = "http://localhost:6543/sso/oidc/01J/callback"
# The first one stops at set-up, the second is refused by the provider itself.
NOT_AT_THE_END = {"wrong-discovery-issuer", "unregistered-redirect-uri"}
MISTAKES = [one for one in every_mistake(OIDC) if one.mistake not in NOT_AT_THE_END]


@dataclass
class Relying:
    """The product, with one connection to the rehearsal."""

    rehearsal: Rehearsal
    visitor: Visitor
    outbound: Outbound
    settings: OidcSettings
    credential: Credential
    flow: Flow = field(default_factory=lambda: Flow.new(CALLBACK))
    keys: Keys = field(default_factory=dict)

    def ask(self, **options: Any) -> Page:
        self.flow = Flow.new(CALLBACK)
        return self.visitor.get(begin(self.settings, self.flow, **options))

    def sign_in(self, page: Page | None = None, **changes: str) -> Page:
        return self.visitor.sign_in(page or self.ask(), **changes)

    def finish(self, back: Page) -> SignedIn:
        location = urlsplit(back.headers["Location"])
        assert f"{location.scheme}://{location.netloc}{location.path}" == CALLBACK
        return finish(
            self.settings,
            self.flow,
            parse_qsl(location.query, keep_blank_values=True),
            credential=self.credential,
            table=OIDC_CLAIMS,
            keys=self.keys,
            send=sender(self.outbound, seconds=5),
            now=datetime.now(UTC),
        )


@pytest.fixture
def relying(rehearsal: Rehearsal, visitor: Visitor) -> Iterator[Relying]:
    credentials = rehearsal.oidc.credentials
    outbound = Outbound(allow=frozenset({urlsplit(rehearsal.oidc.url).netloc}))
    yield Relying(rehearsal, visitor, outbound, settings(rehearsal), credentials.client_secret)
    credentials.client_keys = []


def settings(rehearsal: Rehearsal, query: str = "") -> OidcSettings:
    """What the product makes of the discovery document."""
    issuer = rehearsal.oidc.issuer
    document = requests.get(f"{issuer}/.well-known/openid-configuration{query}", timeout=10).content
    allow = [urlsplit(issuer).netloc]
    read = read_discovery(document, entered_issuer=issuer, now=datetime.now(UTC), allow=allow)
    assert not read.findings
    return replace(read.settings, client_id=rehearsal.oidc.credentials.client_id)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("email", ["id_token", "userinfo"])
def test_somebody_is_signed_in(relying: Relying, algorithm: str, email: str) -> None:
    relying.rehearsal.oidc.switches.change({"algorithm": algorithm, "email": email})
    signed_in = relying.finish(relying.sign_in())
    profile = signed_in.profile
    assert signed_in.algorithm == algorithm
    assert (profile.email, profile.first_name, profile.last_name) == ("ada@acme.example", "Ada", "Lovelace")
    assert profile.groups == ("Engineering", "Everyone")
    assert ("email" in signed_in.claims) == (email == "id_token")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.mistake)
def test_each_mistake_is_refused_by_the_code_it_promises(relying: Relying, mistake: Any) -> None:
    relying.rehearsal.make(mistake.mistake)
    with pytest.raises(SignInRefused) as refused:
        relying.finish(relying.sign_in())
    assert refused.value.code in mistake.refused
    relying.rehearsal.oidc.switches.reset()
    relying.keys.clear()
    assert relying.finish(relying.sign_in()).profile.email == "ada@acme.example"


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.mistake)
def test_each_mistake_can_be_made_for_one_sign_in(relying: Relying, mistake: Any) -> None:
    switch = next(one for one in OIDC.values() if mistake in one.choices)
    with pytest.raises(SignInRefused) as refused:
        relying.finish(relying.sign_in(**{f"{PREFIX}{switch.name}": mistake.value}))
    assert refused.value.code in mistake.refused
    relying.keys.clear()
    assert relying.finish(relying.sign_in()).profile.email == "ada@acme.example"


def test_the_address_of_a_sign_in_can_carry_switches(relying: Relying) -> None:
    page = relying.ask(extra={f"{PREFIX}audience": "wrong"})
    form = {"sign_in": page.fields("login")["sign_in"]}
    back = relying.visitor.post(f"{relying.rehearsal.oidc.url}/login", form)
    with pytest.raises(SignInRefused, match="oidc_token_invalid"):
        relying.finish(back)


def test_the_sign_in_page_shows_the_switches_that_make_a_difference_there(relying: Relying) -> None:
    shown = {name for name in relying.ask().fields("login") if name.startswith(PREFIX)}
    assert shown == {f"{PREFIX}{name}" for name in OIDC.keys() - {"discovery_issuer", "redirect_uri"}}


def test_a_wrong_issuer_in_the_discovery_document_stops_the_set_up(rehearsal: Rehearsal) -> None:
    with pytest.raises(Refused) as refused:
        settings(rehearsal, "?switch-discovery_issuer=wrong")
    assert [one.code for one in refused.value.findings] == ["issuer_mismatch"]


def test_an_unregistered_redirect_uri_stays_with_the_provider(relying: Relying) -> None:
    relying.rehearsal.make("unregistered-redirect-uri")
    page = relying.ask()
    assert (page.status, page.name) == (400, "notice")
    assert "redirect URI" in page.says


def test_cancelling_is_an_error_in_the_callback(relying: Relying) -> None:
    with pytest.raises(SignInRefused, match="access_denied"):
        relying.finish(relying.sign_in(cancel="yes"))


def test_a_hint_fills_the_address_in(relying: Relying) -> None:
    page = relying.ask(login_hint="grace@acme.example")
    assert relying.finish(relying.sign_in(page)).profile.last_name == "Hopper"


def test_nobody_is_asked_where_the_client_does_not_want_it(relying: Relying) -> None:
    with pytest.raises(SignInRefused, match="access_denied"):
        relying.finish(relying.ask(prompt="none"))


# -- the client ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_the_client_proves_itself_by_its_secret(relying: Relying, method: str) -> None:
    relying.rehearsal.oidc.switches.change({"client_auth": method})
    relying.settings = settings(relying.rehearsal)
    assert relying.settings.token_endpoint_auth_method == method
    relying.finish(relying.sign_in())
    relying.credential = "another"
    with pytest.raises(SignInRefused, match="oidc_token_request"):
        relying.finish(relying.sign_in())


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "Ed25519"])
def test_the_client_proves_itself_by_its_key(relying: Relying, algorithm: str) -> None:
    key = SigningKey.fresh(algorithm, kid="ours")
    relying.rehearsal.oidc.switches.change({"client_auth": "private_key_jwt"})
    relying.settings = replace(relying.settings, token_endpoint_auth_method="private_key_jwt")
    relying.credential = ClientKey(key.pem, "ours", algorithm)
    with pytest.raises(SignInRefused, match="oidc_token_request"):
        relying.finish(relying.sign_in())
    answer = requests.post(
        f"{relying.rehearsal.oidc.url}/client-keys", json={"keys": [key.jwk()]}, timeout=10
    )
    assert answer.json() == {"keys": 1}
    relying.finish(relying.sign_in())


def token_request(relying: Relying, back: Page, **changes: str) -> requests.Response:
    credentials = relying.rehearsal.oidc.credentials
    form = {
        "grant_type": "authorization_code",
        "code": dict(parse_qsl(urlsplit(back.headers["Location"]).query))["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": relying.flow.verifier,
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
    }
    return requests.post(f"{relying.rehearsal.oidc.url}/token", data=form | changes, timeout=10)


def test_a_code_is_good_for_one_exchange(relying: Relying) -> None:
    back = relying.sign_in()
    assert token_request(relying, back).status_code == 200
    again = token_request(relying, back)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code_verifier": "another"}, 400, "invalid_grant"),
        ({"redirect_uri": "http://localhost:1/"}, 400, "invalid_grant"),
        ({"code": "another"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_secret": "another"}, 401, "invalid_client"),
        ({"client_id": "another"}, 401, "invalid_client"),
        ({"client_assertion": "a.b.c"}, 401, "invalid_client"),
    ],
)
def test_a_code_is_bound_to_its_client_and_its_request(
    relying: Relying, changes: dict[str, str], status: int, error: str
) -> None:
    refused = token_request(relying, relying.sign_in(), **changes)
    assert (refused.status_code, refused.json()) == (status, {"error": error})


@pytest.mark.parametrize(
    ("parameter", "value", "error"),
    [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "email", "invalid_scope"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
    ],
)
def test_a_request_that_is_not_quite_right_is_answered_with_its_error(
    relying: Relying, parameter: str, value: str, error: str
) -> None:
    query = {
        "client_id": "rehearsal",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
        "state": "s p",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    answer = requests.get(
        f"{relying.rehearsal.oidc.url}/authorize",
        params=query | {parameter: value},
        allow_redirects=False,
        timeout=10,
    )
    back = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert (back["error"], back["state"], back["iss"]) == (error, "s p", relying.rehearsal.oidc.issuer)


@pytest.mark.parametrize(
    "query",
    [
        f"client_id=another&redirect_uri={CALLBACK}",
        "client_id=rehearsal&redirect_uri=javascript:alert(1)",
        "client_id=rehearsal",
        f"client_id=rehearsal&client_id=rehearsal&redirect_uri={CALLBACK}",
    ],
)
def test_nobody_is_redirected_for_an_unknown_client(
    rehearsal: Rehearsal, visitor: Visitor, query: str
) -> None:
    page = visitor.get(f"{rehearsal.oidc.url}/authorize?{query}")
    assert (page.status, page.name) == (400, "notice")


def test_userinfo_is_for_bearers_of_its_tokens(rehearsal: Rehearsal) -> None:
    for header in ({}, {"Authorization": "Bearer another"}, {"Authorization": "Basic x"}):
        assert requests.get(f"{rehearsal.oidc.url}/userinfo", headers=header, timeout=10).status_code == 401


# -- keys and leaving ----------------------------------------------------------------------------------


def test_keys_rotate_with_an_overlap_or_at_once(relying: Relying) -> None:
    relying.finish(relying.sign_in())
    before = relying.keys.copy()
    requests.post(f"{relying.rehearsal.oidc.url}/rotate", json={"overlap": True}, timeout=10)
    published = requests.get(f"{relying.rehearsal.oidc.url}/jwks", timeout=10).json()["keys"]
    assert len({key["kid"] for key in published}) == 6
    assert not any("d" in key for key in published)
    relying.keys.clear()
    assert relying.finish(relying.sign_in()).kid not in {
        key.kid for held in before.values() for key in held.keys
    }
    requests.post(f"{relying.rehearsal.oidc.url}/rotate", json={}, timeout=10)
    assert len(requests.get(f"{relying.rehearsal.oidc.url}/jwks", timeout=10).json()["keys"]) == 3


def test_signing_out_leads_back(rehearsal: Rehearsal, visitor: Visitor) -> None:
    address = f"{rehearsal.oidc.url}/logout"
    assert visitor.get(address).name == "notice"
    back = visitor.get(f"{address}?post_logout_redirect_uri=http://localhost:6547/&state=a")
    assert back.headers["Location"] == "http://localhost:6547/?state=a"
    assert visitor.get(f"{address}?post_logout_redirect_uri=javascript:x").status == 400


def test_every_promised_code_is_one_that_the_product_knows() -> None:
    known = REFUSALS.keys() | REASONS.keys()
    assert {code for one in every_mistake(OIDC) for code in one.refused} <= known
