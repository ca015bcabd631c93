"""Acme ID over OpenID Connect. The IT admin types the tenant's name; the issuer follows from it."""

import re

import colander

from authio.plugin import Context, Judged, OidcConnector, OidcFingerprint, Walkthrough, line, secret


class Answers(colander.MappingSchema):
    """What the Client tab of an application hands out."""

    tenant = line("tenant", title="Tenant", description="The first part of your Acme ID address.")
    client_id = line("client_id", title="Client ID", description="On the application's Client tab.")
    client_secret = secret(
        "client_secret", title="Client secret", description="On the Client tab: New secret. It is shown once."
    )


class AcmeOidc(OidcConnector):
    """An application made with New, Single sign-on, OpenID Connect."""

    key = "acme-oidc"
    connection_type = "AcmeOIDC"
    schema = Answers
    ways = (("tenant", "client_id", "client_secret"),)
    walkthrough = Walkthrough.load(__package__, "oidc")
    fingerprint = OidcFingerprint(
        hosts=("acmeid.example",),
        custom_domains=False,
        authorization="/connect/authorize",
        token="/connect/token",
    )
    messages = {"not_a_tenant": "A tenant's name has small letters, digits and hyphens only."}

    def check_tenant(self, text: str, context: Context) -> Judged:
        """A tenant's name, or the address that begins with it."""
        name = text.lower().removeprefix("https://").split(".")[0]
        if not re.fullmatch(r"[a-z0-9-]{2,40}", name):
            return Judged(text, (self.error("not_a_tenant"),))
        return Judged(name)

    def prepare(self, answers: dict[str, str | bytes]) -> dict[str, str | bytes]:
        """The issuer follows from the tenant."""
        return answers | {"issuer": f"https://{answers['tenant']}.acmeid.example"}
