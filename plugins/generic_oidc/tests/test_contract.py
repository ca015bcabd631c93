"""The conformance kit, for the provider that takes any OpenID Connect."""

from pathlib import Path

from authio_generic_oidc import PROVIDER

from authio.plugin.testing import ProviderContract, Sample

DISCOVERY = (Path(__file__).parent / "data" / "discovery.json").read_bytes()
SERVES = {"https://op.acme.example/.well-known/openid-configuration": DISCOVERY}
CLIENT = {"client_id": "portal", "client_secret": "kept-to-ourselves"}


class TestContract(ProviderContract):
    provider = PROVIDER
    good = (
        Sample("generic-oidc", {"issuer": "https://op.acme.example", **CLIENT}, serves=SERVES),
        Sample("generic-oidc", {"issuer": "https://op.acme.example/", **CLIENT}, serves=SERVES),
        Sample(
            "generic-oidc",
            {
                "issuer": "https://op.acme.example/.well-known/openid-configuration",
                **CLIENT,
                "scopes": "email groups",
            },
            serves=SERVES,
        ),
    )
    bad = (
        Sample(
            "generic-oidc", {"issuer": "https://op.acme.example", "client_id": "x"}, code="answer_missing"
        ),
        Sample("generic-oidc", {"issuer": "https://other.example", **CLIENT}, code="fetch_failed"),
        Sample(
            "generic-oidc",
            {"issuer": "https://other.example", **CLIENT},
            serves={"https://other.example/.well-known/openid-configuration": DISCOVERY},
            code="issuer_mismatch",
        ),
        Sample(
            "generic-oidc",
            {"issuer": "https://op.acme.example", "client_id": "x", "client_secret": "two words"},
            code="bad_value",
        ),
        Sample(
            "generic-oidc",
            {"issuer": "https://idp.example/saml2/metadata", **CLIENT},
            code="saml_url_for_oidc",
        ),
        Sample(
            "generic-oidc",
            {"issuer": "https://login.example/{tenant}/v2.0", **CLIENT},
            code="tenant_template",
        ),
        Sample("generic-oidc", {"issuer": "https://op.acme.example?x=1", **CLIENT}, code="bad_url"),
    )
