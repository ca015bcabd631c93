"""The conformance kit, as a stranger runs it."""

from pathlib import Path

from authio_acme import PROVIDER

from authio.plugin.testing import ProviderContract, Sample

DATA = Path(__file__).parent / "data"
METADATA = (DATA / "metadata.xml").read_bytes()
ADDRESS = "https://contoso.acmeid.example/saml/0a1b2c3d/metadata"
DISCOVERY = {
    "https://contoso.acmeid.example/.well-known/openid-configuration": (DATA / "discovery.json").read_bytes()
}
CLIENT = {"client_id": "c-17", "client_secret": "kept-to-ourselves"}


class TestContract(ProviderContract):
    provider = PROVIDER
    good = (
        Sample("acme-saml", {"metadata_url": ADDRESS}, serves={ADDRESS: METADATA}),
        Sample("acme-saml", {"metadata_file": METADATA}),
        Sample("acme-oidc", {"tenant": "contoso", **CLIENT}, serves=DISCOVERY),
        Sample("acme-oidc", {"tenant": "https://Contoso.acmeid.example/", **CLIENT}, serves=DISCOVERY),
    )
    bad = (
        Sample(
            "acme-saml", {"metadata_url": ADDRESS.replace("metadata", "sso")}, code="sso_url_not_metadata"
        ),
        Sample(
            "acme-saml", {"metadata_url": "https://console.acmeid.example/apps"}, code="admin_console_url"
        ),
        Sample("acme-saml", {"metadata_url": ADDRESS.replace("acmeid", "evil")}, code="wrong_host"),
        Sample("acme-oidc", {"tenant": "no tenant!", **CLIENT}, code="not_a_tenant"),
        Sample("acme-oidc", {"tenant": "fabrikam", **CLIENT}, code="fetch_failed"),
    )
