"""Any OpenID Connect provider: issuer, client ID and client secret."""

import colander

from authio.plugin import OidcConnector, Walkthrough, line, secret
from authio_generic_oidc.explanations import EXPLANATIONS


class OidcAnswers(colander.MappingSchema):
    """What every OpenID Connect provider has."""

    issuer = line(
        "issuer",
        title="Issuer",
        description=(
            "Also called authority or domain. The address of the discovery document, which ends in "
            "/.well-known/openid-configuration, does as well."
        ),
        placeholder="https://login.example.com",
    )
    client_id = line(
        "client_id",
        title="Client ID",
        description="Also called application ID. The public name of the client.",
    )
    client_secret = secret(
        "client_secret",
        title="Client secret",
        description="Often shown only once, when it is created. Copy the value, not its name or ID.",
    )
    scopes = line(
        "scopes",
        title="Scopes",
        description="Only if your provider needs others than openid profile email. Separate them by blanks.",
        placeholder="openid profile email",
    )


class GenericOidc(OidcConnector):
    """Takes the issuer of any OpenID Connect provider."""

    key = "generic-oidc"
    connection_type = "GenericOIDC"
    schema = OidcAnswers
    walkthrough = Walkthrough.load(__package__, "oidc")
    explanations = EXPLANATIONS
    takes_any = True
