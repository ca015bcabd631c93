"""The conformance kit, for the provider that takes any SAML."""

from pathlib import Path

from authio_generic_saml import PROVIDER

from authio.plugin.testing import ProviderContract, Sample

DATA = Path(__file__).parent / "data"
METADATA = (DATA / "idp.xml").read_bytes()
ADDRESS = "https://idp.acme.example:8443/saml/metadata?x=1"


class TestContract(ProviderContract):
    provider = PROVIDER
    good = (
        Sample("generic-saml", {"metadata_xml": METADATA.decode()}),
        Sample("generic-saml", {"metadata_file": METADATA}),
        Sample("generic-saml", {"metadata_url": ADDRESS}, serves={ADDRESS: METADATA}),
        Sample(
            "generic-saml",
            {
                "idp_entity_id": "https://idp.acme.example/saml/metadata",
                "sso_url": "https://idp.acme.example/saml/sso",
                "certificate": (DATA / "certificate.pem").read_text(),
            },
        ),
    )
    bad = (
        Sample("generic-saml", {"metadata_xml": "https://idp.acme.example/metadata"}, code="url_in_xml_box"),
        Sample("generic-saml", {"metadata_file": b"PK\x03\x04"}, code="not_xml"),
        Sample("generic-saml", {"metadata_url": "http://idp.acme.example/metadata"}, code="insecure_url"),
        Sample("generic-saml", {"metadata_url": "https://10.0.0.1/metadata"}, code="private_address"),
        Sample(
            "generic-saml",
            {"metadata_url": ADDRESS},
            serves={ADDRESS: b"<!DOCTYPE html><html><body>Sign in</body></html>"},
            code="html_page",
        ),
        Sample("generic-saml", {"metadata_url": ADDRESS}, code="fetch_failed"),
        Sample("generic-saml", {"idp_entity_id": "https://idp.acme.example/"}, code="answer_missing"),
        Sample(
            "generic-saml",
            {
                "idp_entity_id": "https://idp.acme.example/",
                "sso_url": "http://idp.acme.example/sso",
                "certificate": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            },
            code="private_key",
        ),
    )
