"""Proving who we are, and reading what the token and the userinfo endpoints answer (SEC-75, SEC-76)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk, jwt

from authio.protocols.oidc_exchange import Request
from authio.protocols.oidc_jose import ClientKey
from authio.protocols.oidc_refused import CHECKS, OidcRefused
from authio.protocols.oidc_tokens import (
    MAX_BYTES,
    read_token_reply,
    read_userinfo,
    token_request,
    userinfo_request,
)
from tests.protocols.oidc_flow.bench import CODE, FLOW, NOW, SECONDS, SETTINGS, refused
from tests.support.oidc_keys import SigningKey, signing_key

BASIC = SETTINGS
POST = replace(SETTINGS, token_endpoint_auth_method="client_secret_post")
SIGNED = replace(SETTINGS, token_endpoint_auth_method="private_key_jwt")
REPLY = {"token_type": "Bearer", "access_token": "at", "id_token": "a.b.c", "expires_in": 3600}


@dataclass(frozen=True)
class Answered:
    body: bytes
    status: int = 200
    content_type: str = "application/json"


def answered(status: int = 200, **changes: Any) -> Answered:
    whole = {name: value for name, value in {**REPLY, **changes}.items() if value is not None}
    return Answered(json.dumps(whole).encode(), status)


def form(request: Request) -> dict[str, str]:
    assert request.body is not None
    return {name: "|".join(values) for name, values in parse_qs(request.body.decode()).items()}


def ask(settings: Any, credential: Any) -> Request:
    return token_request(settings, credential, code=CODE, flow=FLOW, now=NOW)


EXCHANGE = {
    "grant_type": "authorization_code",
    "code": CODE,
    "redirect_uri": FLOW.redirect_uri,
    "code_verifier": FLOW.verifier,
}


class TestAsking:
    @given(
        st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"), min_size=1)
    )
    def test_SEC_76_a_secret_in_the_header_is_encoded_as_a_form_field_first(
        self, client_id: str, secret: str
    ) -> None:
        request = ask(replace(BASIC, client_id=client_id), secret)
        scheme, _, encoded = request.headers["Authorization"].partition(" ")
        name, _, rest = base64.b64decode(encoded).decode("ascii").partition(":")

        assert (scheme, unquote_plus(name), unquote_plus(rest)) == ("Basic", client_id, secret)
        assert form(request) == EXCHANGE

    def test_SEC_76_a_secret_in_the_body(self) -> None:
        request = ask(POST, "s3cr:t&x=y")
        assert form(request) == EXCHANGE | {"client_id": "client-1", "client_secret": "s3cr:t&x=y"}
        assert "Authorization" not in request.headers

    @pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
    def test_SEC_76_a_key_signs_an_assertion_that_lives_for_a_minute(self, algorithm: str) -> None:
        key = signing_key(algorithm)
        first, second = (ask(SIGNED, ClientKey(key.pem, "ours", algorithm)) for _ in range(2))
        token = jwt.decode(form(first)["client_assertion"], jwk.import_key(key.jwk()), algorithms=[algorithm])

        assert token.header == {"alg": algorithm, "kid": "ours", "typ": "JWT"}
        assert token.claims == {
            "iss": "client-1",
            "sub": "client-1",
            "aud": SETTINGS.token_endpoint,
            "iat": SECONDS,
            "exp": SECONDS + 60,
            "jti": token.claims["jti"],
        }
        again = jwt.decode(
            form(second)["client_assertion"], jwk.import_key(key.jwk()), algorithms=[algorithm]
        )
        assert token.claims["jti"] != again.claims["jti"]
        assert "client_secret" not in form(first)
        assert form(first)["client_assertion_type"].endswith(":jwt-bearer")

    @pytest.mark.parametrize(
        ("settings", "credential"),
        [
            (BASIC, None),
            (BASIC, ""),
            (BASIC, ClientKey("pem", "kid")),
            (POST, None),
            (POST, ""),
            (SIGNED, "secret"),
            (SIGNED, None),
            (replace(BASIC, token_endpoint_auth_method="none"), "secret"),
            (replace(BASIC, token_endpoint_auth_method="client_secret_jwt"), "secret"),
        ],
    )
    def test_SEC_76_nothing_is_sent_without_the_proof_that_the_settings_want(
        self, settings: Any, credential: Any
    ) -> None:
        with refused("no_secret", code="oidc_token_request"):
            ask(settings, credential)

    @pytest.mark.parametrize("settings", [BASIC, POST, SIGNED])
    def test_SEC_76_no_secret_is_in_an_address_or_in_what_is_shown(self, settings: Any) -> None:
        key: SigningKey = signing_key("ES256")
        credential = ClientKey(key.pem, "ours", "ES256") if settings is SIGNED else "s3cret"
        request = ask(settings, credential)
        shown = f"{request!r} {request.shown()} {credential if settings is SIGNED else ''}"

        assert request.url == SETTINGS.token_endpoint
        for secret in (
            "s3cret",
            CODE,
            FLOW.verifier,
            key.pem,
            form(request).get("client_assertion", "s3cret"),
        ):
            assert secret not in shown
        assert base64.b64encode(b"client-1:s3cret").decode() not in shown
        assert request.shown()["fields"]["redirect_uri"] == FLOW.redirect_uri

    def test_SEC_76_the_access_token_goes_into_the_header(self) -> None:
        request = userinfo_request(SETTINGS, "at")
        assert (request.url, request.body) == (SETTINGS.userinfo_endpoint, None)
        assert request.headers["Authorization"] == "Bearer at"
        assert "at" not in repr(request).replace("https://op.acme.example", "").split("'")


class TestTokenReply:
    def test_a_good_answer(self) -> None:
        tokens = read_token_reply(answered(token_type="bearer", scope="openid", unknown={"a": 1}))
        assert (tokens.id_token, tokens.access_token) == ("a.b.c", "at")
        assert "a.b.c" not in repr(tokens)

    @pytest.mark.parametrize(
        ("answer", "check"),
        [
            (answered(id_token=None), "no_id_token"),
            (answered(id_token=""), "no_id_token"),
            (answered(access_token=None), "no_access_token"),
            (answered(access_token=["at"]), "malformed"),
            (answered(access_token="a t"), "malformed"),
            (answered(access_token="at\r\nX-Header: 1"), "malformed"),
            (answered(access_token="é"), "malformed"),
            (answered(access_token="x" * 16385), "malformed"),
            (answered(id_token=7), "malformed"),
            (answered(token_type=None), "token_type"),
            (answered(token_type="DPoP"), "token_type"),
            (answered(token_type=["Bearer"]), "token_type"),
            (Answered(b""), "malformed"),
            (Answered(b"[]"), "malformed"),
            (Answered(b"<html>"), "malformed"),
            (Answered(b'{"id_token": "a", "id_token": "b"}'), "malformed"),
            (Answered(json.dumps(REPLY | {"pad": "x" * MAX_BYTES}).encode()), "malformed"),
            (Answered(b"access_token=at&id_token=a.b.c", content_type="text/plain"), "malformed"),
            (answered(201), "status"),
            (answered(302), "status"),
            (answered(500), "status"),
            (answered(400), "status"),
            (Answered(b"<html>", 403), "status"),
            (Answered(b"<html>", 401), "invalid_client"),
            (answered(200, error="invalid_grant"), "invalid_grant"),
            (answered(200, error="made_up"), "status"),
            (answered(400, error={"code": 1}), "status"),
            (answered(400, error="no_id_token"), "status"),
            (answered(400, error="invalid_client"), "invalid_client"),
            (answered(401, error="invalid_client"), "invalid_client"),
            (answered(401, error="unauthorized_client"), "unauthorized_client"),
            (answered(400, error="unsupported_grant_type"), "unsupported_grant_type"),
        ],
    )
    def test_SEC_76_anything_else_is_refused(self, answer: Answered, check: str) -> None:
        with refused(check, code="oidc_token_request"):
            read_token_reply(answer)

    def test_SEC_77_its_own_words_go_no_further(self) -> None:
        with pytest.raises(OidcRefused) as caught:
            read_token_reply(answered(400, error="invalid_client", error_description="call 0800-evil"))
        assert "0800" not in f"{vars(caught.value)} {caught.value}"

    @given(st.binary(max_size=300), st.sampled_from([200, 204, 302, 400, 401, 500]))
    def test_any_answer_gives_tokens_or_a_refusal(self, body: bytes, status: int) -> None:
        with pytest.raises(OidcRefused):
            read_token_reply(Answered(body, status))


class TestUserinfo:
    def test_a_good_answer(self) -> None:
        body = {"sub": "00u1", "email": "ada@acme.example", "groups": ["a"]}
        assert read_userinfo(Answered(json.dumps(body).encode()), subject="00u1") == body

    @pytest.mark.parametrize("subject", [None, "", "00u2", "00U1", "00u1 ", 1, ["00u1"]])
    def test_SEC_75_it_is_about_the_tokens_subject_or_it_is_refused(self, subject: Any) -> None:
        body = {"sub": subject, "email": "ada@acme.example"}
        with refused("sub", code="oidc_userinfo") as caught:
            read_userinfo(Answered(json.dumps(body).encode()), subject="00u1")
        assert caught.refusal.expected == "00u1"

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"null", b'{"sub":"00u1","sub":"00u1"}', b"eyJhbGciOiJub25lIn0.e30."]
    )
    def test_SEC_75_it_is_one_unambiguous_object(self, body: bytes) -> None:
        with refused("malformed", code="oidc_userinfo"):
            read_userinfo(Answered(body, content_type="application/jwt"), subject="00u1")

    def test_SEC_75_its_email_address_is_text(self) -> None:
        with refused("email", code="oidc_userinfo"):
            read_userinfo(Answered(b'{"sub":"00u1","email":["a@b.example"]}'), subject="00u1")


def test_every_error_of_the_token_endpoint_is_explained() -> None:
    for error in (
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
    ):
        with refused(error, code="oidc_token_request") as caught:
            read_token_reply(answered(400, error=error))
        assert caught.refusal.because == CHECKS["oidc_token_request"][error]
