"""Whole sign-ins with a real provider over real connections, and every mistake it can make."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from authio.outbound import Outbound
from authio.plugin.oidc import OIDC_CLAIMS
from authio.protocols.oidc import OidcSettings, read_discovery
from authio.protocols.oidc_flow import Keys, SignedIn, finish
from authio.protocols.oidc_jose import ClientKey
from authio.protocols.oidc_jwks import FRESH, PATIENCE, PAUSE, USABLE
from authio.protocols.oidc_request import Flow, begin
from authio.protocols.oidc_tokens import Credential
from authio.services.asking import sender
from authio.services.fetching import fetcher
from tests.protocols.oidc_flow.bench import refused
from tests.support.oidc_keys import signing_key
from tests.support.oidc_provider import PERSON, Client, OidcProvider, returned

SECOND = timedelta(seconds=1)


@dataclass
class Relying:
    """Us, with one connection to *provider*."""

    provider: OidcProvider
    settings: OidcSettings
    credential: Credential
    outbound: Outbound
    keys: Keys
    flow: Flow

    def leave(self, **options: Any) -> list[tuple[str, str]]:
        """Send a browser to the provider and return what it comes back with."""
        self.flow = Flow.new(self.provider.client.redirect_uris[0])
        address = urlsplit(begin(self.settings, self.flow, **options))
        browser = http.client.HTTPConnection(address.netloc, timeout=5)
        browser.request("GET", f"{address.path}?{address.query}")
        answer = browser.getresponse()
        browser.close()
        assert answer.status == 302, "the provider finds fault with the request"
        return returned(answer.headers["Location"])

    def come_back(self, parameters: list[tuple[str, str]], **options: Any) -> SignedIn:
        """The end of the sign-in."""
        given = {
            "credential": self.credential,
            "table": OIDC_CLAIMS,
            "keys": self.keys,
            "send": sender(self.outbound, seconds=3),
            "now": datetime.now(UTC),
        }
        return finish(self.settings, self.flow, parameters, **given | options)

    def sign_in(self, **options: Any) -> SignedIn:
        return self.come_back(self.leave(), **options)


Connect = Callable[..., Relying]


@pytest.fixture
def connect() -> Iterator[Connect]:
    providers: list[OidcProvider] = []

    def start(*, credential: Credential = None, **options: Any) -> Relying:
        provider = OidcProvider(**options)
        providers.append(provider)
        outbound = Outbound(allow=frozenset({provider.authority}))
        document = fetcher(outbound)(f"{provider.issuer}/.well-known/openid-configuration").body
        found = read_discovery(
            document, entered_issuer=provider.issuer, now=datetime.now(UTC), allow={provider.authority}
        ).settings
        settings = replace(found, client_id=provider.client.client_id)
        flow = Flow("", "", "", "")
        return Relying(provider, settings, credential or provider.client.secret, outbound, {}, flow)

    yield start
    for provider in providers:
        provider.close()


def paths(relying: Relying) -> list[str]:
    return [asked.path for asked in relying.provider.asked]


# What is taken


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_a_person_signs_in(connect: Connect, algorithm: str) -> None:
    relying = connect(keys=(signing_key(algorithm, kid="one"),))
    found = relying.sign_in()

    assert (found.profile.id, found.profile.email) == (PERSON["sub"], PERSON["email"])
    assert (found.profile.first_name, found.profile.last_name) == ("Ada", "Lovelace")
    assert found.profile.groups == ("Engineering", "Analysts")
    assert (found.kid, found.algorithm) == ("one", algorithm)
    assert relying.provider.times_asked("/userinfo") == 0


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_SEC_76_the_provider_knows_us_by_our_secret(connect: Connect, method: str) -> None:
    relying = connect(client=Client(method=method, client_id="client:1 ü", secret="p%s:s w+ö"))
    assert relying.settings.token_endpoint_auth_method == method
    assert relying.sign_in().profile.id == PERSON["sub"]
    relying.credential = "another secret"
    with refused("invalid_client", code="oidc_token_request"):
        relying.sign_in()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_SEC_76_the_provider_knows_us_by_our_key(connect: Connect, algorithm: str) -> None:
    ours, another = signing_key(algorithm, kid="ours"), signing_key(algorithm, kid="ours", number=1)
    relying = connect(client=Client(public_jwk=ours.jwk()), credential=ClientKey(ours.pem, "ours", algorithm))
    relying.provider.client.method = "private_key_jwt"
    relying.settings = replace(relying.settings, token_endpoint_auth_method="private_key_jwt")

    assert relying.sign_in().profile.id == PERSON["sub"]
    assert another.pem != ours.pem


def test_a_thin_token_is_completed_by_userinfo(connect: Connect) -> None:
    relying = connect(thin=True)
    found = relying.sign_in()
    assert (found.profile.email, found.profile.groups) == (PERSON["email"], ("Engineering", "Analysts"))
    assert found.userinfo == PERSON
    assert relying.provider.times_asked("/userinfo") == 1


def test_many_sign_ins_read_discovery_and_keys_once(connect: Connect) -> None:
    relying = connect()
    for _ in range(3):
        relying.sign_in()
    assert [relying.provider.times_asked(path) for path in ("/keys", "/token")] == [1, 3]


# The way back


def test_SEC_71_an_answer_belongs_to_the_sign_in_that_was_begun(connect: Connect) -> None:
    relying = connect()
    earlier = relying.leave()
    relying.leave()
    with refused("state", code="oidc_state_invalid"):
        relying.come_back(earlier)
    assert relying.provider.times_asked("/token") == 0


def test_SEC_71_a_code_of_another_sign_in_gives_nothing(connect: Connect) -> None:
    """A code that was stolen and put into one's own answer: PKCE and the nonce are both in its way."""
    relying = connect()
    stolen = dict(relying.leave())["code"]
    own = dict(relying.leave()) | {"code": stolen}
    with refused("invalid_grant", code="oidc_token_request"):
        relying.come_back(list(own.items()))


def test_SEC_71_a_code_is_worth_one_sign_in(connect: Connect) -> None:
    relying = connect()
    answer = relying.leave()
    relying.come_back(answer)
    with refused("invalid_grant", code="oidc_token_request"):
        relying.come_back(answer)


@pytest.mark.parametrize(
    ("bent", "check"), [({"iss": "https://evil.example"}, "iss"), ({"iss": None}, "iss_missing")]
)
def test_SEC_72_a_mix_up_is_noticed_before_the_code_leaves_us(
    connect: Connect, bent: dict[str, Any], check: str
) -> None:
    relying = connect()
    relying.provider.bent.callback = bent
    with refused(check, code="oidc_issuer_mismatch"):
        relying.sign_in()
    assert relying.provider.times_asked("/token") == 0


@pytest.mark.parametrize("error", ["access_denied", "login_required", "server_error"])
def test_SEC_77_a_refusal_of_the_provider_is_its_error(connect: Connect, error: str) -> None:
    relying = connect()
    relying.provider.bent.denies = error
    with refused(error, code="access_denied"):
        relying.sign_in()


# The token endpoint


@pytest.mark.parametrize("error", ["invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope"])
def test_SEC_76_an_error_of_the_token_endpoint_is_told_apart(connect: Connect, error: str) -> None:
    relying = connect()
    relying.provider.bent.token_error = error
    with refused(error, code="oidc_token_request"):
        relying.sign_in()


@pytest.mark.parametrize("status", [301, 302, 307, 404, 500, 503])
def test_SEC_32_a_redirect_of_the_token_endpoint_is_a_failure(connect: Connect, status: int) -> None:
    relying = connect()
    relying.provider.bent.statuses = {"/token": status}
    with refused("status", code="oidc_token_request") as caught:
        relying.sign_in()
    assert caught.refusal.found == str(status)
    assert paths(relying)[-1] == "/token"


def test_SEC_76_a_token_endpoint_that_is_not_there_is_unreachable(connect: Connect) -> None:
    relying = connect()
    answer = relying.leave()
    relying.settings = replace(relying.settings, token_endpoint="http://127.0.0.1:9/token")
    with refused("unreachable", code="oidc_token_request") as caught:
        relying.come_back(answer)
    assert caught.refusal.found == "insecure_url"


@pytest.mark.parametrize(
    ("bent", "check"),
    [
        ({"id_token": None}, "no_id_token"),
        ({"access_token": None}, "no_access_token"),
        ({"token_type": "DPoP"}, "token_type"),
    ],
)
def test_SEC_76_an_answer_that_lacks_something_is_refused(
    connect: Connect, bent: dict[str, Any], check: str
) -> None:
    relying = connect()
    relying.provider.bent.token_reply = bent
    with refused(check, code="oidc_token_request"):
        relying.sign_in()


# The token


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"aud": "another-client"}, "aud"),
        ({"nonce": "x"}, "nonce"),
        ({"exp": 1}, "exp"),
        ({"iat": 1}, "iat"),
        ({"at_hash": "x"}, "at_hash"),
        ({"sub": ""}, "sub"),
        ({"email": 7}, "email"),
    ],
)
def test_SEC_74_a_bent_claim_signs_nobody_in(connect: Connect, claims: dict[str, Any], check: str) -> None:
    relying = connect()
    relying.provider.bent.claims = claims
    with refused(check):
        relying.sign_in()
    assert relying.provider.times_asked("/userinfo") == 0


def test_SEC_74_a_missing_address_says_what_there_was_instead(connect: Connect) -> None:
    relying = connect(person={"sub": "00u1", "given_name": "Ada"})
    with refused("missing") as caught:
        relying.sign_in()
    assert caught.refusal.field == "email"
    # What could be an address under another name; what is about the token alone could not.
    assert (caught.refusal.found, caught.refusal.expected) == ("given_name, sub", "email")


def test_SEC_73_a_key_that_is_not_published_signs_nobody_in(connect: Connect) -> None:
    relying = connect()
    relying.provider.bent.signs_with = signing_key("ES256", kid=relying.provider.keys[0].kid)
    with refused("signature"):
        relying.sign_in()


# The keys


def test_SEC_73_a_new_key_is_found_by_reading_the_set_again_once(connect: Connect) -> None:
    relying = connect()
    now = datetime.now(UTC)
    relying.sign_in(now=now)
    relying.provider.keys = [signing_key("ES256", kid="new"), *relying.provider.keys]

    with refused("unknown_key", code="oidc_jwks"):
        relying.sign_in(now=now + SECOND)
    assert relying.provider.times_asked("/keys") == 1, "a set that was just read is not read again"
    assert relying.sign_in(now=now + PATIENCE + PAUSE).kid == "new"
    assert relying.provider.times_asked("/keys") == 2


def test_SEC_73_an_unknown_key_costs_one_reading_and_then_none(connect: Connect) -> None:
    relying = connect()
    now = datetime.now(UTC)
    relying.sign_in(now=now)
    relying.provider.bent.signs_with = signing_key("ES256", kid="never-published")

    for after, times in ((PAUSE, 2), (PAUSE + SECOND, 2), (2 * PAUSE + SECOND, 2), (PAUSE + PATIENCE, 3)):
        with refused("unknown_key", code="oidc_jwks"):
            relying.sign_in(now=now + after)
        assert relying.provider.times_asked("/keys") == times, after


def test_SEC_73_a_reading_for_one_unknown_key_does_not_forget_another(connect: Connect) -> None:
    relying = connect()
    now = datetime.now(UTC)
    relying.sign_in(now=now)

    for kid, after, times in (("one", 2, 2), ("two", 4, 3), ("one", 6, 3), ("two", 8, 3)):
        relying.provider.bent.signs_with = signing_key("ES256", kid=kid)
        with refused("unknown_key", code="oidc_jwks"):
            relying.sign_in(now=now + after * PAUSE)
        assert relying.provider.times_asked("/keys") == times, (kid, after)


def test_SEC_73_a_withdrawn_key_is_gone_within_the_hour(connect: Connect) -> None:
    relying = connect()
    now = datetime.now(UTC)
    relying.sign_in(now=now)
    relying.provider.bent.signs_with = relying.provider.keys[0]
    relying.provider.keys = [signing_key("ES256", kid="new")]

    relying.sign_in(now=now + SECOND)
    with refused("unknown_key", code="oidc_jwks"):
        relying.sign_in(now=now + FRESH)


def test_a_set_that_cannot_be_read_again_serves_for_a_day_and_is_not_asked_for_all_the_time(
    connect: Connect,
) -> None:
    relying = connect()
    now = datetime.now(UTC)
    relying.sign_in(now=now)
    relying.provider.bent.statuses = {"/keys": 503}
    late = {"skew": timedelta(days=2)}

    relying.sign_in(now=now + FRESH, **late)
    relying.sign_in(now=now + FRESH + SECOND, **late)
    assert relying.provider.times_asked("/keys") == 2
    relying.sign_in(now=now + USABLE - SECOND, **late)
    with refused("unreachable", code="oidc_jwks"):
        relying.sign_in(now=now + USABLE + PAUSE, **late)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_SEC_73_without_keys_nobody_signs_in(connect: Connect, status: int) -> None:
    relying = connect()
    relying.provider.bent.statuses = {"/keys": status}
    with refused("unreachable", code="oidc_jwks"):
        relying.sign_in()
    assert not relying.keys


# Userinfo


def test_SEC_75_userinfo_about_somebody_else_signs_nobody_in(connect: Connect) -> None:
    relying = connect(thin=True)
    relying.provider.bent.userinfo = {"sub": "somebody-else"}
    with refused("sub", code="oidc_userinfo"):
        relying.sign_in()


@pytest.mark.parametrize("status", [302, 401, 500])
def test_userinfo_that_cannot_be_had_is_missed_only_where_it_is_needed(connect: Connect, status: int) -> None:
    relying = connect(person={name: value for name, value in PERSON.items() if name != "groups"})
    relying.provider.bent.statuses = {"/userinfo": status}
    assert relying.sign_in().userinfo is None
    assert relying.provider.times_asked("/userinfo") == 1

    relying.provider.thin = True
    with refused("unreachable", code="oidc_userinfo") as caught:
        relying.sign_in()
    assert caught.refusal.found == str(status)


def test_SEC_33_all_requests_of_a_sign_in_share_one_deadline(connect: Connect) -> None:
    relying = connect()
    answer = relying.leave()
    send = sender(relying.outbound, seconds=0.05)
    time.sleep(0.1)
    with refused("unreachable", code="oidc_token_request") as caught:
        relying.come_back(answer, send=send)
    assert caught.refusal.found == "fetch_timeout"
