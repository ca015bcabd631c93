"""Google Workspace: single sign-on over SAML 2.0 or OpenID Connect."""

from __future__ import annotations

from authio.plugin import Provider, hookimpl
from authio_google.oidc import GoogleOidc
from authio_google.saml import GoogleSaml

PROVIDER = Provider(
    key="google",
    name="Google Workspace",
    package=__name__,
    connectors=(GoogleSaml(), GoogleOidc()),
    aliases=("G Suite", "Google Cloud Identity", "Google Apps"),
)


@hookimpl
def authio_providers() -> list[Provider]:
    """The one provider of this distribution."""
    return [PROVIDER]
