"""Okta over SAML 2.0: metadata by address or as XML, or the three values under More details."""

from __future__ import annotations

import colander

from authio.plugin import SamlConnector, SamlFingerprint, Walkthrough, box, line, upload
from authio_okta import explanations

HOSTS = ("okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com", "okta.mil")
"""Where Okta serves its customers, unless they have a domain of their own."""

_ON_OKTA = r"\.(?:okta|oktapreview|okta-emea|okta-gov)\.com|\.okta\.mil"
CONSOLES = (
    rf"[^/]+-admin(?:{_ON_OKTA})(?:[/?].*)?",
    rf"[^/]+(?:{_ON_OKTA})/(?:admin|app/UserHome|enduser)(?:[/?].*)?",
)
"""The Admin Console and the page on which people find their applications."""


class SamlAnswers(colander.MappingSchema):
    """What the IT admin brings back from the application's Sign On tab."""

    metadata_url = line(
        "metadata_url",
        title="Metadata URL",
        description=(
            "On the application's Sign On tab, under Metadata details: press Copy beside Metadata URL."
        ),
        placeholder="https://your-company.okta.com/app/exk…/sso/saml/metadata",
    )
    metadata_xml = box(
        "metadata_xml",
        title="Metadata XML",
        description=(
            "On the Sign On tab, under SAML Signing Certificates: Actions, then View IdP metadata. Paste all "
            "of it."
        ),
    )
    metadata_file = upload(
        "metadata_file",
        title="Metadata file",
        description="The same page, saved as a file.",
    )
    idp_entity_id = line(
        "idp_entity_id",
        title="Issuer",
        description="On the Sign On tab: Metadata details, More details, Issuer.",
        placeholder="http://www.okta.com/exk…",
    )
    sso_url = line(
        "sso_url",
        title="Sign on URL",
        description="On the Sign On tab: Metadata details, More details, Sign on URL.",
        placeholder="https://your-company.okta.com/app/…/exk…/sso/saml",
    )
    certificate = box(
        "certificate",
        title="Signing Certificate",
        description=(
            "On the Sign On tab: Metadata details, More details, Signing Certificate. Copy or download it."
        ),
    )


class OktaSaml(SamlConnector):
    """An application that was made with Create App Integration, SAML 2.0."""

    key = "okta-saml"
    connection_type = "OktaSAML"
    schema = SamlAnswers
    walkthrough = Walkthrough.load(__package__, "saml")
    fingerprint = SamlFingerprint(
        hosts=HOSTS,
        entity_id=r"http://www\.okta\.com/exk\w+",
        sso=r"/app/[^/?]+/exk\w+/sso/saml",
        metadata=r"/app/(?:[^/?]+/)?exk\w+/sso/saml/metadata",
        certificate=("O=Okta", "OU=SSOProvider"),
    )
    consoles = CONSOLES
    explanations = explanations.SAML
    messages = {
        "admin_console_url": (
            "This is the address of your Okta console. On the application's Sign On tab, press Copy beside "
            "Metadata URL and paste that."
        ),
        "sso_url_not_metadata": (
            "This is the Sign on URL (Identity Provider Single Sign-On URL). Metadata URL is on the same "
            "Sign On tab, under Metadata details, and ends in /sso/saml/metadata."
        ),
        "entity_id_not_metadata": (
            "This is the Issuer (Identity Provider Issuer), which is only a name. Metadata URL is on the "
            "Sign On tab, under Metadata details."
        ),
        "oidc_url_for_saml": (
            "This address is for OpenID Connect. Copy Metadata URL on the Sign On tab of a SAML 2.0 "
            "application, or choose OpenID Connect."
        ),
        "url_in_xml_box": "This is an address, not a document. Put it into the field Metadata URL.",
        "html_page": (
            "This is a web page of Okta's, such as the sign-in page or the setup instructions. On the "
            "application's Sign On tab, press Copy beside Metadata URL and paste that."
        ),
        "sp_metadata_only": (
            "This describes an application, not Okta. On the application's Sign On tab, open Actions, View "
            "IdP metadata beside the active certificate."
        ),
        "no_signing_cert": (
            "This metadata holds no signing certificate. On the Sign On tab, under SAML Signing "
            "Certificates, activate one (Actions, Activate), then bring the metadata again."
        ),
        "all_signing_certs_expired": (
            "The signing certificate has expired. On the Sign On tab, under SAML Signing Certificates, press "
            "Generate new certificate, activate it, then bring the metadata again."
        ),
        "cert_expires_soon": (
            "The signing certificate runs out within 30 days. Plan a new one: Sign On tab, SAML Signing "
            "Certificates, Generate new certificate."
        ),
        "wants_signed_requests": (
            "Okta asks for signed sign-in requests, and this connection sends unsigned ones. Open General, "
            "SAML Settings, Edit, Show Advanced Settings, and untick Signed Requests."
        ),
        "unknown_host": (
            "The name in this metadata is one of Okta's, but people would sign in on a host that is not. "
            "That is right if your company uses a custom domain with Okta (Customizations, Brands, Domains); "
            "compare it with the host shown here."
        ),
    }
