"""Any SAML 2.0 identity provider."""

from authio.plugin import Provider, hookimpl
from authio_generic_saml.saml import GenericSaml

PROVIDER = Provider(
    key="generic_saml",
    name="Another SAML provider",
    package=__name__,
    connectors=(GenericSaml(),),
    aliases=("SAML", "SAML 2.0", "custom", "other", "Shibboleth", "SimpleSAMLphp", "CAS", "Duo", "CyberArk"),
)


@hookimpl
def authio_providers() -> list[Provider]:
    """The one provider of this distribution."""
    return [PROVIDER]
