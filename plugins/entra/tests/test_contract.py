"""The conformance kit, for Microsoft Entra ID."""

from __future__ import annotations

import re
from pathlib import Path

from authio_entra import PROVIDER

from authio.plugin.testing import ProviderContract, Sample

DATA = Path(__file__).parent / "data"
TENANT = "7e02ff05-b7c1-4ce2-bf76-95f56fced11d"
APP = "bc78e3f2-e95a-4138-a5bc-6949f6421bd1"
LOGIN = "https://login.microsoftonline.com"
TENANT_WIDE = f"{LOGIN}/{TENANT}/federationmetadata/2007-06/federationmetadata.xml"
ADDRESS = f"{TENANT_WIDE}?appid={APP}"
METADATA = (DATA / "good.xml").read_bytes()
CERTIFICATE = re.findall(rb"X509Certificate>([^<]+)<", METADATA)[-1].decode()
BY_HAND = {
    "idp_entity_id": f"https://sts.windows.net/{TENANT}/",
    "sso_url": f"{LOGIN}/{TENANT}/saml2",
    "certificate": CERTIFICATE,
}

DISCOVERY = {f"{LOGIN}/{TENANT}/v2.0/.well-known/openid-configuration": (DATA / "tenant.json").read_bytes()}
CLIENT = {"client_id": APP, "client_secret": "Kept~by.nobody-but_this~test"}


class TestContract(ProviderContract):
    provider = PROVIDER
    good = (
        Sample("entra-saml", {"metadata_url": ADDRESS}, serves={ADDRESS: METADATA}),
        Sample("entra-saml", {"tenant_id": TENANT, "app_id": APP}, serves={ADDRESS: METADATA}),
        Sample("entra-saml", {"metadata_xml": METADATA.decode()}),
        Sample("entra-saml", {"metadata_file": METADATA}),
        Sample("entra-saml", BY_HAND),
        Sample("entra-saml", {"metadata_file": (DATA / "customer-supplied-cert.xml").read_bytes()}),
        Sample(
            "entra-saml",
            {"metadata_url": TENANT_WIDE},
            serves={TENANT_WIDE: (DATA / "tenant-wide-metadata.xml").read_bytes()},
            warnings=frozenset({"entra_tenant_wide_metadata"}),
        ),
        Sample("entra-oidc", {"tenant_id": TENANT, **CLIENT}, serves=DISCOVERY),
    )
    bad = (
        Sample("entra-saml", {"metadata_url": f"{LOGIN}/{TENANT}/saml2"}, code="sso_url_not_metadata"),
        Sample("entra-saml", {"metadata_url": BY_HAND["idp_entity_id"]}, code="entity_id_not_metadata"),
        Sample("entra-saml", {"metadata_url": ADDRESS.replace(TENANT, "common")}, code="tenant_template"),
        Sample("entra-saml", {"metadata_url": "https://entra.microsoft.com/#home"}, code="admin_console_url"),
        Sample("entra-saml", {"metadata_url": next(iter(DISCOVERY))}, code="oidc_url_for_saml"),
        Sample("entra-saml", {"metadata_url": ADDRESS}, code="fetch_failed"),
        Sample("entra-saml", {"tenant_id": "organizations", "app_id": APP}, code="tenant_template"),
        Sample("entra-saml", {"tenant_id": TENANT, "app_id": "Product Portal"}, code="not_a_guid"),
        Sample("entra-saml", {"tenant_id": TENANT}, code="answer_missing"),
        Sample(
            "entra-saml",
            {"metadata_file": (DATA / "common-endpoint-template.xml").read_bytes()},
            code="tenant_template",
        ),
        Sample(
            "entra-saml", {"metadata_file": (DATA / "wsfed-roles-only.xml").read_bytes()}, code="wsfed_only"
        ),
        Sample(
            "entra-saml",
            {"metadata_xml": (DATA / "browser-view-text.txt").read_text("utf-8")},
            code="browser_view_copied",
        ),
        Sample("entra-oidc", {"tenant_id": "common", **CLIENT}, serves=DISCOVERY, code="tenant_template"),
        Sample("entra-oidc", {"tenant_id": "acme.example", **CLIENT}, serves=DISCOVERY, code="not_a_guid"),
        Sample("entra-oidc", {"tenant_id": APP, **CLIENT}, serves=DISCOVERY, code="fetch_failed"),
        Sample(
            "entra-oidc",
            {"tenant_id": TENANT, **CLIENT, "client_secret": "27c88bef-438d-4d02-8874-b24653f2acb9"},
            serves=DISCOVERY,
            code="looks_like_secret_id",
        ),
        Sample(
            "entra-oidc",
            {"tenant_id": TENANT, **CLIENT},
            serves=dict.fromkeys(DISCOVERY, (DATA / "any-tenant.json").read_bytes()),
            code="tenant_template",
        ),
    )
