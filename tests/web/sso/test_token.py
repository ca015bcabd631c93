"""What the product's backend gets for a code, once; and the same again for the access token."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

import joserfc.jwk
import joserfc.jwt
import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator
from webtest import TestApp

from authio.app import Runtime
from authio.models import access_tokens, audit_events, authorization_codes
from authio.settings import Settings
from authio.wire import openapi
from tests.conftest import Project
from tests.support.clock import SteppedClock
from tests.web.sso.conftest import CALLBACK, Begin, Browser, Connected, returned, sent

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
Exchange = Callable[..., Any]


@pytest.fixture
def code(
    browser: Browser, project: Project, connected: Connected, answer_to: Callable[..., Any]
) -> Callable[..., str]:
    """Sign in; the code that the product is sent."""

    def sign_in(**parameters: str) -> str:
        asked = sent(browser.authorize(project, connection=connected.id, **parameters))
        return returned(browser.post_response(connected, answer_to(connected, asked)))["code"]

    return sign_in


def refused(answer: Any, error: str) -> None:
    """An OAuth error: no code of ours, and nothing that a cache may keep."""
    assert answer.status_int == 400, answer.text
    assert answer.json["error"] == error
    assert answer.json["error_description"] == answer.json["message"]
    assert set(answer.json) == {"error", "error_description", "message", "request_id"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"


def profile(backend: TestApp, *tokens: str) -> Any:
    header = ", ".join(f"Bearer {token}" for token in tokens)
    return backend.get("/sso/profile", headers={"Authorization": header}, expect_errors=True)


# -- the good case -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sso/token", "/v1/sso/token"])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_code_is_exchanged_in_either_encoding(
    backend: TestApp, project: Project, code: Callable[..., str], path: str, as_json: bool
) -> None:
    asked = {
        "grant_type": "authorization_code",
        "client_id": project.client_id,
        "client_secret": project.api_key,
        "code": code(),
    }
    headers = {"Authorization": f"Bearer {project.api_key}"}

    answer = (
        backend.post_json(path, asked | {"subject_token": None}, headers=headers)
        if as_json
        else backend.post(
            path, asked, content_type="application/x-www-form-urlencoded;charset=utf-8", headers=headers
        )
    )

    assert set(answer.json) == {"token_type", "access_token", "expires_in", "profile"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 600)
    assert answer.json["profile"]["object"] == "profile"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_client_may_prove_itself_in_the_header(
    backend: TestApp, project: Project, code: Callable[..., str]
) -> None:
    pair = base64.b64encode(f"{project.client_id}:{project.api_key}".encode()).decode()
    form = {"grant_type": "authorization_code", "code": code()}

    backend.post("/sso/token", form, headers={"Authorization": f"Basic {pair}"}, status=200)


def test_the_access_token_shows_the_profile_for_ten_minutes(
    backend: TestApp, code: Callable[..., str], exchange: Exchange, clock: SteppedClock
) -> None:
    answer = exchange(code()).json

    clock.step(minutes=9, seconds=59)
    assert profile(backend, answer["access_token"]).json == answer["profile"]
    clock.step(seconds=1)
    assert profile(backend, answer["access_token"]).status_int == 401


def test_a_client_library_that_adds_its_header_to_another_is_understood(
    backend: TestApp, project: Project, code: Callable[..., str], exchange: Exchange
) -> None:
    token = exchange(code()).json["access_token"]

    assert profile(backend, project.api_key, token).status_int == 200
    assert profile(backend, token, project.api_key).status_int == 200
    assert profile(backend, "at_made-up", token).status_int == 200


def test_a_profile_is_shown_for_an_access_token_alone(backend: TestApp, project: Project) -> None:
    for tokens in ((), (project.api_key,), ("at_made-up",), ("",), ("at_\u00fc",)):
        answer = profile(backend, *tokens)
        assert answer.status_int == 401
        assert answer.json["error"] == "Unauthorized"
        assert answer.json["message"]
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_product_that_gave_a_nonce_gets_an_id_token_that_its_keys_verify(
    backend: TestApp, project: Project, code: Callable[..., str], exchange: Exchange, clock: SteppedClock
) -> None:
    before = backend.get(f"/sso/jwks/{project.client_id}").json["keys"]
    answer = exchange(code(nonce="n-0S6_WzA2Mj")).json
    after = backend.get(f"/v1/sso/jwks/{project.client_id}").json["keys"]

    keys = joserfc.jwk.KeySet.import_key_set({"keys": after})
    token = joserfc.jwt.decode(answer["id_token"], keys, algorithms=["RS256"])
    assert token.claims["nonce"] == "n-0S6_WzA2Mj"
    assert token.claims["aud"] == project.client_id
    assert token.claims["iss"] == "http://localhost:6543"
    assert token.claims["sub"] == answer["profile"]["id"]
    assert token.claims["exp"] - token.claims["iat"] == 600
    assert token.claims["iat"] == int(clock.now().timestamp())
    assert before == after
    (key,) = after
    assert set(key) == {"alg", "kty", "use", "kid", "n", "e", "x5c", "x5t#S256"}
    assert (key["alg"], key["kty"], key["use"]) == ("RS256", "RSA", "sig")
    der = base64.b64decode(key["x5c"][0])
    fingerprint = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    assert key["x5t#S256"] == fingerprint


def test_every_answer_is_as_the_document_has_it(
    backend: TestApp, project: Project, code: Callable[..., str], exchange: Exchange
) -> None:
    document = openapi.document()

    def fits(answer: Any, path: str) -> None:
        method = answer.request.method.lower()
        described = document["paths"][path][method]["responses"][str(answer.status_int)]
        schema = described["content"]["application/json"]["schema"] | {"components": document["components"]}
        Draft202012Validator(schema).validate(answer.json)

    for parameters in ({}, {"nonce": "n-0S6_WzA2Mj"}):
        granted = exchange(code(**parameters))
        fits(granted, "/v1/sso/token")
    fits(exchange("not-a-code"), "/v1/sso/token")
    fits(profile(backend, granted.json["access_token"]), "/v1/sso/profile")
    fits(profile(backend, project.api_key), "/v1/sso/profile")
    for client_id in (project.client_id, "client_nobody"):
        keys = backend.get(f"/v1/sso/jwks/{client_id}", expect_errors=True)
        fits(keys, "/v1/sso/jwks/{client_id}")


def test_the_keys_of_nobody_are_not_there(backend: TestApp) -> None:
    for client_id in ("client_nobody", "%00", "client_" + "0" * 26):
        answer = backend.get(f"/sso/jwks/{client_id}", status=404)
        assert answer.json["code"] == "project_not_found"


def test_projects_have_keys_of_their_own(backend: TestApp, project: Project, services: Begin) -> None:
    with services() as s:
        other = s.projects.create("Other")

    ours = backend.get(f"/sso/jwks/{project.client_id}").json["keys"]
    theirs = backend.get(f"/sso/jwks/{other.client_id}").json["keys"]

    assert ours[0]["n"] != theirs[0]["n"]


# -- what must not be ----------------------------------------------------------------------------------


def test_SEC_82_a_code_is_good_once_and_its_second_use_takes_back_the_token(
    backend: TestApp, code: Callable[..., str], exchange: Exchange, services: Begin
) -> None:
    one, other = code(), code()
    token, unrelated = (exchange(each).json["access_token"] for each in (one, other))
    assert profile(backend, token).status_int == 200

    refused(exchange(one), "invalid_grant")

    assert profile(backend, token).status_int == 401
    assert profile(backend, unrelated).status_int == 200
    with services(write=False) as s:
        rows = s.session.connection().execute(sa.select(audit_events.c.action)).scalars().all()
    assert rows.count("access_token.revoked") == 1


def test_SEC_82_a_code_lives_a_minute(
    code: Callable[..., str], exchange: Exchange, clock: SteppedClock
) -> None:
    soon, late = code(), code()

    clock.step(seconds=59)
    assert exchange(soon).status_int == 200
    clock.step(seconds=1)
    refused(exchange(late), "invalid_grant")


def test_SEC_82_of_many_exchanges_at_once_one_wins(
    wsgi: Any, project: Project, code: Callable[..., str], services: Begin
) -> None:
    form = {
        "grant_type": "authorization_code",
        "client_id": project.client_id,
        "client_secret": project.api_key,
        "code": code(),
    }
    statuses: list[int] = []

    def ask() -> None:
        app = TestApp(wsgi, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:6543"})
        statuses.append(app.post("/sso/token", form, expect_errors=True).status_int)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] + [400] * 19
    with services(write=False) as s:
        (token,) = s.session.connection().execute(sa.select(access_tokens)).all()
    # Somebody has used the code twice, so that nobody keeps what came of it.
    assert token.revoked_at is not None


def test_SEC_82_a_code_is_worth_nothing_to_another_client(
    backend: TestApp, code: Callable[..., str], exchange: Exchange, services: Begin
) -> None:
    with services() as s:
        other = s.projects.create("Other")
        _, key = s.projects.add_key(other.id)
    theirs = code()

    refused(exchange(theirs, client_id=other.client_id, client_secret=key), "invalid_grant")
    # Nor can they spoil it.
    assert exchange(theirs).status_int == 200


def test_SEC_82_a_code_belongs_to_its_redirect_uri(code: Callable[..., str], exchange: Exchange) -> None:
    assert exchange(code(), redirect_uri=CALLBACK).status_int == 200
    refused(exchange(code(), redirect_uri="https://app.example.com/other"), "invalid_grant")


@pytest.mark.parametrize("value", ["", "x", "x" * 5000, "' or 1=1 --", "\u00fc", "\x00"])
def test_SEC_82_a_code_that_is_none_is_refused(exchange: Exchange, connected: Connected, value: str) -> None:
    refused(exchange(value), "invalid_request" if not value else "invalid_grant")


def test_SEC_83_who_cannot_prove_to_be_the_client_gets_nothing(
    backend: TestApp, project: Project, code: Callable[..., str], exchange: Exchange, services: Begin
) -> None:
    one = code()
    with services() as s:
        other = s.projects.create("Other")
        _, theirs = s.projects.add_key(other.id)
        revoked, secret = s.projects.add_key(project.id)
        s.projects.revoke_key(project.id, revoked.id)
    wrong: list[dict[str, Any]] = [
        {"client_secret": None},
        {"client_secret": ""},
        {"client_secret": "sk_x"},
        {"client_secret": project.api_key[:-1]},
        {"client_secret": theirs},
        {"client_secret": secret},
        {"client_id": None},
        {"client_id": "client_nobody"},
        {"client_id": "client_\x00"},
        {"client_id": other.client_id},
    ]

    for fields in wrong:
        refused(exchange(one, **fields), "invalid_client")
    for header in ("Basic", "Basic x", "Basic ====", "Basic " + base64.b64encode(b"nocolon").decode()):
        form = {"grant_type": "authorization_code", "code": one}
        answer = backend.post("/sso/token", form, headers={"Authorization": header}, expect_errors=True)
        refused(answer, "invalid_client")
    # None of that has spent the code.
    assert exchange(one).status_int == 200


def test_SEC_83_a_public_client_proves_itself_by_pkce(code: Callable[..., str], exchange: Exchange) -> None:
    challenged = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}

    assert exchange(code(**challenged), client_secret=None, code_verifier=VERIFIER).status_int == 200
    assert exchange(code(**challenged), code_verifier=VERIFIER).status_int == 200
    # Whoever gave a challenge needs its verifier, secret or not; one without a challenge proves nothing.
    refused(exchange(code(**challenged)), "invalid_grant")
    refused(exchange(code(**challenged), code_verifier="x" * 43), "invalid_grant")
    refused(exchange(code(**challenged), client_secret=None, code_verifier=CHALLENGE), "invalid_grant")
    refused(exchange(code(), client_secret=None, code_verifier=VERIFIER), "invalid_grant")


def test_SEC_83_a_wrong_verifier_spends_the_code(code: Callable[..., str], exchange: Exchange) -> None:
    one = code(code_challenge=CHALLENGE, code_challenge_method="S256")

    refused(exchange(one, code_verifier="x" * 43), "invalid_grant")
    refused(exchange(one, code_verifier=VERIFIER), "invalid_grant")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": None}, "invalid_request"),
    ],
)
def test_a_request_that_asks_for_something_else_is_refused(
    exchange: Exchange, connected: Connected, fields: dict[str, Any], error: str
) -> None:
    refused(exchange(**({"code": "x"} | fields)), error)


def test_a_body_that_cannot_be_read_is_an_invalid_request(
    backend: TestApp, project: Project, code: Callable[..., str]
) -> None:
    form = "application/x-www-form-urlencoded"
    bodies: list[tuple[bytes, str]] = [
        (b"[", "application/json"),
        (b"[]", "application/json"),
        (b"<a/>", "text/xml"),
        (b"", form),
        (b"\xff", form),
        (b"grant_type=%FF", form),
        (b"x=" + b"y" * 70_000, form),
        (b"grant_type=authorization_code&code=1&code=2", form),
        (json.dumps({"grant_type": ["authorization_code"]}).encode(), "application/json"),
        (json.dumps({"grant_type": "authorization_code", "code": {"a": 1}}).encode(), "application/json"),
    ]
    for body, kind in bodies:
        answer = backend.post("/sso/token", body, content_type=kind, expect_errors=True)
        refused(answer, "invalid_request")


def test_other_methods_are_refused_in_json(backend: TestApp, project: Project) -> None:
    for path, allowed in (("/sso/token", "POST"), ("/sso/profile", "GET, HEAD")):
        answer = backend.delete(path, expect_errors=True)
        assert (answer.status_int, answer.headers["Allow"]) == (405, allowed)
        assert answer.json["code"] == "method_not_allowed"


def test_SEC_112_codes_and_tokens_are_kept_as_digests(
    code: Callable[..., str], exchange: Exchange, services: Begin
) -> None:
    one = code()
    token = exchange(one).json["access_token"]

    with services(write=False) as s:
        (spent,) = s.session.connection().execute(sa.select(authorization_codes)).all()
        (given,) = s.session.connection().execute(sa.select(access_tokens)).all()
    assert spent.digest == hashlib.sha256(one.encode()).digest()
    assert given.digest == hashlib.sha256(token.encode()).digest()
    assert b"ann@acme.example" not in spent.sealed_profile + given.sealed_profile


# -- requests that are sent again ----------------------------------------------------------------------


def test_a_request_that_is_sent_again_under_its_key_gets_the_same_answer(
    backend: TestApp, project: Project, code: Callable[..., str]
) -> None:
    form = {
        "grant_type": "authorization_code",
        "client_id": project.client_id,
        "client_secret": project.api_key,
        "code": code(),
    }

    first, second = (
        backend.post("/sso/token", form, headers={"Idempotency-Key": "k-1"}, status=200) for _ in range(2)
    )
    other = backend.post(
        "/sso/token", form | {"code": "x"}, headers={"Idempotency-Key": "k-1"}, expect_errors=True
    )

    assert first.body == second.body
    assert profile(backend, first.json["access_token"]).status_int == 200
    assert (other.status_int, other.json["code"]) == (409, "idempotency_error")


def test_a_refusal_is_repeated_under_its_key_too(
    backend: TestApp, project: Project, connected: Connected
) -> None:
    form = {
        "grant_type": "authorization_code",
        "client_id": project.client_id,
        "client_secret": project.api_key,
        "code": "no code",
    }

    for _ in range(2):
        answer = backend.post("/sso/token", form, headers={"Idempotency-Key": "k-1"}, expect_errors=True)
        refused(answer, "invalid_grant")


def test_another_process_knows_the_code_and_the_token(
    code: Callable[..., str],
    project: Project,
    exchange: Exchange,
    start: Callable[[Settings], Runtime],
    settings: Settings,
) -> None:
    another = TestApp(start(settings).wsgi(), extra_environ={"REMOTE_ADDR": "127.0.0.1"})
    answer = exchange(code()).json

    assert profile(another, answer["access_token"]).json == answer["profile"]


class TestRates:
    @pytest.fixture
    def ini(self) -> dict[str, str]:
        return {"authio.rate_limit.sso": "4"}

    def test_SEC_116_guessing_a_client_s_secret_is_slow(
        self, exchange: Exchange, connected: Connected
    ) -> None:
        statuses = [exchange("x", client_secret="sk_guess").status_int for _ in range(6)]

        assert statuses == [400] * 4 + [429] * 2
