"""Okta over OpenID Connect: the Okta domain or an issuer, client ID and client secret."""

from __future__ import annotations

from dataclasses import replace

import colander

from authio.plugin import (
    Answers,
    Context,
    OidcConnector,
    OidcFingerprint,
    OidcSettings,
    Resolved,
    Walkthrough,
    line,
    parsed_or_none,
    secret,
)
from authio_okta import explanations
from authio_okta.saml import CONSOLES, HOSTS


class OidcAnswers(colander.MappingSchema):
    """What the IT admin brings back from the application's General tab."""

    issuer = line(
        "issuer",
        title="Okta domain",
        description=(
            "In the menu behind your name, at the top right. With an authorization server of your own: its "
            "Issuer URI, under Security, API, Authorization Servers."
        ),
        placeholder="your-company.okta.com",
    )
    client_id = line(
        "client_id",
        title="Client ID",
        description="On the application's General tab, under Client Credentials.",
        placeholder="0oa…",
    )
    client_secret = secret(
        "client_secret",
        title="Client secret",
        description=(
            "On the General tab, under CLIENT SECRETS: press the copy button beside the active secret."
        ),
    )


class OktaOidc(OidcConnector):
    """An application that was made with Create App Integration, OIDC - OpenID Connect, Web Application."""

    key = "okta-oidc"
    connection_type = "OktaOIDC"
    schema = OidcAnswers
    walkthrough = Walkthrough.load(__package__, "oidc")
    fingerprint = OidcFingerprint(
        hosts=HOSTS,
        issuer=r"/oauth2/(?:default|aus\w+)/?",
        authorization=r"/oauth2(?:/[^/?]+)?/v1/authorize",
        token=r"/oauth2(?:/[^/?]+)?/v1/token",  # noqa: S106 - a pattern, not a secret
    )
    consoles = CONSOLES
    explanations = explanations.OIDC
    messages = {
        "admin_console_url": (
            "This is the address of your Okta console. The Okta domain is the same name without -admin; it "
            "is in the menu behind your name, at the top right."
        ),
        "endpoint_not_issuer": (
            "This is one of the endpoints. Enter the Okta domain alone, or the Issuer URI of your "
            "authorization server."
        ),
        "saml_url_for_oidc": "This address is for SAML. Enter the Okta domain, or choose SAML.",
        "issuer_mismatch": (
            "Okta names another issuer than the one entered. Your Okta domain and an authorization server of "
            "your own are two issuers: enter the domain, or the Issuer URI under Security, API, "
            "Authorization Servers, and use your custom domain if Okta does."
        ),
        "fetch_failed": (
            "Okta did not answer at this address. Compare the Okta domain with the one in the menu behind "
            "your name, at the top right."
        ),
    }

    def resolve(self, answers: Answers, context: Context) -> Resolved:
        """As for every issuer; Okta's own authorization server gives out groups by a scope of that name."""
        resolved = super().resolve(answers, context)
        settings = resolved.settings
        issuer = parsed_or_none(settings.issuer) if isinstance(settings, OidcSettings) else None
        # A custom authorization server has a path; it knows the scopes its owner made, and refuses others.
        if not isinstance(settings, OidcSettings) or issuer is None or issuer.path.strip("/"):
            return resolved
        return replace(resolved, settings=replace(settings, scopes=(*settings.scopes, "groups")))
