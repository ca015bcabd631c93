"""Google Workspace over SAML 2.0: the metadata file, or single values. There is no metadata address."""

from __future__ import annotations

import colander

from authio.plugin import Context, Judged, SamlConnector, SamlFingerprint, Walkthrough, box, line, upload
from authio_google import explanations

CONSOLES = (r"(?:admin|workspace|myaccount|console\.cloud|console\.developers)\.google\.com(?:[/?].*)?",)
"""The consoles of Google, and the pages people see of their own."""


class SamlAnswers(colander.MappingSchema):
    """What the IT admin brings back from Google Identity Provider details."""

    metadata_file = upload(
        "metadata_file",
        title="Metadata file",
        description="GoogleIDPMetadata.xml, from Download metadata on the app's page in the Admin console.",
    )
    metadata_xml = box(
        "metadata_xml",
        title="Metadata XML",
        description="The same file, opened in a text editor: paste all of it.",
    )
    idp_entity_id = line(
        "idp_entity_id",
        title="Entity ID",
        description="On Google Identity Provider details (Download metadata on the app's page).",
        placeholder="https://accounts.google.com/o/saml2?idpid=C…",
    )
    sso_url = line(
        "sso_url",
        title="SSO URL",
        description="On Google Identity Provider details.",
        placeholder="https://accounts.google.com/o/saml2/idp?idpid=C…",
    )
    certificate = box(
        "certificate",
        title="Google's certificate",
        description="On Google Identity Provider details: copy or download it.",
    )


class GoogleSaml(SamlConnector):
    """An app that was made with Add app, Add custom SAML app."""

    key = "google-saml"
    connection_type = "GoogleSAML"
    schema = SamlAnswers
    ways = (
        ("metadata_file",),
        ("metadata_xml",),
        ("idp_entity_id", "sso_url", "certificate"),
    )
    walkthrough = Walkthrough.load(__package__, "saml")
    fingerprint = SamlFingerprint(
        hosts=("accounts.google.com",),
        custom_domains=False,
        entity_id=r"https://accounts\.google\.com/o/saml2\?idpid=C\w+",
        sso=r"/o/saml2/idp\?idpid=C\w+",
        certificate=("OU=Google For Work",),
    )
    consoles = CONSOLES
    explanations = explanations.SAML
    messages = {
        "google_has_no_metadata_url": (
            "Google has no metadata address. On the app's page in the Admin console, press Download metadata "
            "and bring the file GoogleIDPMetadata.xml."
        ),
        "url_in_xml_box": (
            "This is an address, and Google has no metadata address. On the app's page in the Admin console, "
            "press Download metadata and bring the file GoogleIDPMetadata.xml."
        ),
        "html_page": (
            "This is a web page of Google's, not metadata. On the app's page in the Admin console, press "
            "Download metadata and bring the file GoogleIDPMetadata.xml."
        ),
        "sp_metadata_only": (
            "This describes an application, not Google. On the app's page in the Admin console, press "
            "Download metadata and bring the file GoogleIDPMetadata.xml."
        ),
        "certificate_not_metadata": (
            "This is only the certificate. Press Download metadata on the same page, or enter the "
            "certificate together with Entity ID and SSO URL."
        ),
        "admin_console_url": (
            "This is the address of the Admin console. SSO URL is on Google Identity Provider details "
            "(Download metadata on the app's page)."
        ),
        "metadata_expired": (
            "This file has run out together with Google's certificate. Make a new one under Security, "
            "Authentication, SSO with SAML applications, choose it on the app's page, and press Download "
            "metadata again."
        ),
        "metadata_expires_soon": (
            "This file runs out within 30 days, together with Google's certificate. Plan a new one under "
            "Security, Authentication, SSO with SAML applications, and bring the new file then."
        ),
        "all_signing_certs_expired": (
            "Google's certificate has expired. Make a new one under Security, Authentication, SSO with SAML "
            "applications, choose it on the app's page, and press Download metadata again."
        ),
        "cert_expires_soon": (
            "Google's certificate runs out within 30 days. Plan a new one under Security, Authentication, "
            "SSO with SAML applications, and bring the new file then."
        ),
    }

    def check_metadata_url(self, text: str, context: Context) -> Judged:
        """Whatever it is, it is not a metadata address: there is none."""
        return Judged(text, (self.error("google_has_no_metadata_url", found=text[:200]),))
