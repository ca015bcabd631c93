"""The conformance kit, for Google Workspace."""

from __future__ import annotations

import re
from pathlib import Path

from authio_google import PROVIDER

from authio.plugin.testing import ProviderContract, Sample

DATA = Path(__file__).parent / "data"
METADATA = (DATA / "good.xml").read_bytes()
ENTITY_ID = "https://accounts.google.com/o/saml2?idpid=C0pxgxuil"
SSO = "https://accounts.google.com/o/saml2/idp?idpid=C0pxgxuil"
CERTIFICATE = re.findall(rb"X509Certificate>([^<]+)<", METADATA)[0].decode()

DISCOVERY = "https://accounts.google.com/.well-known/openid-configuration"
SERVES = {DISCOVERY: (DATA / "discovery.json").read_bytes()}
CLIENT = {
    "client_id": "123456789012-k6tqzrduamfc3bxivpwbwdhviyme8ys9.apps.googleusercontent.com",
    "client_secret": "kept-by-nobody-but-this-test",
}


class TestContract(ProviderContract):
    provider = PROVIDER
    good = (
        Sample("google-saml", {"metadata_file": METADATA}),
        Sample("google-saml", {"metadata_xml": METADATA.decode()}),
        Sample("google-saml", {"idp_entity_id": ENTITY_ID, "sso_url": SSO, "certificate": CERTIFICATE}),
        Sample("google-oidc", CLIENT, serves=SERVES),
        Sample("google-oidc", {**CLIENT, "hosted_domains": "acme.example"}, serves=SERVES),
    )
    bad = (
        Sample("google-saml", {"metadata_xml": SSO}, code="url_in_xml_box"),
        Sample(
            "google-saml", {"metadata_file": (DATA / "html-login-page.html").read_bytes()}, code="html_page"
        ),
        Sample(
            "google-saml",
            {"metadata_file": (DATA / "metadata-expired.xml").read_bytes()},
            code="metadata_expired",
        ),
        Sample(
            "google-saml",
            {
                "idp_entity_id": ENTITY_ID,
                "sso_url": "https://admin.google.com/ac/apps",
                "certificate": CERTIFICATE,
            },
            code="admin_console_url",
        ),
        Sample("google-saml", {"idp_entity_id": ENTITY_ID, "sso_url": SSO}, code="answer_missing"),
        Sample(
            "google-oidc",
            {**CLIENT, "client_id": "acme-sso-project"},
            serves=SERVES,
            code="not_a_google_client_id",
        ),
        Sample(
            "google-oidc",
            {**CLIENT, "hosted_domains": "acme.example, acme"},
            serves=SERVES,
            code="not_a_domain",
        ),
        Sample(
            "google-oidc",
            CLIENT,
            serves={DISCOVERY: (DATA / "truncated.json").read_bytes()},
            code="malformed_document",
        ),
        Sample("google-oidc", CLIENT, code="fetch_failed"),
    )
