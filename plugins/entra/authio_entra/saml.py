"""Microsoft Entra ID over SAML 2.0: metadata by address, by two IDs, as XML, or by single values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import parse_qs

import colander

from authio.plugin import (
    SAML_ATTRIBUTES,
    Answers,
    Context,
    Finding,
    Judged,
    Refused,
    Resolved,
    SamlConnector,
    SamlFingerprint,
    SamlSettings,
    Walkthrough,
    box,
    line,
    parsed_or_none,
    upload,
)
from authio_entra import explanations
from authio_entra.tenant import CONSOLES, GUID, HOSTS, is_any_tenant, is_for_any_tenant, read_guid

METADATA = "https://login.microsoftonline.com/{tenant_id}/federationmetadata/2007-06/federationmetadata.xml?appid={app_id}"
"""The address that App Federation Metadata Url shows, worldwide."""

TENANT_KEYS = "CN=accounts.accesscontrol.windows.net"
"""Subject of the certificates with which a tenant signs for applications that have none of their own."""

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


class SamlAnswers(colander.MappingSchema):
    """What the IT admin brings back from the section SAML Certificates."""

    metadata_url = line(
        "metadata_url",
        title="App Federation Metadata Url",
        description="On the application's Single sign-on page, in SAML Certificates: press the copy button.",
        placeholder="https://login.microsoftonline.com/…/federationmetadata.xml?appid=…",
    )
    tenant_id = line(
        "tenant_id",
        title="Directory (tenant) ID",
        description=(
            "On the Overview of the application under App registrations. Goes with Application (client) ID."
        ),
        placeholder="00000000-0000-0000-0000-000000000000",
    )
    app_id = line(
        "app_id",
        title="Application (client) ID",
        description="On the same Overview. From the two IDs we build the App Federation Metadata Url.",
        placeholder="00000000-0000-0000-0000-000000000000",
    )
    metadata_xml = box(
        "metadata_xml",
        title="Federation Metadata XML",
        description=(
            "In SAML Certificates: press Download beside Federation Metadata XML and paste all of the file."
        ),
    )
    metadata_file = upload(
        "metadata_file",
        title="Downloaded XML file",
        description="The same download, chosen instead of pasted.",
    )
    idp_entity_id = line(
        "idp_entity_id",
        title="Microsoft Entra Identifier",
        description="On the Single sign-on page, in the section Set up, below SAML Certificates.",
        placeholder="https://sts.windows.net/…/",
    )
    sso_url = line(
        "sso_url",
        title="Login URL",
        description="In the same section Set up.",
        placeholder="https://login.microsoftonline.com/…/saml2",
    )
    certificate = box(
        "certificate",
        title="Certificate (Base64)",
        description=(
            "In SAML Certificates: press Download beside Certificate (Base64) and paste all of the file."
        ),
    )


class EntraSaml(SamlConnector):
    """An enterprise application that is not from the gallery, with SAML as its single sign-on."""

    key = "entra-saml"
    connection_type = "AzureSAML"
    schema = SamlAnswers
    ways = (
        ("metadata_url",),
        ("tenant_id", "app_id"),
        ("metadata_xml",),
        ("metadata_file",),
        ("idp_entity_id", "sso_url", "certificate"),
    )
    walkthrough = Walkthrough.load(__package__, "saml")
    # The defaults of Entra come first; what an admin has named otherwise is still found.
    attributes = {
        **SAML_ATTRIBUTES,
        "id": tuple(dict.fromkeys((_OBJECT_ID, *SAML_ATTRIBUTES["id"]))),
        "email": tuple(
            dict.fromkeys(
                (f"{_CLAIMS}emailaddress", *SAML_ATTRIBUTES["email"], f"{_CLAIMS}name", f"{_CLAIMS}upn")
            )
        ),
    }
    fingerprint = SamlFingerprint(
        hosts=HOSTS,
        custom_domains=False,
        entity_id=rf"https://sts\.(?:windows\.net|chinacloudapi\.cn)/{GUID}/?",
        sso=rf"/(?:{GUID}|common|organizations)/saml2",
        metadata=r"/(?:[^/?]+/)?federationmetadata/2007-06/federationmetadata\.xml(?:\?.*)?",
        certificate=("CN=Microsoft Azure Federated SSO Certificate",),
    )
    consoles = CONSOLES
    explanations = explanations.SAML
    messages = {
        "admin_console_url": (
            "This is the address of the admin center. On the application's Single sign-on page, in SAML "
            "Certificates, copy App Federation Metadata Url and paste that."
        ),
        "sso_url_not_metadata": (
            "This is the Login URL. App Federation Metadata Url is on the same page, in SAML Certificates, "
            "and ends in ?appid= and an ID."
        ),
        "entity_id_not_metadata": (
            "This is the Microsoft Entra Identifier, which is only a name. App Federation Metadata Url is on "
            "the same page, in SAML Certificates."
        ),
        "oidc_url_for_saml": (
            "This address is for OpenID Connect. Copy App Federation Metadata Url in SAML Certificates, or "
            "choose OpenID Connect."
        ),
        "entra_tenant_wide_metadata": (
            "This is the metadata of your whole tenant: its keys are not those of your application, so "
            "sign-in would fail. Copy App Federation Metadata Url in SAML Certificates; it ends in ?appid= "
            "and the application's ID."
        ),
        "tenant_template": (
            "common, organizations and consumers stand for any tenant. Use Directory (tenant) ID of your "
            "own, or copy App Federation Metadata Url in SAML Certificates."
        ),
        "not_a_guid": (
            "This is not an ID of the form 00000000-0000-0000-0000-000000000000. Copy it from the Overview "
            "of the application under App registrations."
        ),
        "wrong_host": (
            "This address has the form of Microsoft's, but its host is not Microsoft's. Copy App Federation "
            "Metadata Url again, in SAML Certificates."
        ),
        "url_in_xml_box": (
            "This is an address, not a document. Put it into the field App Federation Metadata Url."
        ),
        "browser_view_copied": (
            "This was copied from the browser's view of the file. In SAML Certificates, press Download "
            "beside Federation Metadata XML, or copy App Federation Metadata Url."
        ),
        "html_page": (
            "This is a web page of Microsoft's, not metadata. In SAML Certificates, copy App Federation "
            "Metadata Url, or press Download beside Federation Metadata XML."
        ),
        "wsfed_only": (
            "This document is only for WS-Federation. On the application's Single sign-on page choose SAML, "
            "then copy App Federation Metadata Url."
        ),
        "certificate_not_metadata": (
            "This is only the certificate. Download Federation Metadata XML beside it, or enter the "
            "certificate together with Microsoft Entra Identifier and Login URL."
        ),
        "all_signing_certs_expired": (
            "The signing certificate has expired. In SAML Certificates press Edit, New Certificate, Save, "
            "then Make certificate active, and bring the metadata again."
        ),
        "cert_expires_soon": (
            "The signing certificate runs out within 30 days. Plan a new one: SAML Certificates, Edit, New "
            "Certificate."
        ),
        "wants_signed_requests": (
            "Entra asks for signed sign-in requests, and this connection sends unsigned ones. In SAML "
            "Certificates, under Verification certificates, press Edit and untick Require verification "
            "certificates."
        ),
    }

    def check_metadata_url(self, text: str, context: Context) -> Judged:
        """As for every provider, and it has to be about one tenant and one application."""
        judged = super().check_metadata_url(text, context)
        address = parsed_or_none(judged.value)
        if judged.findings or address is None or not self.fingerprint.owns(address.host):
            return judged
        if is_for_any_tenant(address.path):
            return Judged(judged.value, (self.error("tenant_template", found=judged.value),))
        if _names_no_application(judged.value):
            return Judged(judged.value, (self.warning("entra_tenant_wide_metadata", found=judged.value),))
        return judged

    def check_tenant_id(self, text: str, context: Context) -> Judged:
        """The tenant's ID, in whatever case and with or without braces."""
        if is_any_tenant(text):
            return Judged(text, (self.error("tenant_template", found=text),))
        return self.check_app_id(text, context)

    def check_app_id(self, text: str, context: Context) -> Judged:
        """The application's ID, in whatever case and with or without braces."""
        guid = read_guid(text)
        return Judged(guid) if guid else Judged(text, (self.error("not_a_guid", found=text[:200]),))

    def prepare(self, answers: dict[str, str | bytes]) -> dict[str, str | bytes]:
        """Two IDs say as much as the address that is made of them."""
        if not _builds_address(answers):
            return answers
        return answers | {"metadata_url": METADATA.format(**answers)}

    def resolve(self, answers: Answers, context: Context) -> Resolved:
        """As for every provider; what is said of an address that we built is said of the ID typed for it."""
        if not _builds_address(answers):
            return super().resolve(answers, context)
        try:
            resolved = super().resolve(answers, context)
        except Refused as refused:
            raise Refused([_of_the_tenant(finding) for finding in refused.findings]) from None
        # Kept out of the answers: it would win over the IDs once somebody corrects one of them.
        typed = {name: value for name, value in resolved.answers.items() if name != "metadata_url"}
        return replace(resolved, findings=tuple(map(_of_the_tenant, resolved.findings)), answers=typed)

    def inspect(self, settings: SamlSettings, context: Context) -> Iterable[Finding]:
        """The tenant's own metadata instead of the application's."""
        if any(TENANT_KEYS in certificate.subject for certificate in settings.read_certificates()):
            # About the field that was filled; check_metadata_url has said it of the address already.
            yield self.warning(
                "entra_tenant_wide_metadata", field="metadata_url" if settings.metadata_url else ""
            )


def _builds_address(answers: Answers) -> bool:
    """Whether the metadata address is to be made of the two IDs."""
    return bool(answers.get("tenant_id") and answers.get("app_id") and not answers.get("metadata_url"))


def _names_no_application(url: str) -> bool:
    """Whether an address of Entra's lacks the parameter that makes it one application's."""
    address = parsed_or_none(url)
    query = {name.lower(): values[0] for name, values in parse_qs(address.query).items()} if address else {}
    return read_guid(query.get("appid", "")) is None


def _of_the_tenant(finding: Finding) -> Finding:
    return replace(finding, field="tenant_id") if finding.field == "metadata_url" else finding
