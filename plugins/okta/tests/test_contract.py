"""The conformance kit, for Okta."""

from __future__ import annotations

import re
from pathlib import Path

from authio_okta import PROVIDER

from authio.plugin.testing import ProviderContract, Sample

DATA = Path(__file__).parent / "data"
METADATA = (DATA / "good.xml").read_bytes()
CERTIFICATE = re.findall(rb"X509Certificate>([^<]+)<", METADATA)[0].decode()
ADDRESS = "https://acme-example.okta.com/app/exkKGpOyQNcdOyZbk697/sso/saml/metadata"
SSO = "https://acme-example.okta.com/app/acme-example_productportal_1/exkKGpOyQNcdOyZbk697/sso/saml"
ENTITY_ID = "http://www.okta.com/exkKGpOyQNcdOyZbk697"
CONSOLE = "https://acme-example-admin.okta.com/admin/app/saml_2_0/instance/0oabomOhFIHmA91Q0Qi2/"

ORG = "https://acme-example.okta.com"
CUSTOM = f"{ORG}/oauth2/default"
WELL_KNOWN = "/.well-known/openid-configuration"
SERVES = {
    ORG + WELL_KNOWN: (DATA / "org-server.json").read_bytes(),
    CUSTOM + WELL_KNOWN: (DATA / "default-server.json").read_bytes(),
}
CLIENT = {"client_id": "0oa1b2c3d4e5f6g7h8i9", "client_secret": "kept-by-nobody-but-this-test"}


class TestContract(ProviderContract):
    provider = PROVIDER
    good = (
        Sample("okta-saml", {"metadata_url": ADDRESS}, serves={ADDRESS: METADATA}),
        Sample("okta-saml", {"metadata_xml": METADATA.decode()}),
        Sample("okta-saml", {"metadata_file": METADATA}),
        Sample("okta-saml", {"idp_entity_id": ENTITY_ID, "sso_url": SSO, "certificate": CERTIFICATE}),
        Sample("okta-saml", {"metadata_file": (DATA / "two-signing-certs.xml").read_bytes()}),
        Sample(
            "okta-saml",
            {"metadata_file": (DATA / "wants-signed-requests.xml").read_bytes()},
            warnings=frozenset({"wants_signed_requests"}),
        ),
        Sample("okta-oidc", {"issuer": "acme-example.okta.com", **CLIENT}, serves=SERVES),
        Sample("okta-oidc", {"issuer": CUSTOM, **CLIENT}, serves=SERVES),
    )
    bad = (
        Sample("okta-saml", {"metadata_url": CONSOLE}, code="admin_console_url"),
        Sample("okta-saml", {"metadata_url": SSO}, code="sso_url_not_metadata"),
        Sample("okta-saml", {"metadata_url": ENTITY_ID}, code="entity_id_not_metadata"),
        Sample("okta-saml", {"metadata_url": ORG + WELL_KNOWN}, code="oidc_url_for_saml"),
        Sample("okta-saml", {"metadata_url": ADDRESS}, code="fetch_failed"),
        Sample("okta-saml", {"metadata_xml": ADDRESS}, code="url_in_xml_box"),
        Sample(
            "okta-saml",
            {"metadata_url": ADDRESS},
            serves={ADDRESS: (DATA / "html-login-page.html").read_bytes()},
            code="html_page",
        ),
        Sample(
            "okta-saml",
            {"metadata_file": (DATA / "xhtml-setup-instructions.xml").read_bytes()},
            code="html_page",
        ),
        Sample(
            "okta-saml",
            {"metadata_file": (DATA / "no-keydescriptor.xml").read_bytes()},
            code="no_signing_cert",
        ),
        Sample("okta-oidc", {"issuer": "acme-example-admin.okta.com", **CLIENT}, code="admin_console_url"),
        Sample("okta-oidc", {"issuer": f"{CUSTOM}/v1/authorize", **CLIENT}, code="endpoint_not_issuer"),
        Sample("okta-oidc", {"issuer": ADDRESS, **CLIENT}, code="saml_url_for_oidc"),
        Sample("okta-oidc", {"issuer": "another.okta.com", **CLIENT}, serves=SERVES, code="fetch_failed"),
        Sample("okta-oidc", {"issuer": ORG, "client_id": "0oa1"}, serves=SERVES, code="answer_missing"),
    )
