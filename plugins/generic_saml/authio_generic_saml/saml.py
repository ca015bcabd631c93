"""Any SAML 2.0 identity provider: metadata in whatever form, or three single values."""

import colander

from authio.plugin import SamlConnector, Walkthrough, box, line, upload
from authio_generic_saml.explanations import EXPLANATIONS


class SamlAnswers(colander.MappingSchema):
    """What every SAML identity provider has, under its most usual names."""

    metadata_xml = box(
        "metadata_xml",
        title="Metadata XML",
        description=(
            "Paste the whole document. It is also called federation metadata, IdP metadata or descriptor."
        ),
    )
    metadata_file = upload(
        "metadata_file",
        title="Metadata file",
        description="The file your identity provider lets you download, unchanged.",
    )
    metadata_url = line(
        "metadata_url",
        title="Metadata URL",
        description="An https address that shows the metadata to anybody, without signing in.",
        placeholder="https://idp.example.com/metadata",
    )
    idp_entity_id = line(
        "idp_entity_id",
        title="IdP entity ID",
        description="Also called issuer, IdP issuer or IdP issuer URI. Copy it exactly, including its end.",
    )
    sso_url = line(
        "sso_url",
        title="Sign-on URL",
        description="Also called SSO URL, login URL, sign-in page, SAML endpoint or target URL.",
    )
    certificate = box(
        "certificate",
        title="Signing certificate",
        description=(
            "Also called X.509, public key or verification certificate. Paste it with its BEGIN and END "
            "lines; several may follow each other."
        ),
    )


class GenericSaml(SamlConnector):
    """Takes the metadata of any identity provider."""

    key = "generic-saml"
    connection_type = "GenericSAML"
    schema = SamlAnswers
    ways = (
        ("metadata_xml",),
        ("metadata_file",),
        ("metadata_url",),
        ("idp_entity_id", "sso_url", "certificate"),
    )
    walkthrough = Walkthrough.load(__package__, "saml")
    explanations = EXPLANATIONS
    takes_any = True
