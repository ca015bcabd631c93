"""Acme ID over SAML 2.0. The IT admin brings back the metadata address, or the file behind it."""

import colander

from authio.plugin import SamlConnector, SamlFingerprint, Walkthrough, line, upload


class Answers(colander.MappingSchema):
    """What the Metadata tab of an application hands out."""

    metadata_url = line(
        "metadata_url", title="Metadata address", description="On the application's Metadata tab, at the top."
    )
    metadata_file = upload(
        "metadata_file", title="Metadata file", description="On the same tab: Download as a file."
    )


class AcmeSaml(SamlConnector):
    """An application made with New, Single sign-on, SAML."""

    key = "acme-saml"
    connection_type = "AcmeSAML"
    schema = Answers
    ways = (("metadata_url",), ("metadata_file",))
    walkthrough = Walkthrough.load(__package__, "saml")
    fingerprint = SamlFingerprint(
        hosts=("acmeid.example",),
        custom_domains=False,
        entity_id=r"https://[a-z0-9-]+\.acmeid\.example/saml/[0-9a-f]{8}",
        sso=r"/saml/[0-9a-f]{8}/sso",
        metadata=r"/saml/[0-9a-f]{8}/metadata",
        certificate=("O=Acme ID",),
    )
    consoles = (r"console\.acmeid\.example/.*",)
    messages = {
        "sso_url_not_metadata": "This is the Sign-on address. The Metadata address is one line above it."
    }
