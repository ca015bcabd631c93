"""The way out and the way back: what the address carries, and what is believed of a callback."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authio.protocols.oidc_refused import CHECKS, OidcRefused
from authio.protocols.oidc_request import MAX_PARAMETERS, Flow, begin, judge_callback
from authio.protocols.refusals import REFUSALS
from tests.protocols.oidc_flow.bench import CODE, FLOW, ISSUER, SETTINGS, refused

GOOD = {"code": CODE, "state": FLOW.state, "iss": ISSUER}


def sent(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)


def code(**changes: str | None) -> str:
    parameters = {name: text for name, text in {**GOOD, **changes}.items() if text is not None}
    return judge_callback(parameters.items(), SETTINGS, FLOW)


class TestBegin:
    def test_SEC_71_pkce_is_always_used_and_always_hashed(self) -> None:
        url = begin(SETTINGS, FLOW, login_hint="ada@acme.example", prompt="login")
        digest = hashlib.sha256(FLOW.verifier.encode()).digest()

        assert url.startswith(f"{ISSUER}/authorize?")
        assert dict(sent(url)) == {
            "response_type": "code",
            "client_id": "client-1",
            "redirect_uri": FLOW.redirect_uri,
            "scope": "openid profile email",
            "state": FLOW.state,
            "nonce": FLOW.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "login_hint": "ada@acme.example",
            "prompt": "login",
        }
        assert FLOW.verifier not in url

    def test_SEC_77_no_parameter_is_sent_twice_and_ours_are_ours(self) -> None:
        endpoint = (
            f"{ISSUER}/authorize?p=policy&state=theirs&hd=old&scope=x&request_uri=https://evil.example#part"
        )
        hostile = {
            **dict.fromkeys(("state", "redirect_uri", "response_type", "response_mode", "nonce"), "evil"),
            **dict.fromkeys(
                ("request", "request_uri", "code_challenge_method", "prompt", "client_secret"), "evil"
            ),
            "hd": "acme.example",
            "acr_values": "a b&c=d",
        }
        url = begin(replace(SETTINGS, authorization_endpoint=endpoint), FLOW, extra=hostile)
        names = [name for name, _ in sent(url)]

        assert len(names) == len(set(names))
        assert dict(sent(url)) == dict(sent(begin(SETTINGS, FLOW))) | {
            "p": "policy",
            "hd": "acme.example",
            "acr_values": "a b&c=d",
        }
        assert "evil" not in url
        assert "#" not in url

    def test_SEC_71_every_flow_has_three_secrets_of_256_bits(self) -> None:
        flows = [Flow.new("https://authio.example/cb") for _ in range(50)]
        made = [secret for flow in flows for secret in (flow.state, flow.nonce, flow.verifier)]
        assert len(set(made)) == 150
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in made)

    def test_SEC_17_a_flow_does_not_show_its_secrets(self) -> None:
        shown = repr(FLOW)
        assert not any(secret in shown for secret in (FLOW.state, FLOW.nonce, FLOW.verifier))

    @given(st.text(max_size=50), st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4))
    def test_any_hint_comes_through_as_it_is(self, hint: str, extra: dict[str, str]) -> None:
        url = begin(SETTINGS, FLOW, login_hint=hint, extra=extra)
        assert url.isascii()
        assert dict(sent(url)).get("login_hint", "") == hint
        assert dict(sent(url))["state"] == FLOW.state


class TestCallback:
    def test_a_good_answer_gives_its_code(self) -> None:
        assert code() == CODE
        assert code(session_state="x", scope="openid") == CODE

    @pytest.mark.parametrize(
        "state", [None, "", "another", FLOW.state + "x", FLOW.state.upper(), "é", "\ud800"]
    )
    def test_SEC_71_an_answer_to_another_request_is_refused_before_anything_else(
        self, state: str | None
    ) -> None:
        for rest in ({}, {"error": "access_denied", "code": None}, {"iss": "https://evil.example"}):
            with refused("state", code="oidc_state_invalid") as caught:
                code(state=state, **rest)
            assert (caught.refusal.found, caught.refusal.expected) == ("", "")

    def test_SEC_71_an_empty_state_matches_nothing(self) -> None:
        with refused("state", code="oidc_state_invalid"):
            judge_callback({**GOOD, "state": ""}.items(), SETTINGS, replace(FLOW, state=""))

    @pytest.mark.parametrize("issuer", ["", f"{ISSUER}/", "https://evil.example", ISSUER.upper()])
    @pytest.mark.parametrize("announced", [True, False])
    def test_SEC_72_an_answer_of_another_issuer_is_refused(self, issuer: str, announced: bool) -> None:
        settings = replace(SETTINGS, iss_parameter=announced)
        for rest in ({}, {"error": "access_denied"}):
            with refused("iss", code="oidc_issuer_mismatch") as caught:
                judge_callback({**GOOD, "iss": issuer, **rest}.items(), settings, FLOW)
            assert (caught.refusal.found, caught.refusal.expected) == (issuer, ISSUER)

    def test_SEC_72_the_issuer_is_named_where_that_is_announced(self) -> None:
        with refused("iss_missing", code="oidc_issuer_mismatch") as caught:
            code(iss=None)
        assert (caught.refusal.found, caught.refusal.expected) == ("none", ISSUER)
        unannounced = replace(SETTINGS, iss_parameter=False)
        assert judge_callback({"code": CODE, "state": FLOW.state}.items(), unannounced, FLOW) == CODE

    @pytest.mark.parametrize("name", ["code", "state", "iss", "error", "session_state"])
    def test_SEC_77_repeated_parameters_are_refused(self, name: str) -> None:
        twice = [*GOOD.items(), (name, "x"), (name, GOOD.get(name, "x"))]
        with refused("repeated", code="oidc_callback") as caught:
            judge_callback(twice, SETTINGS, FLOW)
        assert caught.refusal.status == 400

    def test_SEC_77_there_is_a_bound_to_what_is_read(self) -> None:
        with refused("malformed", code="oidc_callback"):
            code(code="x" * 8193)
        with refused("malformed", code="oidc_callback"):
            judge_callback([*GOOD.items(), ("x" * 8193, "")], SETTINGS, FLOW)
        with refused("malformed", code="oidc_callback"):
            judge_callback([*GOOD.items(), *((f"p{n}", "") for n in range(MAX_PARAMETERS))], SETTINGS, FLOW)

    @pytest.mark.parametrize("bad", ["a\nb", "é", "\ud800", "a\0"])
    def test_SEC_77_a_code_is_printable_ascii(self, bad: str) -> None:
        with refused("malformed", code="oidc_callback"):
            code(code=bad)

    @pytest.mark.parametrize("none", [None, ""])
    def test_an_answer_without_a_code_is_refused(self, none: str | None) -> None:
        with refused("incomplete", code="oidc_callback"):
            code(code=none)

    def test_an_answer_that_says_both_is_refused(self) -> None:
        with refused("contradictory", code="oidc_callback"):
            code(error="access_denied")

    @pytest.mark.parametrize(
        ("error", "check"),
        [
            ("access_denied", "access_denied"),
            ("login_required", "login_required"),
            ("interaction_required", "login_required"),
            ("consent_required", "consent_required"),
            ("invalid_scope", "invalid_scope"),
            ("server_error", "server_error"),
            ("", "other"),
            ("other", "other"),
            ("<script>alert(1)</script>", "other"),
        ],
    )
    def test_SEC_77_the_providers_error_becomes_one_of_a_fixed_set(self, error: str, check: str) -> None:
        description = "<b>call 0800-evil</b>"
        with refused(check, code="access_denied") as caught:
            code(code=None, error=error, error_description=description, error_uri="https://evil.example")
        assert caught.refusal.status == 302
        assert caught.refusal.because == CHECKS["access_denied"][check]
        whole = f"{vars(caught.refusal)} {caught.refusal}"
        assert "0800" not in whole
        assert "evil.example" not in whole

    def test_an_error_may_leave_the_issuer_out(self) -> None:
        with refused("access_denied", code="access_denied"):
            code(code=None, iss=None, error="access_denied")

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([*GOOD, "error", "x"]) | st.text(max_size=3),
                st.sampled_from([*GOOD.values()]) | st.text(max_size=5),
            )
        )
    )
    def test_any_parameters_give_the_code_or_a_refusal(self, parameters: list[tuple[str, str]]) -> None:
        found = ""
        with contextlib.suppress(OidcRefused):
            found = judge_callback(parameters, SETTINGS, FLOW)
        assert not found or parameters.count(("code", found)) == parameters.count(("state", FLOW.state)) == 1


def test_every_code_and_check_is_in_the_closed_list() -> None:
    assert set(CHECKS) <= set(REFUSALS)
    assert {name for name in REFUSALS if name.startswith("oidc_")} <= set(CHECKS)
    for name, checks in CHECKS.items():
        for check, sentence in checks.items():
            refusal = OidcRefused(name, check, found="\x1b[31m" + "x" * 1000)
            assert refusal.because == sentence
            assert refusal.found.isprintable()
            assert len(refusal.found) <= 300
    with pytest.raises(KeyError):
        OidcRefused("oidc_jwks", "made_up")
