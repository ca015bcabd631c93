"""Okta: single sign-on over SAML 2.0 or OpenID Connect."""

from __future__ import annotations

from authio.plugin import Provider, hookimpl
from authio_okta.oidc import OktaOidc
from authio_okta.saml import OktaSaml

PROVIDER = Provider(
    key="okta",
    name="Okta",
    package=__name__,
    connectors=(OktaSaml(), OktaOidc()),
    aliases=("Okta Workforce Identity", "Okta Identity Engine", "Okta Classic Engine"),
)


@hookimpl
def authio_providers() -> list[Provider]:
    """The one provider of this distribution."""
    return [PROVIDER]
