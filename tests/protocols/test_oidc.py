"""SEC-27: the discovery document, key by key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authio.protocols.findings import Refused
from authio.protocols.oidc import (
    MAX_BYTES,
    OidcSettings,
    discovery_address,
    judge_settings,
    read_discovery,
)
from authio.protocols.strict_json import MAX_DEPTH

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ISSUER = "https://op.acme.example"
GOOD: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "response_types_supported": ["code", "id_token"],
    "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256"],
    "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
}


def written(**changes: Any) -> bytes:
    document = {key: value for key, value in (GOOD | changes).items() if value is not None}
    return json.dumps(document).encode()


def codes(document: bytes, entered: str | None = ISSUER, **options: Any) -> list[str]:
    try:
        discovery = read_discovery(document, entered_issuer=entered, now=NOW, **options)
    except Refused as refused:
        return [finding.code for finding in refused.findings]
    return [f"warning:{finding.code}" for finding in discovery.findings]


def test_the_facts_of_a_good_document() -> None:
    extra = {"userinfo_endpoint": f"{ISSUER}/me", "authorization_response_iss_parameter_supported": True}
    found = read_discovery(written(**extra), entered_issuer=ISSUER, now=NOW).settings

    assert found == OidcSettings(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        jwks_uri=f"{ISSUER}/keys",
        userinfo_endpoint=f"{ISSUER}/me",
        token_endpoint_auth_method="client_secret_post",
        id_token_algorithms=("RS256", "ES256"),
        iss_parameter=True,
    )
    assert OidcSettings.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert judge_settings(found) == []


def test_required_claims_survive_json() -> None:
    found = OidcSettings("i", "a", "t", "j", required_claims={"tid": ("one", "two")})

    assert OidcSettings.from_json(json.loads(json.dumps(found.to_json()))) == found


class TestIssuer:
    @pytest.mark.parametrize(("named", "entered"), [(f"{ISSUER}/", ISSUER), (ISSUER, f"{ISSUER}/")])
    def test_SEC_27_a_final_slash_is_as_the_document_says(self, named: str, entered: str) -> None:
        found = read_discovery(written(issuer=named), entered_issuer=entered, now=NOW)
        assert found.settings.issuer == named

    @pytest.mark.parametrize(
        "named",
        [
            "https://OP.acme.example",
            "https://op.acme.example:443",
            "https://op.acme.example/oauth2/default",
            "http://op.acme.example",
            "https://op.acme.example//",
            "https://op.acme.example.attacker.example",
        ],
    )
    def test_SEC_27_any_other_difference_is_a_mismatch(self, named: str) -> None:
        assert codes(written(issuer=named)) == ["issuer_mismatch"]

    @pytest.mark.parametrize(
        ("issuer", "code"),
        [
            (None, "missing_issuer"),
            ("", "malformed_document"),
            (["https://op.acme.example"], "malformed_document"),
            (7, "malformed_document"),
            ("https://login.example/{tenantid}/v2.0", "tenant_template"),
            (f"{ISSUER}?x=1", "bad_endpoint"),
            (f"{ISSUER}#x", "bad_endpoint"),
            ("http://op.acme.example", "insecure_endpoint"),
            ("https://localhost", "private_address"),
        ],
    )
    def test_SEC_27_an_issuer_is_a_plain_public_https_address(self, issuer: Any, code: str) -> None:
        assert codes(written(issuer=issuer), entered=None) == [code]

    def test_where_its_document_is(self) -> None:
        for issuer in (ISSUER, f"{ISSUER}/"):
            assert discovery_address(issuer) == f"{ISSUER}/.well-known/openid-configuration"


class TestEndpoints:
    @pytest.mark.parametrize("key", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
    @pytest.mark.parametrize(
        ("url", "code"),
        [
            (None, "missing"),
            ("javascript:alert(1)", "bad_endpoint"),
            ("/relative", "bad_endpoint"),
            ("http://op.acme.example/x", "insecure_endpoint"),
            (["https://op.acme.example/x"], "malformed_document"),
        ],
    )
    def test_SEC_27_each_is_there_and_https(self, key: str, url: Any, code: str) -> None:
        if code == "missing":
            code = "missing_jwks_uri" if key == "jwks_uri" else "missing_endpoint"
        assert codes(written(**{key: url})) == [code]

    @pytest.mark.parametrize(
        "key",
        ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"],
    )
    @pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "localhost", "2130706433"])
    def test_SEC_27_each_is_public(self, key: str, host: str) -> None:
        assert codes(written(**{key: f"https://{host}/x"})) == ["private_address"]

    def test_development_exceptions_are_exact(self) -> None:
        local = "http://localhost:6546"
        ends = {key: f"{local}/{key}" for key in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        document = written(issuer=local, **ends)

        assert codes(document, local, allow={"localhost:6546"}) == []
        assert "insecure_endpoint" in codes(document, local, allow={"localhost:6545"})


class TestAbilities:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"response_types_supported": ["token"]}, ["no_code_flow"]),
            ({"response_types_supported": None}, []),
            ({"response_types_supported": "code"}, ["malformed_document"]),
            ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, ["no_asymmetric_alg"]),
            ({"id_token_signing_alg_values_supported": []}, ["no_asymmetric_alg"]),
            ({"id_token_signing_alg_values_supported": ["ES512"]}, []),
            ({"id_token_signing_alg_values_supported": None}, []),
            (
                {"token_endpoint_auth_methods_supported": ["private_key_jwt", "none"]},
                ["unsupported_client_auth"],
            ),
            ({"token_endpoint_auth_methods_supported": None}, []),
            ({"token_endpoint_auth_methods_supported": [1]}, ["malformed_document"]),
        ],
    )
    def test_SEC_27_code_flow_asymmetric_keys_and_a_client_secret(
        self, changes: dict[str, Any], expected: list[str]
    ) -> None:
        assert codes(written(**changes)) == expected

    def test_absent_lists_mean_what_the_standard_says(self) -> None:
        document = written(
            id_token_signing_alg_values_supported=None, token_endpoint_auth_methods_supported=None
        )
        found = read_discovery(document, entered_issuer=ISSUER, now=NOW).settings

        assert found.id_token_algorithms == ("RS256",)
        assert found.token_endpoint_auth_method == "client_secret_basic"

    def test_every_error_is_told_at_once(self) -> None:
        document = written(jwks_uri=None, token_endpoint="http://x.example", response_types_supported=[])
        assert codes(document) == ["insecure_endpoint", "missing_jwks_uri", "no_code_flow"]


class TestDocument:
    @pytest.mark.parametrize(
        ("document", "code"),
        [
            (b"", "empty"),
            (b"[]", "malformed_document"),
            (b"null", "malformed_document"),
            (b"{", "malformed_document"),
            (written()[:-1] + b', "x": NaN}', "malformed_document"),
            (b'{"issuer": "https://a.example", "issuer": "https://b.example"}', "malformed_document"),
            (b'{"x": {"y": 1, "y": 2}, "issuer": "https://op.acme.example"}', "malformed_document"),
            (b"\xff\xfe{}", "malformed_document"),
            (b'{"keys": []}', "jwks_not_discovery"),
            (b'{"error": "not found"}', "error_document"),
            (written(jwks_uri=None, scopes_supported=["read"]), "not_openid"),
            (written(jwks_uri=None, scopes_supported=["openid"]), "missing_jwks_uri"),
            (b"<!doctype html>", "html_page"),
            (
                b'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>',
                "saml_metadata_not_discovery",
            ),
        ],
    )
    def test_what_it_is_instead_is_named(self, document: bytes, code: str) -> None:
        assert codes(document) == [code]

    def test_SEC_27_one_byte_too_many_is_too_large(self) -> None:
        document = written()
        assert codes(document + b" " * (MAX_BYTES - len(document))) == []
        assert codes(document + b" " * (MAX_BYTES - len(document) + 1)) == ["too_large"]

    @pytest.mark.parametrize("mark", ["[]", "{}"])
    def test_SEC_27_depth_is_limited_before_parsing(self, mark: str) -> None:
        opening = mark[0] if mark == "[]" else '{"a":'
        for depth, expected in ((MAX_DEPTH - 1, []), (MAX_DEPTH, ["too_deep"]), (20_000, ["too_deep"])):
            nested = opening * depth + "1" + mark[1] * depth
            document = written()[:-1] + f', "x": {nested}}}'.encode()
            assert codes(document) == expected

    def test_brackets_in_strings_are_no_depth(self) -> None:
        assert codes(written(x="[" * 500 + '"\\' + "{" * 500)) == []

    @settings(max_examples=300, deadline=None)
    @given(
        st.one_of(
            st.binary(max_size=200),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.text(max_size=9),
                lambda inner: (
                    st.lists(inner, max_size=4)
                    | st.dictionaries(st.sampled_from(sorted(GOOD)), inner, max_size=7)
                ),
                max_leaves=12,
            ).map(lambda value: json.dumps(value).encode()),
        )
    )
    def test_anything_is_read_or_refused_and_nothing_else(self, document: bytes) -> None:
        assert codes(document, entered=None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"issuer": "http://op.example"}, "insecure_endpoint"),
        ({"token_endpoint": ""}, "missing_endpoint"),
        ({"jwks_uri": "https://10.0.0.1/"}, "private_address"),
        ({"id_token_algorithms": ("HS256",)}, "no_asymmetric_alg"),
        ({"id_token_algorithms": ()}, "no_asymmetric_alg"),
        ({"token_endpoint_auth_method": "none"}, "unsupported_client_auth"),
    ],
)
def test_settings_that_were_made_elsewhere_are_judged_alike(change: dict[str, Any], code: str) -> None:
    sound = {key: GOOD[key] for key in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")}

    assert code in [finding.code for finding in judge_settings(OidcSettings(**sound | change))]
