"""Any OpenID Connect provider."""

from authio.plugin import Provider, hookimpl
from authio_generic_oidc.oidc import GenericOidc

PROVIDER = Provider(
    key="generic_oidc",
    name="Another OpenID Connect provider",
    package=__name__,
    connectors=(GenericOidc(),),
    aliases=("OIDC", "OpenID", "OAuth", "custom", "other", "Cognito", "authentik", "Zitadel"),
)


@hookimpl
def authio_providers() -> list[Provider]:
    """The one provider of this distribution."""
    return [PROVIDER]
