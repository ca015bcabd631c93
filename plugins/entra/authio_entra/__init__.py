"""Microsoft Entra ID: single sign-on over SAML 2.0 or OpenID Connect."""

from __future__ import annotations

from authio.plugin import Provider, hookimpl
from authio_entra.oidc import EntraOidc
from authio_entra.saml import EntraSaml

PROVIDER = Provider(
    key="entra",
    name="Microsoft Entra ID",
    package=__name__,
    connectors=(EntraSaml(), EntraOidc()),
    aliases=("Azure AD", "Azure Active Directory", "Microsoft 365", "Office 365"),
)


@hookimpl
def authio_providers() -> list[Provider]:
    """The one provider of this distribution."""
    return [PROVIDER]
