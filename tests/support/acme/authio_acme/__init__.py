"""Acme ID: single sign-on over SAML 2.0 or OpenID Connect."""

from authio.plugin import Provider, hookimpl
from authio_acme.oidc import AcmeOidc
from authio_acme.saml import AcmeSaml

PROVIDER = Provider(
    key="acme", name="Acme ID", package=__name__, connectors=(AcmeSaml(), AcmeOidc()), aliases=("Acme",)
)


@hookimpl
def authio_providers() -> list[Provider]:
    """The one provider of this distribution."""
    return [PROVIDER]
