"""Microsoft Entra ID over OpenID Connect: tenant ID, client ID and client secret."""

from __future__ import annotations

from collections.abc import Mapping

import colander

from authio.plugin import (
    OIDC_CLAIMS,
    Context,
    Judged,
    OidcConnector,
    OidcFingerprint,
    Walkthrough,
    line,
    parsed_or_none,
    secret,
)
from authio_entra import explanations
from authio_entra.tenant import CONSOLES, GUID, HOSTS, is_any_tenant, is_for_any_tenant, read_guid

ISSUER = "https://login.microsoftonline.com/{tenant_id}/v2.0"
"""The issuer of one tenant, worldwide."""


class OidcAnswers(colander.MappingSchema):
    """What the IT admin brings back from the application's Overview and its secrets."""

    tenant_id = line(
        "tenant_id",
        title="Directory (tenant) ID",
        description="On the application's Overview, under App registrations.",
        placeholder="00000000-0000-0000-0000-000000000000",
    )
    client_id = line(
        "client_id",
        title="Application (client) ID",
        description="On the same Overview.",
        placeholder="00000000-0000-0000-0000-000000000000",
    )
    client_secret = secret(
        "client_secret",
        title="Client secret",
        description=(
            "On Certificates & secrets: the column Value, which is shown only right after New client secret."
        ),
    )


class EntraOidc(OidcConnector):
    """An app registration for accounts of one tenant, with Web as its platform."""

    key = "entra-oidc"
    connection_type = "EntraIdOIDC"
    schema = OidcAnswers
    ways = (("tenant_id", "client_id", "client_secret"),)
    walkthrough = Walkthrough.load(__package__, "oidc")
    # sub differs from application to application; oid is the person, whichever of them asks.
    attributes = {**OIDC_CLAIMS, "id": ("oid", "sub"), "email": ("email", "preferred_username", "upn")}
    fingerprint = OidcFingerprint(
        hosts=(*HOSTS, "sts.windows.net"),
        custom_domains=False,
        issuer=rf"/{GUID}(?:/v2\.0)?/?",
        authorization=rf"/(?:{GUID}|common|organizations|consumers)/oauth2/(?:v2\.0/)?authorize",
        token=rf"/(?:{GUID}|common|organizations|consumers)/oauth2/(?:v2\.0/)?token",
    )
    consoles = CONSOLES
    explanations = explanations.OIDC
    messages = {
        "tenant_template": (
            "common, organizations and consumers stand for any tenant. Enter Directory (tenant) ID from the "
            "application's Overview."
        ),
        "not_a_guid": (
            "This is not an ID of the form 00000000-0000-0000-0000-000000000000. Copy it from the "
            "application's Overview, under App registrations."
        ),
        "looks_like_secret_id": (
            "This is the Secret ID. On Certificates & secrets, copy the column Value; it is shown only once, "
            "so create a new client secret if it is gone."
        ),
        "admin_console_url": (
            "This is the address of the admin center. Copy Directory (tenant) ID from the application's "
            "Overview."
        ),
        "endpoint_not_issuer": (
            "This is one of the endpoints. Enter Directory (tenant) ID from the application's Overview."
        ),
        "fetch_failed": (
            "Microsoft did not answer for this tenant. Compare Directory (tenant) ID with the application's "
            "Overview."
        ),
        "issuer_mismatch": (
            "Microsoft names another issuer for this tenant. Compare Directory (tenant) ID with the "
            "application's Overview."
        ),
    }

    def check_tenant_id(self, text: str, context: Context) -> Judged:
        """The tenant's ID, in whatever case and with or without braces."""
        if is_any_tenant(text):
            return Judged(text, (self.error("tenant_template", found=text),))
        return self.check_client_id(text, context)

    def check_client_id(self, text: str, context: Context) -> Judged:
        """The application's ID, in whatever case and with or without braces."""
        guid = read_guid(text)
        return Judged(guid) if guid else Judged(text, (self.error("not_a_guid", found=text[:200]),))

    def check_client_secret(self, text: str, context: Context) -> Judged:
        """A secret's value: no value looks like the ID that stands beside it."""
        if read_guid(text):
            return Judged(text, (self.error("looks_like_secret_id"),))
        return super().check_client_secret(text, context)

    def check_issuer(self, text: str, context: Context) -> Judged:
        """As for every provider, and it has to be about one tenant."""
        judged = super().check_issuer(text, context)
        address = parsed_or_none(judged.value)
        if address and self.fingerprint.owns(address.host) and is_for_any_tenant(address.path):
            return Judged(judged.value, (self.error("tenant_template", found=judged.value),))
        return judged

    def prepare(self, answers: dict[str, str | bytes]) -> dict[str, str | bytes]:
        """The tenant says the issuer."""
        return answers | {"issuer": ISSUER.format(**answers)}

    def required_claims(self, answers: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
        """Tokens have to name the tenant as well."""
        return {"tid": (answers["tenant_id"],)}
