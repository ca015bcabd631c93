"""A sign-in over OpenID Connect, with a real provider on loopback and each of its mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import sqlalchemy as sa

from authio.models import access_tokens, authorization_codes, profiles
from authio.protocols.oidc import OidcSettings
from tests.conftest import BASE_URL, Project
from tests.support.clock import SteppedClock
from tests.support.oidc_keys import signing_key
from tests.support.oidc_provider import Client, OidcProvider
from tests.web.sso.conftest import (
    Begin,
    Browser,
    Connected,
    follow,
    new_browser,
    refused,
    returned,
)

Attempts = Callable[[], list[Any]]


@pytest.fixture(scope="module")
def listening() -> Iterator[OidcProvider]:
    """One provider for the module; each test gets it unbent."""
    with OidcProvider() as provider:
        yield provider


@pytest.fixture
def op(listening: OidcProvider) -> OidcProvider:
    listening.bent = type(listening.bent)()
    listening.thin = False
    listening.client = Client()
    listening.keys = [signing_key("ES256", kid="es-1")]
    listening.asked.clear()
    return listening


@pytest.fixture
def ini(op: OidcProvider) -> dict[str, str]:
    return {"authio.outbound_allow": op.authority}


def settings_for(op: OidcProvider, **changes: Any) -> OidcSettings:
    return OidcSettings(
        **{
            "issuer": op.issuer,
            "authorization_endpoint": f"{op.issuer}/authorize",
            "token_endpoint": f"{op.issuer}/token",
            "jwks_uri": f"{op.issuer}/keys",
            "userinfo_endpoint": f"{op.issuer}/userinfo",
            "client_id": op.client.client_id,
            "token_endpoint_auth_method": op.client.method,
            "id_token_algorithms": ("ES256", "RS256"),
            "iss_parameter": True,
            **changes,
        }
    )


@pytest.fixture
def connected(connect: Callable[..., Connected], registered: str, op: OidcProvider) -> Connected:
    made = connect(settings_for(op), secret=op.client.secret)
    op.client = Client(redirect_uris=(f"{BASE_URL}/sso/oidc/{made.ulid}/callback",))
    return made


@pytest.fixture
def nothing_came_of_it(services: Begin) -> Callable[[], None]:
    def check() -> None:
        with services(write=False) as s:
            for table in (authorization_codes, access_tokens, profiles):
                assert s.session.connection().execute(sa.select(table)).all() == []

    return check


def come_back(browser: Browser, location: str) -> Any:
    """Open the address that the provider sent the browser back to."""
    return browser.get(location.removeprefix(BASE_URL), expect_errors=True)


def test_a_person_signs_in_and_the_product_learns_who_it_is(
    browser: Browser,
    project: Project,
    connected: Connected,
    op: OidcProvider,
    exchange: Callable[..., Any],
    attempts: Attempts,
) -> None:
    answer = browser.authorize(
        project, connection=connected.id, login_hint="ada@acme.example", prompt="login"
    )
    asked = dict(parse_qsl(urlsplit(answer.location).query))
    back = returned(come_back(browser, follow(answer.location)))
    profile = exchange(back["code"]).json["profile"]

    assert asked["code_challenge_method"] == "S256"
    assert (asked["login_hint"], asked["prompt"]) == ("ada@acme.example", "login")
    assert back["state"] == "state-1"
    assert (profile["email"], profile["idp_id"], profile["name"]) == (
        "ada@acme.example",
        "00u1abcd",
        "Ada Lovelace",
    )
    assert profile["groups"] == ["Engineering", "Analysts"]
    assert (profile["connection_type"], profile["issuer"]) == ("GenericOIDC", op.issuer)
    (attempt,) = attempts()
    assert (attempt.protocol, attempt.status) == ("oidc", "succeeded")


def test_SEC_71_every_sign_in_has_secrets_of_its_own(
    browser: Browser, project: Project, connected: Connected, services: Begin
) -> None:
    first, second = (
        dict(parse_qsl(urlsplit(browser.authorize(project, connection=connected.id).location).query))
        for _ in range(2)
    )

    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]
    with services(write=False) as s:
        stored = repr(s.session.connection().execute(sa.text("select * from sign_in_attempts")).all())
    assert first["state"] not in stored
    assert first["nonce"] not in stored


def test_SEC_71_another_browser_cannot_bring_the_answer(
    browser: Browser,
    wsgi: Any,
    project: Project,
    connected: Connected,
    op: OidcProvider,
    attempts: Attempts,
    nothing_came_of_it: Callable[[], None],
) -> None:
    location = follow(browser.authorize(project, connection=connected.id).location)
    forger = new_browser(wsgi)
    forger.authorize(project, connection=connected.id)

    for somebody in (new_browser(wsgi), forger):
        refused(come_back(somebody, location), "oidc_state_invalid")
    assert op.times_asked("/token") == 0
    nothing_came_of_it()
    assert attempts()[0].status == "started"
    assert returned(come_back(browser, location))["code"]


def test_SEC_71_state_is_used_once_and_for_ten_minutes(
    browser: Browser,
    project: Project,
    connected: Connected,
    op: OidcProvider,
    clock: SteppedClock,
    attempts: Attempts,
) -> None:
    location = follow(browser.authorize(project, connection=connected.id).location)
    assert returned(come_back(browser, location))["code"]
    late = follow(browser.authorize(project, connection=connected.id).location)
    clock.step(minutes=10)

    refused(come_back(browser, location), "oidc_state_invalid")
    refused(come_back(browser, late), "oidc_state_invalid")
    assert op.times_asked("/token") == 1
    assert [attempt.status for attempt in attempts()] == ["succeeded", "started"]


def test_SEC_71_an_answer_without_our_state_is_refused(
    browser: Browser, project: Project, connected: Connected, op: OidcProvider
) -> None:
    browser.authorize(project, connection=connected.id)

    for query in ("", "?code=x", "?code=x&state=", "?code=x&state=made-up", "?error=access_denied&state=x"):
        answer = browser.get(f"/sso/oidc/{connected.ulid}/callback{query}", expect_errors=True)
        refused(answer, "oidc_state_invalid")
    assert op.asked == []


def test_SEC_72_an_answer_belongs_to_the_connection_that_asked(
    browser: Browser,
    project: Project,
    connected: Connected,
    connect: Callable[..., Connected],
    op: OidcProvider,
    attempts: Attempts,
) -> None:
    other = connect(settings_for(op), secret=op.client.secret)
    location = follow(browser.authorize(project, connection=connected.id).location)

    refused(come_back(browser, location.replace(connected.ulid, other.ulid)), "oidc_state_invalid")
    assert op.times_asked("/token") == 0
    assert attempts()[0].status == "started"


def test_SEC_72_an_answer_from_another_issuer_is_refused(
    browser: Browser,
    project: Project,
    connected: Connected,
    op: OidcProvider,
    attempts: Attempts,
    nothing_came_of_it: Callable[[], None],
) -> None:
    for iss in ("https://evil.example", None):
        op.bent.callback = {"iss": iss}
        location = follow(browser.authorize(project, connection=connected.id).location)
        refused(come_back(browser, location), "oidc_issuer_mismatch")
    assert op.times_asked("/token") == 0
    nothing_came_of_it()
    assert attempts()[0].found == "https://evil.example"
    assert attempts()[0].expected == op.issuer


@pytest.mark.parametrize(
    ("bent", "code"),
    [
        ({"claims": {"iss": "https://evil.example"}}, "oidc_token_invalid"),
        ({"claims": {"aud": "somebody-else"}}, "oidc_token_invalid"),
        ({"claims": {"nonce": "another"}}, "oidc_token_invalid"),
        ({"claims": {"exp": 1}}, "oidc_token_invalid"),
        ({"claims": {"sub": None}}, "oidc_token_invalid"),
        ({"claims": {"at_hash": "AAAA"}}, "oidc_token_invalid"),
        ({"signs_with": signing_key("ES256", kid="es-1")}, "oidc_token_invalid"),
        ({"signs_with": signing_key("ES256", kid="es-9")}, "oidc_jwks"),
        ({"claims": {"email": None}, "userinfo": {"sub": "somebody-else"}}, "oidc_userinfo"),
    ],
)
def test_SEC_73_74_75_a_token_that_does_not_hold_lets_nobody_in(
    browser: Browser,
    project: Project,
    connected: Connected,
    op: OidcProvider,
    attempts: Attempts,
    nothing_came_of_it: Callable[[], None],
    bent: dict[str, Any],
    code: str,
) -> None:
    for name, value in bent.items():
        setattr(op.bent, name, value)
    location = follow(browser.authorize(project, connection=connected.id).location)

    answer = come_back(browser, location)

    refused(answer, code)
    for word in ("evil", "somebody", op.issuer, "00u1abcd"):
        assert word not in answer.text
    nothing_came_of_it()
    assert attempts()[0].refusal == code


@pytest.mark.parametrize(
    ("denied", "error"),
    [
        ("access_denied", "access_denied"),
        ("login_required", "access_denied"),
        ("consent_required", "signin_consent_denied"),
        ("server_error", "server_error"),
        ("temporarily_unavailable", "server_error"),
        ("invalid_scope", "oauth_failed"),
        ("its_own_invention", "access_denied"),
    ],
)
def test_SEC_77_a_provider_s_error_becomes_one_of_ours(
    browser: Browser,
    project: Project,
    connected: Connected,
    op: OidcProvider,
    nothing_came_of_it: Callable[[], None],
    denied: str,
    error: str,
) -> None:
    op.bent.denies = denied
    op.bent.callback = {"error_description": "<b>its own words</b>"}
    location = follow(browser.authorize(project, connection=connected.id).location)

    back = returned(come_back(browser, location))

    assert back["error"] == error
    assert "words" not in back["error_description"]
    assert set(back) == {"error", "error_description", "state"}
    nothing_came_of_it()


def test_SEC_77_repeated_parameters_are_refused(
    browser: Browser, project: Project, connected: Connected, op: OidcProvider
) -> None:
    for name in ("state", "code", "iss"):
        location = follow(browser.authorize(project, connection=connected.id).location)
        value = parse_qs(urlsplit(location).query)[name][0]
        refused(come_back(browser, f"{location}&{urlencode({name: value})}"), "oidc_callback", status=400)
    assert op.times_asked("/token") == 0


@pytest.mark.parametrize(
    "bend",
    [
        lambda bent: bent.statuses.update({"/token": 500}),
        lambda bent: bent.statuses.update({"/token": 302}),
        lambda bent: bent.statuses.update({"/keys": 503}),
        lambda bent: bent.token_reply.update({"id_token": None}),
        lambda bent: setattr(bent, "token_error", "invalid_client"),
    ],
    ids=["token 500", "token redirects", "keys 503", "no ID token", "wrong secret"],
)
def test_SEC_76_a_provider_that_cannot_be_asked_sends_the_person_back(
    browser: Browser,
    project: Project,
    connected: Connected,
    op: OidcProvider,
    attempts: Attempts,
    nothing_came_of_it: Callable[[], None],
    bend: Callable[[Any], None],
) -> None:
    bend(op.bent)
    location = follow(browser.authorize(project, connection=connected.id).location)

    assert returned(come_back(browser, location))["error"] == "oauth_failed"
    nothing_came_of_it()
    assert attempts()[0].status == "failed"
    assert attempts()[0].refusal in {"oidc_token_request", "oidc_jwks"}
    assert op.client.secret not in repr(attempts())


def test_SEC_31_a_token_endpoint_inside_our_network_is_not_asked(
    browser: Browser,
    project: Project,
    registered: str,
    connect: Callable[..., Connected],
    op: OidcProvider,
) -> None:
    inside = connect(settings_for(op, token_endpoint="https://127.0.0.1:9/token"), secret="s")
    op.client = Client(redirect_uris=(f"{BASE_URL}/sso/oidc/{inside.ulid}/callback",))
    location = follow(browser.authorize(project, connection=inside.id).location)

    assert returned(come_back(browser, location))["error"] == "oauth_failed"


def test_claims_may_come_from_userinfo_alone(
    browser: Browser, project: Project, connected: Connected, op: OidcProvider, exchange: Callable[..., Any]
) -> None:
    op.thin = True
    location = follow(browser.authorize(project, connection=connected.id).location)

    profile = exchange(returned(come_back(browser, location))["code"]).json["profile"]

    assert profile["email"] == "ada@acme.example"
    assert op.times_asked("/userinfo") == 1


def test_keys_are_read_once_and_again_for_a_key_that_is_new(
    browser: Browser,
    project: Project,
    connected: Connected,
    op: OidcProvider,
    clock: SteppedClock,
) -> None:
    def sign_in() -> Any:
        return come_back(browser, follow(browser.authorize(project, connection=connected.id).location))

    for _ in range(3):
        returned(sign_in())
    assert op.times_asked("/keys") == 1

    clock.step(seconds=31)
    op.keys.insert(0, signing_key("RS256", kid="rs-2"))
    returned(sign_in())
    assert op.times_asked("/keys") == 2


def test_a_callback_of_nothing_is_not_there(browser: Browser, connected: Connected) -> None:
    for ulid in ("0" * 26, "x", "%00"):
        answer = browser.get(f"/sso/oidc/{ulid}/callback?code=x&state=y", expect_errors=True)
        refused(answer, "connection_not_found", status=404)
    answer = browser.post(f"/sso/oidc/{connected.ulid}/callback", expect_errors=True)
    assert (answer.status_int, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_connection_over_one_protocol_takes_no_answer_of_the_other(
    browser: Browser, connected: Connected
) -> None:
    answer = browser.post(
        f"/sso/saml/{connected.ulid}/acs", {"SAMLResponse": "PGE+PC9hPg=="}, expect_errors=True
    )

    refused(answer, "connection_not_found", status=404)
